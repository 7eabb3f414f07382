//! Rule 9: one token call per expiry over all tasks and processes, and no pair is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::{Clock as _, ManualClock, Zone};
use lifehub_core::oauth::{Held, RefreshClaim, Refresher, Standing, Vault};
use lifehub_core::record::ConnectionId;
use lifehub_store::NewConnection;
use lifehub_testkit::{At, FaultyStore, StoreFault};
use tokio::task::JoinSet;

use crate::renewal::{Account, Provider, Slow, access, id, pair};
use crate::rig::{Home, Kind, on_each_database, start};
use crate::shelf::DAY;

/// Lets tasks of these refreshers, a hundred together, ask at once; the calls that they made.
async fn crowd(refreshers: Vec<Refresher>, id: ConnectionId, provider: Arc<Provider>) -> u32 {
    let started = Arc::new(AtomicU32::new(0));
    let mut asking = JoinSet::new();
    for n in 0..100 {
        let refresher = refreshers[n % refreshers.len()].clone();
        let (provider, started) = (provider.clone(), started.clone());
        asking.spawn(async move {
            started.fetch_add(1, Ordering::SeqCst);
            refresher.renew(id, 1, provider).await.unwrap()
        });
    }
    provider.is_asked().await;
    while started.load(Ordering::SeqCst) < 100 {
        tokio::task::yield_now().await;
    }
    provider.answer();
    let renewed = asking.join_all().await;
    assert!(renewed.iter().all(|renewed| renewed.held.revision == 2));
    assert!(renewed.iter().all(|renewed| access(&renewed.held.credentials) == "access 1"));
    assert_eq!(renewed.iter().filter(|renewed| renewed.asked).count(), 1);
    provider.calls()
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_a_hundred_tasks_make_one_call() {
    let account = Account::new();
    let provider = Arc::new(Provider::waiting(account.clock.clone()));
    assert_eq!(crowd(vec![account.refresher()], id(), provider).await, 1);
    // Who comes later with what it read before is given what stands.
    let late = Arc::new(Provider::new(account.clock.clone()));
    let renewed = account.refresher().renew(id(), 1, late.clone()).await.unwrap();
    assert_eq!((access(&renewed.held.credentials), renewed.asked, late.calls()), ("access 1", false, 0));
}

on_each_database! {
    // Ten open stores on one database are as good as ten processes: each has a lock and a flight of its own.
    #[tokio::test(flavor = "multi_thread")]
    async fn rule_9_ten_processes_make_one_call(kind: Kind) {
        let clock = Arc::new(ManualClock::at(start()));
        let home = Home::new(kind).await;
        let store = home.open(clock.clone()).await;
        let user = store.create_user("a@example.org", &Zone::utc()).await.unwrap();
        let (id, _) = store.connect(NewConnection::new(user, "shelf", pair("access 0", &clock))).await.unwrap();
        let mut refreshers = Vec::new();
        for _ in 0..10 {
            let vault = Arc::new(home.open(clock.clone()).await);
            refreshers.push(Refresher::new(vault, clock.clone(), |_| panic!("nothing was refused")));
        }
        assert_eq!(crowd(refreshers, id, Arc::new(Provider::waiting(clock))).await, 1);
        assert_eq!(store.credentials(id).await.unwrap().revision, 2);
    }
}

#[tokio::test]
async fn rule_9_a_refused_renewal_reads_again() {
    let account = Account::new();
    let provider = Arc::new(Provider::waiting(account.clock.clone()));
    provider.fail([ErrorKind::Unauthorized]);
    let refresher = account.refresher();
    let asking = tokio::spawn({
        let (refresher, provider) = (refresher.clone(), provider.clone());
        async move { refresher.renew(id(), 1, provider).await }
    });
    provider.is_asked().await;
    account.store.set_credentials(id(), pair("another's", &account.clock));
    provider.answer();
    let renewed = asking.await.unwrap().unwrap();
    assert_eq!((access(&renewed.held.credentials), renewed.asked), ("another's", false));
    assert_eq!((account.held().await.standing, account.notices()), (Standing::Good, 0));
    // Its claim is given back: the newer ones can be renewed at once.
    let claim = account.store.claim_refresh(id(), renewed.held.revision, DAY).await.unwrap();
    assert!(matches!(claim, RefreshClaim::Held(_)), "{claim:?}");
}

#[tokio::test]
async fn rule_9_a_refusal_is_one_notice_and_one_call_a_day() {
    let account = Account::new();
    let provider = Arc::new(Provider::new(account.clock.clone()));
    provider.fail([ErrorKind::Unauthorized; 2]);
    let before = account.held().await;
    for day in 1..=2 {
        let refused_at = account.clock.now();
        for _ in 0..24 {
            // Each in a process of its own: what is known of a refusal is in the vault.
            let error = account.refresher().renew(id(), 1, provider.clone()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error:?}");
            assert!(error.get_hint().is_some_and(|hint| hint.starts_with("connect the account again")));
            let Held { credentials, revision, standing } = account.held().await;
            assert_eq!((access(&credentials), revision), (access(&before.credentials), 1));
            assert_eq!(standing, Standing::Refused { at: refused_at });
            assert_eq!((provider.calls(), account.notices()), (day, 1));
            account.clock.advance(DAY / 24);
        }
    }
    let renewed = account.refresher().renew(id(), 1, provider.clone()).await.unwrap();
    assert_eq!((renewed.held.standing, provider.calls(), account.notices()), (Standing::Good, 3, 1));
}

#[tokio::test]
async fn rule_9_connecting_anew_ends_a_refusal() {
    let account = Account::new();
    let provider = Arc::new(Provider::new(account.clock.clone()));
    provider.fail([ErrorKind::Unauthorized]);
    account.refresher().renew(id(), 1, provider.clone()).await.unwrap_err();
    account.store.set_credentials(id(), pair("anew", &account.clock));
    let renewed = account.refresher().renew(id(), 2, provider.clone()).await.unwrap();
    assert_eq!((access(&renewed.held.credentials), provider.calls()), ("access 2", 2));
}

#[tokio::test]
async fn rule_9_a_caller_that_gives_up_loses_nothing() {
    let account = Account::new();
    let provider = Arc::new(Provider::waiting(account.clock.clone()));
    let refresher = account.refresher();
    let asking = tokio::spawn({
        let (refresher, provider) = (refresher.clone(), provider.clone());
        async move { refresher.renew(id(), 1, provider).await }
    });
    provider.is_asked().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    assert_eq!(access(&account.held().await.credentials), "access 0");
    provider.answer();
    refresher.settled(id()).await;
    assert_eq!(access(&account.held().await.credentials), "access 1");
    // Nothing is under way: nobody waits.
    refresher.settled(id()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_the_pair_is_saved_before_anyone_has_it() {
    let account = Account::new();
    let provider = Arc::new(Provider::new(account.clock.clone()));
    let slow = Arc::new(Slow::new(account.store.clone()));
    let refresher = account.refresher_over(slow.clone());
    let asking: Vec<_> = (0..5)
        .map(|_| {
            let (refresher, provider) = (refresher.clone(), provider.clone());
            tokio::spawn(async move { refresher.renew(id(), 1, provider).await.unwrap() })
        })
        .collect();
    slow.saving.acquire().await.unwrap().forget();
    assert_eq!((provider.calls(), access(&account.held().await.credentials)), (1, "access 0"));
    assert!(asking.iter().all(|task| !task.is_finished()));
    slow.may_save.add_permits(1);
    for task in asking {
        assert_eq!(access(&task.await.unwrap().held.credentials), "access 1");
    }
}

#[tokio::test]
async fn rule_9_a_late_holder_does_not_send() {
    let account = Account::new();
    let provider = Arc::new(Provider::new(account.clock.clone()));
    let slow = Arc::new(Slow::new(account.store.clone()));
    slow.late.store(3, Ordering::SeqCst);
    slow.may_save.add_permits(1);
    account.refresher_over(slow.clone()).renew(id(), 1, provider.clone()).await.unwrap();
    assert_eq!((provider.calls(), slow.claims.load(Ordering::SeqCst)), (1, 4));
}

#[tokio::test]
async fn rule_9_a_vault_that_fails_is_asked_again() {
    // Read, claim, check, save: the fourth call is the save.
    for (at, asked) in [(At::BeforeCall(4), true), (At::AfterCall(4), true)] {
        let account = Account::new();
        let provider = Arc::new(Provider::new(account.clock.clone()));
        let faulty = FaultyStore::new(account.store.clone());
        faulty.set(StoreFault::Fails(at));
        let renewed = account.refresher_over(faulty).renew(id(), 1, provider.clone()).await.unwrap();
        assert_eq!((access(&renewed.held.credentials), renewed.asked), ("access 1", asked), "{at:?}");
        let held = account.held().await;
        assert_eq!((access(&held.credentials), held.revision, provider.calls()), ("access 1", 2, 1));
    }
}

/// The claim was given back: whoever comes now need not wait.
async fn assert_free(account: &Account, provider: Arc<Provider>) {
    let refresher = account.refresher();
    let renewed = refresher.renew(id(), 1, provider);
    let renewed = tokio::time::timeout(Duration::from_secs(10), renewed).await.expect("the claim is free");
    assert!(renewed.unwrap().asked);
}

#[tokio::test]
async fn rule_9_a_failure_for_a_while_gives_the_claim_back() {
    let account = Account::new();
    let provider = Arc::new(Provider::new(account.clock.clone()));
    let failures = [ErrorKind::Unavailable, ErrorKind::Throttled, ErrorKind::InvalidResponse];
    provider.fail(failures);
    for (kind, calls) in failures.into_iter().zip(1..) {
        let error = account.refresher().renew(id(), 1, provider.clone()).await.unwrap_err();
        assert_eq!((error.kind(), provider.calls()), (kind, calls));
        assert_eq!((account.held().await.standing, account.notices()), (Standing::Good, 0));
    }
    assert_free(&account, provider).await;
}

#[tokio::test]
async fn rule_9_a_provider_that_does_not_answer_is_left() {
    let account = Account::new();
    let silent = Arc::new(Provider::waiting(account.clock.clone()).limit(Duration::from_millis(20)));
    let error = account.refresher().renew(id(), 1, silent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    let provider = Arc::new(Provider::new(account.clock.clone()));
    assert_free(&account, provider).await;
}

//! News by webhook: stored at once, once, in the order in which it happened, by whoever holds the lease.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::Clock;
use lifehub_core::connector::{WebhookDelivery, WebhookEvent, WebhookNews, WebhookOutcome};
use lifehub_core::engine::{
    Claim, Report, RunStatus, StreamNews, StreamNewsKind, SyncEvent, SyncOptions, Waiting,
};
use lifehub_core::oauth::Standing;
use lifehub_core::page::{Coverage, Item};
use lifehub_core::schedule::WorkerOptions;
use lifehub_core::{Error, ErrorKind};
use lifehub_testkit::{At, FaultyStore, StoreFault};

use crate::rig::{Kind, Rig, days_ago, on_each_store, start};
use crate::shelf::{DAY, Entry, Shelf, Style, page_of};

const MINUTE: Duration = Duration::from_secs(60);

fn shelf() -> Shelf {
    Shelf::new((0..25).map(|n| Entry::new(n, days_ago(n))).collect(), Style::default())
}

fn items(items: Vec<Item>) -> WebhookEvent {
    WebhookEvent::Items { stream: "entries".into(), partition: String::new(), items }
}

fn gone(id: impl ToString) -> WebhookEvent {
    items(vec![Item::Gone { id: id.to_string(), version: None }])
}

fn put(id: u64, title: &str) -> WebhookEvent {
    items(vec![Entry { title: title.into(), ..Entry::new(id, days_ago(id)) }.item()])
}

fn changed() -> WebhookEvent {
    WebhookEvent::Changed { stream: "entries".into() }
}

/// Syncs what is due now, as a worker does; the reports.
async fn round(rig: &Rig) -> Vec<Report> {
    let due = rig.schedule().claim_due(&["shelf"], rig.clock.now(), 10).await.unwrap();
    let mut reports = Vec::new();
    for (connection, lease) in due {
        let options = WorkerOptions::default().sync;
        reports.push(rig.engine().sync_under(&connection, &lease, &options).await.unwrap());
    }
    reports
}

/// A connection that was synced, and is not due for most of a day.
async fn synced(kind: Kind<'_>) -> Rig {
    let rig = Rig::new(kind, shelf()).await;
    rig.sync().await;
    rig.clock.advance(MINUTE);
    assert!(round(&rig).await.is_empty());
    rig
}

async fn waiting(rig: &Rig) -> Vec<Waiting> {
    rig.storage.waiting(rig.connection.id).await.unwrap()
}

async fn title(rig: &Rig, id: u64) -> Option<String> {
    rig.live().await.remove(&id.to_string())
}

on_each_store! {
    #[test]
    async fn rule_5_a_deletion_by_webhook_counts_at_once(kind: Kind) {
        let rig = synced(kind).await;
        // Older than the look-back: a live pass would not find it.
        rig.shelf.world().entries.push(Entry::new(99, days_ago(90)));
        rig.sync_full().await;
        for id in [7, 99] {
            rig.shelf.remove(id);
            rig.deliver(gone(id)).await;
        }
        let totals = round(&rig).await[0].totals();
        assert_eq!((totals.deleted, totals.inserted, totals.updated), (2, 0, 0));
        assert_eq!(rig.live().await, rig.truth());
        assert!(waiting(&rig).await.is_empty() && round(&rig).await.is_empty());
    }

    #[test]
    async fn rule_5_what_is_delivered_twice_counts_once(kind: Kind) {
        let rig = synced(kind).await;
        rig.shelf.remove(7);
        rig.shelf.edit(3, |entry| entry.title = "new".into());
        for event in [gone(7), put(3, "new"), gone(7), put(3, "new")] {
            rig.deliver(event).await;
        }
        let totals = round(&rig).await[0].totals();
        assert_eq!((totals.deleted, totals.updated, totals.inserted), (1, 1, 0));
        // And once more after it was taken.
        for event in [gone(7), put(3, "new")] {
            rig.deliver(event).await;
        }
        let totals = round(&rig).await[0].totals();
        assert_eq!((totals.deleted, totals.updated, totals.inserted), (0, 0, 0));
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_5_an_older_delivery_does_not_overwrite_what_was_seen_later(kind: Kind) {
        let rig = synced(kind).await;
        rig.shelf.edit(3, |entry| entry.title = "newest".into());
        rig.sync().await;
        for event in [gone(5), put(3, "older")] {
            rig.shelf.world().deliveries.push_back(WebhookOutcome::News(vec![WebhookNews::new(1, event)]));
            rig.engine().receive("shelf", &WebhookDelivery::post("", start() - MINUTE)).await.unwrap();
        }
        rig.shelf.hook(|_, _| Some(Err(Error::new(ErrorKind::Unavailable, "it is down"))));
        let totals = round(&rig).await[0].totals();
        assert_eq!((totals.deleted, totals.updated), (0, 0));
        assert_eq!((title(&rig, 3).await.as_deref(), title(&rig, 5).await.is_some()), (Some("newest"), true));
        assert!(waiting(&rig).await.len() <= 1, "what was too late is taken all the same");
    }

    #[test]
    async fn rule_5_deliveries_count_in_the_order_in_which_they_came(kind: Kind) {
        for (last, expected) in [(true, None), (false, Some("second"))] {
            let rig = synced(kind).await;
            rig.shelf.hook(|_, _| Some(Err(Error::new(ErrorKind::Unavailable, "it is down"))));
            rig.deliver(put(3, "first")).await;
            rig.clock.advance(MINUTE);
            for event in if last { [put(3, "second"), gone(3)] } else { [gone(3), put(3, "second")] } {
                rig.deliver(event).await;
            }
            round(&rig).await;
            assert_eq!(title(&rig, 3).await.as_deref(), expected, "the provider was not needed for it");
        }
        // With versions it is these that count.
        let rig = synced(kind).await;
        rig.shelf.hook(|_, _| Some(Err(Error::new(ErrorKind::Unavailable, "it is down"))));
        for version in [2, 3, 1] {
            let title = format!("version {version}");
            let entry = Entry { version: Some(version), title, ..Entry::new(3, days_ago(3)) };
            rig.clock.advance(MINUTE);
            rig.deliver(items(vec![entry.item()])).await;
        }
        round(&rig).await;
        assert_eq!(title(&rig, 3).await.as_deref(), Some("version 3"));
    }

    #[test]
    async fn rule_1_page_atomic_news_survives_a_crash_at_every_call(kind: Kind) {
        for after in [false, true] {
            for call in 1.. {
                assert!(call < 200, "the run comes to its end");
                let rig = synced(kind).await;
                rig.shelf.remove(7);
                rig.shelf.edit(3, |entry| entry.title = "new".into());
                rig.deliver(gone(7)).await;
                rig.clock.advance(MINUTE);
                rig.deliver(put(3, "new")).await;
                rig.deliver(changed()).await;
                let store = FaultyStore::new(rig.storage.clone());
                store.set(StoreFault::Crash(if after { At::AfterCall(call) } else { At::BeforeCall(call) }));
                let cut = rig.with_storage(store.clone());
                let _ = cut.engine().sync(&rig.connection, &SyncOptions::default()).await;
                let crashed = store.has_crashed();
                store.restart().await.unwrap();
                // The next worker finds it due, unless all was done.
                let mut rounds = 0;
                while !round(&rig).await.is_empty() {
                    rounds += 1;
                    assert!(rounds < 5, "call {call}: it is due for ever");
                }
                assert_eq!(rig.live().await, rig.truth(), "call {call}");
                assert!(waiting(&rig).await.is_empty(), "call {call}");
                let records = rig.records().await;
                assert_eq!(records.len(), 25, "call {call}: nothing is there twice");
                if !crashed {
                    break;
                }
            }
        }
    }

    #[test]
    async fn rule_10_fencing_a_late_worker_takes_no_news(kind: Kind) {
        let rig = synced(kind).await;
        rig.shelf.remove(7);
        rig.deliver(gone(7)).await;
        rig.deliver(changed()).await;
        let Claim::Held(late) = rig.storage.claim(rig.connection.id).await.unwrap() else { panic!("busy") };
        rig.storage.release(&late).await.unwrap();
        let Claim::Held(holder) = rig.storage.claim(rig.connection.id).await.unwrap() else { panic!("busy") };
        let run = rig.engine().sync_under(&rig.connection, &late, &SyncOptions::default()).await;
        assert_eq!(run.unwrap_err().kind(), ErrorKind::LeaseLost);
        assert!(title(&rig, 7).await.is_some() && !waiting(&rig).await.is_empty());
        rig.engine().sync_under(&rig.connection, &holder, &SyncOptions::default()).await.unwrap();
        assert!(title(&rig, 7).await.is_none() && waiting(&rig).await.is_empty());
    }

    #[test]
    async fn schedule_news_makes_a_stream_due_at_once_and_no_other(kind: Kind) {
        let style = Style { streams: &["entries", "others"], ..Style::default() };
        let rig = Rig::new(kind, Shelf::new(vec![Entry::new(0, days_ago(0))], style)).await;
        rig.sync().await;
        rig.shelf.world().entries.push(Entry::new(1, start()));
        rig.deliver(changed()).await;
        let reports = round(&rig).await;
        let streams: Vec<_> = reports[0].streams.iter().map(|s| (&*s.stream, s.counts.inserted)).collect();
        assert_eq!(streams, [("entries", 1)]);
        assert!(waiting(&rig).await.is_empty() && round(&rig).await.is_empty());
    }

    #[test]
    async fn schedule_news_during_a_run_makes_another(kind: Kind) {
        let rig = synced(kind).await;
        rig.deliver(changed()).await;
        let copy = rig.with_storage(rig.storage.clone());
        rig.shelf.hook(move |world, _| {
            // The page is made before the change that the mark tells of.
            if world.entries.len() == 25 {
                let entries = world.entries.clone();
                world.entries.push(Entry::new(77, start()));
                let page = page_of(&entries[..1], Err(Coverage::Nothing));
                let tell = async {
                    let mark = StreamNews { stream: "entries".into(), what: StreamNewsKind::Changed };
                    let now = copy.clock.now();
                    copy.elsewhere().await.deliver("shelf", "1", now, &[mark]).await.unwrap();
                };
                let run = || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(tell);
                };
                std::thread::scope(|scope| scope.spawn(run).join().unwrap());
                return Some(Ok(page));
            }
            None
        });
        assert_eq!(round(&rig).await[0].totals().inserted, 0);
        assert_eq!(round(&rig).await[0].totals().inserted, 1, "the second mark was not that of the first run");
        assert!(round(&rig).await.is_empty() && waiting(&rig).await.is_empty());
    }

    #[test]
    async fn schedule_news_of_a_failing_stream_waits_as_it_does(kind: Kind) {
        let rig = synced(kind).await;
        rig.shelf.hook(|_, _| Some(Err(Error::new(ErrorKind::Unavailable, "it is down"))));
        rig.deliver(changed()).await;
        assert_eq!(round(&rig).await[0].status, RunStatus::Failed);
        rig.deliver(changed()).await;
        assert!(round(&rig).await.is_empty(), "its back-off decides");
        rig.clock.advance(2 * MINUTE);
        rig.shelf.world().hook = None;
        assert_eq!(round(&rig).await[0].status, RunStatus::Ok);
        assert!(round(&rig).await.is_empty() && waiting(&rig).await.is_empty());
    }

    #[test]
    async fn schedule_news_does_not_ask_a_provider_that_named_a_time_again_and_again(kind: Kind) {
        let rig = synced(kind).await;
        let resume = start() + DAY;
        rig.shelf.hook(move |_, _| Some(Err(Error::new(ErrorKind::Parked, "the quota is spent").at(resume))));
        rig.deliver(changed()).await;
        rig.deliver(gone(7)).await;
        assert_eq!(round(&rig).await[0].status, RunStatus::Parked);
        assert!(title(&rig, 7).await.is_none(), "what was told needs no quota");
        assert!(round(&rig).await.is_empty());
    }

    #[test]
    async fn schedule_a_held_sweep_ends_the_news(kind: Kind) {
        let rig = synced(kind).await;
        rig.shelf.world().entries.clear();
        rig.deliver(changed()).await;
        assert_eq!(round(&rig).await[0].status, RunStatus::Incomplete);
        assert!(round(&rig).await.is_empty());
    }

    #[test]
    async fn rule_5_an_item_of_a_partition_that_is_not_listed_is_taken(kind: Kind) {
        let rig = synced(kind).await;
        let (stream, partition) = ("entries".into(), "elsewhere".into());
        let items = vec![Entry::new(500, days_ago(0)).item()];
        rig.deliver(WebhookEvent::Items { stream, partition, items }).await;
        assert_eq!(round(&rig).await[0].totals().inserted, 1);
        assert!(waiting(&rig).await.is_empty() && round(&rig).await.is_empty());
    }

    #[test]
    async fn a_consent_taken_back_at_the_provider_is_told_once(kind: Kind) {
        let rig = synced(kind).await;
        let engine = rig.engine();
        let mut events = engine.events();
        for _ in 0..2 {
            let news = WebhookOutcome::News(vec![WebhookNews::new(1, WebhookEvent::Withdrawn)]);
            rig.shelf.world().deliveries.push_back(news);
            let delivery = WebhookDelivery::post("", start());
            assert_eq!(engine.receive("shelf", &delivery).await.unwrap(), None);
        }
        let held = rig.storage.credentials(rig.connection.id).await.unwrap();
        assert!(matches!(held.standing, Standing::Refused { .. }), "{:?}", held.standing);
        let told = events.recv().await.unwrap();
        assert!(
            matches!(told, SyncEvent::ReconnectRequired { connection } if connection == rig.connection.id)
        );
        assert!(events.is_empty(), "once");
        assert_eq!(rig.live().await, rig.truth(), "the data stays");
    }

    #[test]
    async fn a_delivery_that_cannot_be_taken_says_why_and_shows_nothing(kind: Kind) {
        let rig = synced(kind).await;
        let engine = rig.engine();
        let push = |news: WebhookOutcome| rig.shelf.world().deliveries.push_back(news);
        let long = WebhookDelivery::post(vec![b'x'; (1 << 20) + 1], start());
        let short = WebhookDelivery::post("canary", start());
        for (provider, delivery, kind) in [
            ("nowhere", &short, ErrorKind::Invalid),
            ("shelf", &long, ErrorKind::TooLarge),
            ("shelf", &short, ErrorKind::Unauthorized),
        ] {
            let error = engine.receive(provider, delivery).await.unwrap_err();
            assert_eq!(error.kind(), kind);
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
        let stream = WebhookEvent::Changed { stream: "nothing".into() };
        push(WebhookOutcome::News(vec![WebhookNews::new(1, stream)]));
        assert_eq!(engine.receive("shelf", &short).await.unwrap_err().kind(), ErrorKind::Internal);
        push(WebhookOutcome::Answer(serde_json::json!({ "a": 1 })));
        assert_eq!(engine.receive("shelf", &short).await.unwrap(), Some(serde_json::json!({ "a": 1 })));
        push(WebhookOutcome::News(vec![WebhookNews::new(2, gone(7))]));
        assert_eq!(engine.receive("shelf", &short).await.unwrap(), None, "an account that is nobody's");
        assert!(waiting(&rig).await.is_empty());
        // The provider has to send again what the store could not keep.
        let store = FaultyStore::new(rig.storage.clone());
        store.set(StoreFault::Gone);
        let cut = rig.with_storage(store as Arc<_>);
        push(WebhookOutcome::News(vec![WebhookNews::new(1, gone(7))]));
        assert_eq!(cut.engine().receive("shelf", &short).await.unwrap_err().kind(), ErrorKind::Storage);
    }
}

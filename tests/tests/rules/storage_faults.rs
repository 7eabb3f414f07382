//! Rule 1 against a store that crashes at any call, is full, gone or slow: nothing is lost, and the next sync makes it
//! good without help.

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::Clock;
use lifehub_core::engine::SyncOptions;
use lifehub_testkit::{At, FaultyStore, StoreFault};

use crate::rig::{Kind, Rig, content, days_ago, on_each_store};
use crate::shelf::{Entry, Shelf, Style};

fn shelf() -> Shelf {
    let shelf = Shelf::new((0..25).map(|i| Entry::new(i, days_ago(i))).collect(), Style::default());
    shelf.edit(7, |entry| entry.odd = true);
    shelf
}

fn edit(shelf: &Shelf) {
    shelf.remove(3);
    shelf.edit(4, |entry| entry.title = "edited".into());
}

on_each_store! {
    #[test]
    async fn rule_1_page_atomic_a_crash_at_every_call(kind: Kind) {
        let undisturbed = Rig::new(kind, shelf()).await;
        undisturbed.sync().await;
        edit(&undisturbed.shelf);
        undisturbed.sync().await;
        let (expected, bad) = (content(&undisturbed.records().await), undisturbed.quarantine().await);

        let rig = Rig::new(kind, shelf()).await;
        let store = FaultyStore::new(rig.storage.clone());
        let rig = rig.with_storage(store.clone());
        rig.sync().await;
        let calls = store.take().calls;
        assert!(calls > 10, "{calls} calls in a sync of three pages");
        for at in (1..=calls).flat_map(|k| [At::BeforeCall(k), At::AfterCall(k)]) {
            let rig = Rig::new(kind, shelf()).await;
            let store = FaultyStore::new(rig.storage.clone());
            let rig = rig.with_storage(store.clone());
            for round in 0..2 {
                if round == 1 {
                    edit(&rig.shelf);
                }
                rig.clock.advance(Duration::from_secs(1));
                store.set(StoreFault::Crash(at));
                // Whether it ends in an error or in a report that tells one is not what counts here.
                let _ = rig.engine().sync(&rig.connection, &SyncOptions::default()).await;
                assert!(round == 1 || store.has_crashed(), "{at:?}: a first sync has as many calls");
                store.restart().await.unwrap();
                rig.sync().await;
                assert_eq!(rig.live().await.len(), rig.truth().len() - 1, "{at:?}, round {round}");
            }
            assert_eq!(content(&rig.records().await), expected, "{at:?}");
            assert_eq!(rig.quarantine().await, bad, "{at:?}");
        }
    }

    #[test]
    async fn a_full_store_keeps_what_it_has_and_goes_on_when_there_is_space(kind: Kind) {
        let rig = Rig::new(kind, shelf()).await;
        let store = FaultyStore::new(rig.storage.clone());
        let rig = rig.with_storage(store.clone());
        rig.sync().await;
        let before = rig.records().await;
        edit(&rig.shelf);
        store.set(StoreFault::Full);
        let report = rig.sync_with(&SyncOptions::default()).await;
        let error = report.streams[0].error.as_ref().expect("the commit failed");
        assert_eq!(error.kind, ErrorKind::StorageFull);
        assert!(error.hint.is_some());
        assert_eq!(rig.records().await, before);
        store.set(StoreFault::None);
        rig.sync().await;
        assert_eq!(rig.live().await["4"], "edited");
    }

    #[test]
    async fn a_store_that_is_gone_is_told_as_such_and_slowness_is_no_failure(kind: Kind) {
        let rig = Rig::new(kind, shelf()).await;
        let store = FaultyStore::new(rig.storage.clone());
        let rig = rig.with_storage(store.clone());
        store.set(StoreFault::Gone);
        let error = rig.engine().sync(&rig.connection, &SyncOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert!(error.is_temporary());
        let clock: Arc<dyn Clock> = rig.clock.clone();
        let each = Duration::from_millis(40);
        store.set(StoreFault::Slow(clock, each));
        store.take();
        let begun = rig.clock.monotonic();
        assert_eq!(rig.sync().await.inserted, 24);
        let calls = u32::try_from(store.take().calls).unwrap();
        assert!(rig.clock.monotonic() - begun >= each * calls);
    }
}

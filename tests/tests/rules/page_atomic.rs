//! Rule 1: a page commits whole or not at all, and a page fetched ahead is dropped when the commit before it fails.

use lifehub_core::ErrorKind;
use lifehub_core::engine::SyncOptions;
use lifehub_testkit::{At, FaultyStore, StoreFault};

use crate::rig::{Kind, Rig, content, days_ago, on_each_store};
use crate::shelf::{Entry, Shelf, Style};

fn shelf() -> Shelf {
    Shelf::new((0..45).map(|i| Entry::new(i, days_ago(i))).collect(), Style::default())
}

on_each_store! {
    #[test]
    async fn rule_1_page_atomic(kind: Kind) {
        let undisturbed = Rig::new(kind, shelf()).await;
        undisturbed.sync().await;
        undisturbed.shelf.remove(3);
        undisturbed.shelf.edit(4, |e| e.title = "edited".into());
        undisturbed.sync().await;
        let expected = content(&undisturbed.records().await);

        // Five pages and the end of the pass, then four pages of the live pass with a deletion and its end.
        for fails in (1..=6).flat_map(|k| [At::BeforeCommit(k), At::AfterCommit(k)]) {
            let rig = Rig::new(kind, shelf()).await;
            let store = FaultyStore::new(rig.storage.clone());
            let failing = rig.with_storage(store.clone());
            store.set(StoreFault::Fails(fails));
            let report = failing.sync_with(&SyncOptions::default()).await;
            let error = report.streams[0].error.as_ref().expect("the commit failed");
            assert_eq!(error.kind, ErrorKind::Storage);
            // What is there is whole pages: no cursor is ahead of them, and nothing of a later page is there.
            let pages = match fails { At::BeforeCommit(k) => k - 1, At::AfterCommit(k) => k, other => panic!("{other:?}") };
            assert_eq!(rig.live().await.len() as u64, (pages * 10).min(45), "{fails:?}");

            let after = rig.sync().await;
            assert_eq!(after.inserted, 45 - (pages * 10).min(45), "{fails:?}: nothing is read as new twice");
            assert_eq!(rig.live().await, rig.truth(), "{fails:?}");

            rig.shelf.remove(3);
            rig.shelf.edit(4, |e| e.title = "edited".into());
            store.set(StoreFault::Fails(fails));
            failing.sync_with(&SyncOptions::default()).await;
            rig.sync().await;
            assert_eq!(content(&rig.records().await), expected, "{fails:?}");
        }
    }
}

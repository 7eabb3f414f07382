//! Rule 4: what an item is, when it has changed, and that an unchanged one writes nothing.

use lifehub_core::connector::Absence;
use lifehub_testkit::FaultyStore;

use crate::rig::{Kind, Rig, days_ago, on_each_store};
use crate::shelf::{Entry, Shelf, Style};

fn shelf(absence: Absence) -> Shelf {
    let covers = absence != Absence::MeansNothing;
    let style = Style { absence, covers, ..Style::default() };
    Shelf::new((0..25).map(|i| Entry::new(i, days_ago(i))).collect(), style)
}

on_each_store! {
    #[test]
    async fn rule_4_an_unchanged_item_writes_nothing_but_its_mark(kind: Kind) {
        for (absence, stamps) in [(Absence::MeansNothing, 0), (Absence::MeansGone, 25)] {
            let rig = Rig::new(kind, shelf(absence)).await;
            let watched = FaultyStore::new(rig.storage.clone());
            let rig = rig.with_storage(watched.clone());
            assert_eq!(rig.sync().await.inserted, 25);
            assert_eq!(watched.take().puts, 25);
            let before = rig.records().await;
            let counts = rig.sync().await;
            assert_eq!((counts.inserted, counts.updated, counts.deleted, counts.unchanged), (0, 0, 0, 25));
            let asked = watched.take();
            assert_eq!((asked.puts, asked.stamps), (0, stamps), "{absence:?}");
            assert_eq!(rig.records().await, before, "not even changed_at or seq move");
        }
    }

    #[test]
    async fn rule_4_equal_records_of_a_changed_item_enter_no_feed(kind: Kind) {
        let rig = Rig::new(kind, shelf(Absence::MeansGone)).await;
        let watched = FaultyStore::new(rig.storage.clone());
        let rig = rig.with_storage(watched.clone());
        rig.sync().await;
        let before = rig.records().await;
        watched.take();
        rig.shelf.edit(3, |e| e.likes = 99);
        let counts = rig.sync().await;
        assert_eq!((counts.updated, counts.unchanged), (0, 25));
        assert_eq!(watched.take().puts, 1, "the raw item is renewed");
        assert_eq!(rig.records().await, before);
        // Renewed it is: the next sync finds nothing to do.
        rig.sync().await;
        assert_eq!(watched.take().puts, 0);
    }

    #[test]
    async fn rule_4_a_changed_record_keeps_its_id(kind: Kind) {
        let rig = Rig::new(kind, shelf(Absence::MeansGone)).await;
        rig.sync().await;
        let id = |records: &[serde_json::Value]| {
            records.iter().find(|r| r["external_id"] == "3").map(|r| r["id"].clone()).unwrap()
        };
        let before = id(&rig.records().await);
        rig.shelf.edit(3, |e| e.title = "edited".into());
        assert_eq!(rig.sync().await.updated, 1);
        assert_eq!(id(&rig.records().await), before);
    }

    #[test]
    async fn rule_4_a_new_normalizer_version_reads_again(kind: Kind) {
        let rig = Rig::new(kind, shelf(Absence::MeansGone)).await;
        rig.sync().await;
        let newer = rig.shelf.styled(Style { version: 2, ..Style::default() });
        let watched = FaultyStore::new(rig.storage.clone());
        let rig = rig.with_storage(watched.clone()).with_shelf(newer);
        let counts = rig.sync().await;
        assert_eq!((counts.updated, counts.unchanged), (0, 25), "the records are equal");
        assert_eq!(watched.take().puts, 25);
        rig.sync().await;
        assert_eq!(watched.take().puts, 0);
    }
}

//! Rule 7: a bad item goes to quarantine and blocks nobody.

use lifehub_core::ErrorKind;
use lifehub_core::engine::SyncOptions;

use crate::rig::{Kind, Rig, days_ago, on_each_store};
use crate::shelf::{Entry, Shelf, Style};

fn shelf(count: u64) -> Shelf {
    Shelf::new((0..count).map(|i| Entry::new(i, days_ago(i))).collect(), Style::default())
}

on_each_store! {
    #[test]
    async fn rule_7_poison_does_not_block_at_any_position(kind: Kind) {
        for position in 0..25 {
            let rig = Rig::new(kind, shelf(25)).await;
            rig.shelf.edit(position, |e| e.odd = true);
            let counts = rig.sync().await;
            assert_eq!((counts.inserted, counts.quarantined), (24, 1), "position {position}");
            assert_eq!(rig.quarantine().await, [(position.to_string(), "it is odd".to_owned())]);
            // It counts as seen: nothing is swept, and the next sync says that it is still there.
            let counts = rig.sync().await;
            assert_eq!((counts.deleted, counts.quarantined), (0, 1));
        }
    }

    #[test]
    async fn rule_7_the_last_good_records_stay(kind: Kind) {
        let rig = Rig::new(kind, shelf(5)).await;
        rig.sync().await;
        let before = rig.records().await;
        rig.shelf.edit(2, |e| { e.odd = true; e.title = "not to be read".into() });
        let counts = rig.sync().await;
        assert_eq!((counts.updated, counts.deleted, counts.quarantined), (0, 0, 1));
        assert_eq!(rig.records().await, before);
        // It is good again: out of quarantine.
        rig.shelf.edit(2, |e| { e.odd = false; e.title = "good again".into() });
        assert_eq!(rig.sync().await.updated, 1);
        assert!(rig.quarantine().await.is_empty());
    }

    #[test]
    async fn rule_7_a_new_normalizer_version_retries(kind: Kind) {
        let rig = Rig::new(kind, shelf(5)).await;
        rig.shelf.edit(2, |e| e.odd = true);
        rig.sync().await;
        assert_eq!(rig.live().await.len(), 4);
        let newer = rig.shelf.styled(Style { version: 2, ..Style::default() });
        let rig = rig.with_shelf(newer);
        assert_eq!(rig.replay().await.inserted, 1);
        assert!(rig.quarantine().await.is_empty());
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_7_an_item_without_an_id_is_kept_under_its_hash(kind: Kind) {
        let rig = Rig::new(kind, shelf(5)).await;
        let nameless = Entry { id: None, ..Entry::new("x", days_ago(2)) };
        rig.shelf.world().entries.push(nameless.clone());
        rig.shelf.world().entries.push(Entry { title: "another".into(), ..nameless });
        let counts = rig.sync().await;
        assert_eq!((counts.inserted, counts.quarantined), (5, 2));
        let quarantine = rig.quarantine().await;
        assert_eq!(quarantine.len(), 2);
        assert!(quarantine.iter().all(|(id, _)| id.starts_with("sha256:")));
        assert_ne!(quarantine[0].0, quarantine[1].0);
        assert_eq!(rig.sync().await.quarantined, 2, "the same ones, not two more");
        assert_eq!(rig.quarantine().await.len(), 2);
        // They got ids: the next complete pass brings them, and leaves nothing behind.
        for (i, entry) in rig.shelf.world().entries.iter_mut().filter(|e| e.id.is_none()).enumerate() {
            entry.id = Some(format!("named {i}"));
        }
        assert_eq!(rig.sync_full().await.totals().inserted, 2);
        assert!(rig.quarantine().await.is_empty());
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_7_a_partition_stops_when_a_page_is_mostly_bad(kind: Kind) {
        let style = Style { page_size: 100, ..Style::default() };
        for (bad, stops) in [(9, false), (10, true)] {
            let rig = Rig::new(kind, Shelf::new((0..150).map(|i| Entry::new(i, days_ago(i))).collect(), style.clone())).await;
            (0..bad).for_each(|i| rig.shelf.edit(i, |e| e.odd = true));
            let report = rig.sync_with(&SyncOptions::default()).await;
            let error = report.streams[0].error.as_ref();
            assert_eq!(error.map(|e| e.kind), stops.then_some(ErrorKind::Poisoned), "{bad} bad items");
            assert_eq!(report.totals().quarantined, bad);
            // Nothing of the page is lost, and the next sync goes on behind it.
            assert_eq!(rig.quarantine().await.len() as u64, bad);
            rig.sync().await;
            assert_eq!(rig.live().await.len() as u64, 150 - bad);
        }
    }

    #[test]
    async fn rule_7_a_few_bad_items_of_a_large_page_do_not_stop_it(kind: Kind) {
        let style = Style { page_size: 300, ..Style::default() };
        let rig = Rig::new(kind, Shelf::new((0..300).map(|i| Entry::new(i, days_ago(i))).collect(), style)).await;
        (0..15).for_each(|i| rig.shelf.edit(i, |e| e.odd = true));
        assert_eq!(rig.sync().await.quarantined, 15, "5 % is not more than 5 %");
    }
}

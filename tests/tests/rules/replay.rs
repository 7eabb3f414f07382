//! Rule 14: normalizers are pure, so replaying what is stored gives equal records, without the network.

use crate::rig::{Kind, Rig, days_ago, on_each_store};
use crate::shelf::{Entry, Shelf, Style};

on_each_store! {
    #[test]
    async fn rule_14_replay_gives_equal_records(kind: Kind) {
        let entries = (0..1200).map(|i| Entry::new(i, days_ago(i))).collect();
        let rig = Rig::new(kind, Shelf::new(entries, Style { page_size: 100, ..Style::default() })).await;
        rig.sync().await;
        rig.shelf.remove(5);
        rig.sync().await;
        let before = rig.records().await;
        rig.shelf.hook(|_, _| panic!("a replay asks the provider for nothing"));
        let counts = rig.replay().await;
        assert_eq!((counts.inserted, counts.updated, counts.deleted, counts.unchanged), (0, 0, 0, 1199));
        assert_eq!(rig.records().await, before, "ids, seq and changed_at stay");

        // A newer version that gives the same records moves nothing either.
        let newer = rig.shelf.styled(Style { version: 2, ..Style::default() });
        let rig = rig.with_shelf(newer);
        assert_eq!(rig.replay().await.unchanged, 1199);
        assert_eq!(rig.records().await, before);
    }
}

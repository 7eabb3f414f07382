//! Rule 5: an older observation never overwrites a newer one, in whatever order they come.

use lifehub_core::connector::{Absence, SyncMode};
use lifehub_core::page::{Coverage, Item};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use crate::rig::{Kind, Rig, days_ago, on_each_store};
use crate::shelf::{Entry, Shelf, Style, page, page_of};

fn style() -> Style {
    Style { absence: Absence::MeansNothing, sync: SyncMode::Snapshot, covers: false, ..Style::default() }
}

fn version(n: u64) -> Entry {
    Entry { version: Some(n), title: format!("version {n}"), ..Entry::new("it", days_ago(1)) }
}

/// Serves each observation on a page of its own, one sync each.
async fn serve(kind: Kind<'_>, order: &[u64], gone: Option<u64>) -> Vec<(String, bool)> {
    let rig = Rig::new(kind, Shelf::new(vec![], style())).await;
    for &n in order {
        let mut answer = page_of(&[version(n)], Err(Coverage::Nothing));
        if gone == Some(n) {
            answer = page(vec![Item::Gone { id: "it".into(), version: Some(n) }], answer.next);
        }
        rig.shelf.world().script.push_back(Ok(answer));
        rig.sync().await;
    }
    let records = rig.records().await;
    records.iter().map(|r| (r["body"]["name"].to_string(), r["deleted"] == true)).collect()
}

on_each_store! {
    #[test]
    async fn rule_5_the_highest_version_wins(kind: Kind) {
        for order in [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]] {
            let last = serve(kind, &order, None).await;
            assert_eq!(last, [("\"version 3\"".to_owned(), false)], "{order:?}");
            // The news that it is gone is an observation like the others.
            let last = serve(kind, &order, Some(3)).await;
            assert!(last.iter().all(|(_, deleted)| *deleted), "{order:?}: {last:?}");
            let last = serve(kind, &order, Some(2)).await;
            assert_eq!(last, [("\"version 3\"".to_owned(), false)], "{order:?}");
        }
    }

    #[test]
    async fn rule_5_of_two_in_one_page_the_newer_counts(kind: Kind) {
        for order in [[1, 2], [2, 1]] {
            let rig = Rig::new(kind, Shelf::new(vec![], style())).await;
            let entries = order.map(version);
            rig.shelf.world().script.push_back(Ok(page_of(&entries, Err(Coverage::Nothing))));
            assert_eq!(rig.sync().await.inserted, 1);
            assert_eq!(rig.live().await["it"], "version 2", "{order:?}");
        }
    }

    #[test]
    async fn rule_5_a_newer_version_of_the_same_content_still_outranks_older_ones(kind: Kind) {
        let rig = Rig::new(kind, Shelf::new(vec![], style())).await;
        // The second sight of "kept" is version 3: version 2, which comes last, is older.
        for (title, version) in [("kept", 1), ("kept", 3), ("stale", 2)] {
            let entry = Entry { title: title.into(), ..Entry::new("it", days_ago(1)) };
            let mut answer = page_of(&[entry], Err(Coverage::Nothing));
            let Item::Put(put) = &mut answer.items[0] else { panic!("{answer:?}") };
            put.version = Some(version);
            rig.shelf.world().script.push_back(Ok(answer));
            rig.sync().await;
        }
        assert_eq!(rig.live().await["it"], "kept");
    }

    #[test]
    async fn rule_5_without_versions_the_later_request_wins(kind: Kind) {
        let rig = Rig::new(kind, Shelf::new(vec![], style())).await;
        for title in ["first", "second"] {
            let entry = Entry { title: title.into(), ..Entry::new("it", days_ago(1)) };
            rig.shelf.world().script.push_back(Ok(page_of(&[entry], Err(Coverage::Nothing))));
            rig.sync().await;
        }
        assert_eq!(rig.live().await["it"], "second");
    }
}

#[test]
fn rule_5_every_order_of_versions_ends_equal() {
    let cases: u32 = std::env::var("LIFEHUB_ORDER_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
    let seed = 0x0bde;
    println!("{cases} cases, seed {seed:#x}");
    let config =
        Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    // Versions with repetitions, one of them perhaps the news that the item is gone.
    proptest!(config, |(order in proptest::collection::vec(1_u64..6, 1..9), gone in proptest::option::of(1_u64..6))| {
        let last = runtime.block_on(serve(Kind::Memory, &order, gone));
        let highest = *order.iter().max().unwrap();
        if gone == Some(highest) {
            prop_assert!(last.iter().all(|(_, deleted)| *deleted));
        } else {
            prop_assert_eq!(last, vec![(format!("\"version {highest}\""), false)]);
        }
    });
}

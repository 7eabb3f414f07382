//! Rule 2: a cursor is a resume point; equal timestamps at a border lose nothing.

use lifehub_core::engine::{PartitionKey, SyncOptions};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use crate::rig::{Kind, Rig, days_ago, on_each_store};
use crate::shelf::{DAY, Entry, Shelf, Style};

on_each_store! {
    #[test]
    async fn rule_2_cursors_lose_no_ties(kind: Kind) {
        // 40 entries of one instant, over four pages, between others; the run ends within them.
        let tie = |i: u64| if (5..45).contains(&i) { days_ago(5) } else { days_ago(i) };
        let entries: Vec<_> = (0..60).map(|i| Entry::new(i, tie(i))).collect();
        let style = Style { lookback: DAY, ..Style::default() };
        let rig = Rig::new(kind, Shelf::new(entries, style)).await;
        let mut options = SyncOptions::default();
        options.max_pages = 3;
        let mut runs = 0;
        while !rig.sync_with(&options).await.streams[0].caught_up {
            runs += 1;
            assert!(runs < 60, "the passes never end");
        }
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_2_cursors_hold_no_host(kind: Kind) {
        let rig = Rig::new(kind, Shelf::new(vec![Entry::new(1, days_ago(1))], Style::default())).await;
        rig.sync().await;
        let key = PartitionKey { connection: rig.connection.id, stream: "entries".into(), partition: "".into() };
        let state = serde_json::to_string(&rig.storage.resume(&key).await.unwrap()).unwrap();
        assert!(state.contains("anchor") && !state.contains("shelf.example"), "{state}");
    }
}

/// Ties over up to four pages, in pages of every size, with a run that ends anywhere.
#[test]
fn rule_2_cursors_lose_no_ties_anywhere() {
    let cases: u32 = std::env::var("LIFEHUB_TIE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let seed = 0x7135;
    println!("{cases} cases, seed {seed:#x}");
    let config =
        Config { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    proptest!(config, |(
        days in proptest::collection::vec(0_u64..6, 1..48),
        page_size in 1_usize..13,
        budget in 1_u64..5,
    )| {
        runtime.block_on(async {
            let entries = days.iter().enumerate().map(|(i, day)| Entry::new(i, days_ago(*day))).collect();
            let rig = Rig::new(Kind::Memory, Shelf::new(entries, Style { page_size, ..Style::default() })).await;
            let mut options = SyncOptions::default();
            // A live pass must come to its end before the full one goes on.
            options.max_pages = budget + days.len().div_ceil(page_size) as u64;
            for _ in 0..100 {
                if rig.sync_with(&options).await.streams[0].caught_up {
                    break;
                }
            }
            assert_eq!(rig.live().await, rig.truth());
        });
    });
}

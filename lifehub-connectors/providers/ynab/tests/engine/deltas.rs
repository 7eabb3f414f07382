//! Transactions: what changed since YNAB was last asked, however old it is.

use std::time::Duration;

use lifehub_core::engine::{SyncOptions, SyncStore};
use lifehub_testkit::{Account, At, Change, FaultyStore, Setup, StoreFault};

use crate::rig::{DAY, Rig, full, parameter, rig, start, succeeded};

#[tokio::test]
async fn every_call_names_since_date_and_the_knowledge_of_the_one_before() {
    let rig = rig("transactions");
    rig.sync().await;
    rig.equals_truth("transactions");
    let first = rig.asked("/transactions");
    assert_eq!(first, ["since_date=1970-01-01"; 2], "two plans, from nothing");
    let mut before: Option<u64> = None;
    for _ in 0..3 {
        assert!(rig.simulator.change(Change::Edit(3)));
        rig.sync().await;
        rig.equals_truth("transactions");
        let asked = rig.asked("/transactions");
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked.iter().all(|query| parameter(query, "since_date") == Some("1970-01-01")), "{asked:?}");
        let knowledge =
            |query: &String| parameter(query, "last_knowledge_of_server").unwrap().parse().unwrap();
        let latest = asked.iter().map(knowledge).max();
        assert!(latest > before, "{asked:?} after {before:?}");
        before = latest;
    }
    rig.sync_full().await;
    let asked = rig.asked("/transactions");
    assert_eq!(asked.iter().filter(|query| !query.contains("knowledge")).count(), 2, "{asked:?}");
    assert!(asked.iter().all(|query| query.contains("since_date=1970-01-01")), "{asked:?}");
}

#[tokio::test]
async fn a_change_of_a_transaction_of_years_ago_is_found() {
    let rig = Rig::of(&Setup::new(7, start()).items(80).days(1_400).stream("transactions"));
    rig.sync().await;
    rig.equals_truth("transactions");
    let oldest = rig.stored("transactions").values().map(|records| records[0]["day"].to_string()).min();
    assert!(oldest.unwrap().as_str() < "\"2022-09", "most are older than a year");
    for position in [69, 60, 50] {
        assert!(rig.simulator.change(Change::Edit(position)));
        let counts = rig.sync().await;
        assert_eq!((counts.updated, counts.inserted, counts.deleted), (1, 0, 0), "position {position}");
        rig.equals_truth("transactions");
    }
    assert!(rig.simulator.change(Change::AddLate(900 * DAY)));
    assert!(rig.sync().await.inserted > 0);
    rig.equals_truth("transactions");
}

#[tokio::test]
async fn what_ynab_calls_deleted_is_gone_at_once() {
    let rig = rig("transactions");
    rig.sync().await;
    let before = rig.stored("transactions").len();
    // All of a plan but one: no brake, as it is no absence.
    assert!(rig.simulator.change(Change::Delete { from: 0, count: 13 }));
    let counts = rig.sync().await;
    assert!(counts.deleted >= 13 && counts.held == 0, "{counts:?}");
    assert_eq!(rig.stored("transactions").len(), before - 13);
    rig.equals_truth("transactions");
}

#[tokio::test]
async fn a_clipped_answer_deletes_nothing() {
    let rig = Rig::of(&Setup::new(7, start()).items(80).days(1_400).stream("transactions"));
    rig.sync().await;
    rig.simulator.set_clipping(true);
    for _ in 0..2 {
        let counts = rig.sync_full().await;
        assert_eq!((counts.deleted, counts.held), (0, 0), "{counts:?}");
        rig.equals_truth("transactions");
    }
}

#[tokio::test]
async fn what_no_delta_told_is_found_by_a_full_pass() {
    let rig = rig("transactions");
    rig.sync().await;
    assert!(rig.simulator.change(Change::Delete { from: 2, count: 2 }));
    assert!(rig.simulator.change(Change::ExpireCursors));
    let counts = rig.sync().await;
    assert!(counts.deleted >= 2, "{counts:?}");
    rig.equals_truth("transactions");
    let asked = rig.asked("/transactions");
    assert_eq!(asked.iter().filter(|query| !query.contains("knowledge")).count(), 2 + 2, "{asked:?}");
    // The knowledge of the new answers is good.
    assert!(rig.simulator.change(Change::Add));
    assert_eq!(rig.sync().await.inserted, 1);
    rig.equals_truth("transactions");
}

#[tokio::test]
async fn much_that_only_a_full_pass_misses_is_held_until_the_next_agrees() {
    let rig = Rig::of(&Setup::new(7, start()).items(80).stream("transactions"));
    rig.sync().await;
    let before = rig.stored("transactions").len();
    assert!(rig.simulator.change(Change::Delete { from: 1, count: 28 }));
    assert!(rig.simulator.change(Change::ExpireCursors));
    let held = rig.run(&SyncOptions::default()).await.totals();
    assert_eq!((held.deleted, held.held, rig.stored("transactions").len()), (0, 28, before));
    assert!(rig.sync_full().await.deleted >= 28);
    rig.equals_truth("transactions");
}

#[tokio::test]
async fn runs_of_one_page_reach_every_plan_and_stream() {
    let rig = rig("transactions");
    let mut short = SyncOptions::default();
    short.max_pages = 1;
    for _ in 0..12 {
        rig.run(&short).await;
    }
    for stream in ["transactions", "accounts", "categories"] {
        rig.equals_truth(stream);
    }
    assert_eq!(rig.sync().await.inserted, 0);
}

#[tokio::test]
async fn a_live_pass_before_the_first_full_one_is_over_reads_all() {
    let rig = rig("transactions");
    let faulty = FaultyStore::new(rig.store.clone());
    // The first page is committed, its sweep is not.
    faulty.set(StoreFault::Crash(At::BeforeCommit(2)));
    let engine = rig.engine_over(faulty.clone());
    let _ = engine.sync(&rig.connection, &full()).await;
    assert!(faulty.has_crashed());
    faulty.restart().await.unwrap();
    let state = rig.store.resume(&rig.place("transactions")).await.unwrap();
    assert!(state.anchor.is_none() && state.full.is_some_and(|full| full.ended.is_some()));
    assert!(rig.simulator.change(Change::Edit(0)));
    assert!(rig.simulator.change(Change::Delete { from: 1, count: 1 }));
    rig.clock.advance(Duration::from_secs(60));
    succeeded(&rig.engine().sync(&rig.connection, &SyncOptions::default()).await.unwrap());
    rig.equals_truth("transactions");
    assert!(rig.asked("/transactions").iter().all(|query| !query.contains("knowledge")));
    assert_eq!(rig.sync().await.inserted, 0);
    assert!(rig.asked("/transactions").iter().all(|query| query.contains("knowledge")));
}

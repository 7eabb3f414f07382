//! Rule 8: whatever a provider does, a run ends.

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::engine::SyncOptions;
use lifehub_core::page::Coverage;

use crate::rig::{Kind, Rig, days_ago, on_each_store};
use crate::shelf::{Entry, Shelf, Style, page_of};

fn entries(range: std::ops::Range<u64>) -> Vec<Entry> {
    range.map(|i| Entry::new(i, days_ago(i))).collect()
}

on_each_store! {
    #[test]
    async fn rule_8_a_repeated_page_ends_the_partition(kind: Kind) {
        // A provider that ignores the page number.
        let rig = Rig::new(kind, Shelf::new(vec![], Style::default())).await;
        rig.shelf.hook(|_, fetch| Some(Ok(page_of(&entries(0..10), Ok(fetch.page + 1)))));
        let report = rig.sync_with(&SyncOptions::default()).await;
        let error = report.streams[0].error.as_ref().unwrap();
        assert_eq!(error.kind, ErrorKind::Repeated);
        assert!(error.hint.is_some());
        assert!(rig.shelf.world().fetches.len() <= 3);
        assert_eq!(rig.live().await.len(), 10, "what was read is stored");
    }

    #[test]
    async fn rule_8_a_circle_of_cursors_ends_the_partition(kind: Kind) {
        // A, B, A, B, with other items each time.
        let rig = Rig::new(kind, Shelf::new(vec![], Style::default())).await;
        let mut n = 0;
        rig.shelf.hook(move |_, fetch| {
            n += 10;
            Some(Ok(page_of(&entries(n..n + 10), Ok(if fetch.page == 2 { 3 } else { 2 }))))
        });
        let report = rig.sync_with(&SyncOptions::default()).await;
        assert_eq!(report.streams[0].error.as_ref().unwrap().kind, ErrorKind::Repeated);
        assert!(rig.shelf.world().fetches.len() <= 5);
    }

    #[test]
    async fn rule_8_an_empty_page_with_a_new_cursor_is_no_repeat(kind: Kind) {
        let rig = Rig::new(kind, Shelf::new(vec![], Style::default())).await;
        rig.shelf.hook(|_, fetch| {
            let next = if fetch.page < 6 { Ok(fetch.page + 1) } else { Err(Coverage::Whole) };
            let items = if fetch.page == 6 { entries(0..3) } else { vec![] };
            Some(Ok(page_of(&items, next)))
        });
        assert_eq!(rig.sync().await.inserted, 3);
    }

    #[test]
    async fn rule_8_endless_pages_end_with_the_budget_which_is_no_error(kind: Kind) {
        let rig = Rig::new(kind, Shelf::new(vec![], Style::default())).await;
        rig.shelf.hook(|_, fetch| {
            let n = u64::from(fetch.page) * 10;
            Some(Ok(page_of(&entries(n..n + 10), Ok(fetch.page + 1))))
        });
        let mut options = SyncOptions::default();
        options.max_pages = 7;
        let report = rig.sync_with(&options).await;
        assert!(report.streams[0].error.is_none() && !report.streams[0].caught_up);
        assert_eq!(report.totals().pages, 7);
        assert_eq!(rig.shelf.world().fetches.len(), 7, "no page is fetched that could not be committed");
        // And with the time.
        let mut options = SyncOptions::default();
        options.max_time = Duration::from_secs(30);
        let clock = rig.clock.clone();
        rig.shelf.hook(move |_, fetch| {
            clock.advance(Duration::from_secs(10));
            let n = 10_000 + u64::from(fetch.page) * 10;
            Some(Ok(page_of(&entries(n..n + 10), Ok(fetch.page + 1))))
        });
        let report = rig.sync_with(&options).await;
        assert!(report.streams[0].error.is_none() && !report.streams[0].caught_up);
        assert!(report.totals().pages <= 3);
    }

    #[test]
    async fn rule_8_a_cancelled_run_commits_what_it_has(kind: Kind) {
        let rig = Rig::new(kind, Shelf::new(entries(0..45), Style::default())).await;
        let options = SyncOptions::default();
        let cancel = options.cancel.clone();
        rig.shelf.hook(move |_, fetch| {
            if fetch.page == 3 {
                cancel.cancel();
            }
            None
        });
        let report = rig.sync_with(&options).await;
        assert!(report.streams[0].error.is_none() && !report.streams[0].caught_up);
        let committed = rig.live().await.len() as u64;
        assert!(committed == report.totals().inserted && (10..45).contains(&committed), "{committed}");
        rig.sync().await;
        assert_eq!(rig.live().await, rig.truth());
    }
}

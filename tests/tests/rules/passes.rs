//! Rule 3: live before full, look-back, anchors, and what happens when a cursor is refused.

use std::time::Duration;

use lifehub_core::engine::{Dues, PartitionKey, SyncOptions};
use lifehub_core::page::PassKind;
use lifehub_core::{Error, ErrorKind};

use crate::rig::{Kind, Rig, days_ago, on_each_store, start};
use crate::shelf::{DAY, Entry, Shelf, Style, expired, is_live};

fn shelf(count: u64) -> Shelf {
    Shelf::new((0..count).map(|i| Entry::new(i, days_ago(i))).collect(), Style::default())
}

fn pages(max: u64) -> SyncOptions {
    let mut options = SyncOptions::default();
    options.max_pages = max;
    options
}

on_each_store! {
    #[test]
    async fn rule_3_live_is_served_before_a_long_backfill(kind: Kind) {
        let rig = Rig::new(kind, shelf(200)).await;
        let report = rig.sync_with(&pages(2)).await;
        assert!(report.streams[0].error.is_none() && !report.streams[0].caught_up);
        assert_eq!(rig.live().await.len(), 20);
        // The backfill has hardly begun when something new comes.
        rig.shelf.world().entries.push(Entry::new("new", start()));
        rig.shelf.world().fetches.clear();
        rig.sync_with(&pages(5)).await;
        assert!(rig.live().await.contains_key("new"));
        let kinds: Vec<_> = rig.shelf.world().fetches.iter().map(|f| f.pass.kind).collect();
        assert_eq!(kinds[0], PassKind::Live);
        assert_eq!(*kinds.last().unwrap(), PassKind::Full, "the backfill goes on after it: {kinds:?}");
        rig.sync().await;
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_3_runs_too_short_for_both_still_end_the_backfill(kind: Kind) {
        let rig = Rig::new(kind, shelf(90)).await;
        // The look-back holds three pages, and a run reads two.
        let mut runs = 0;
        while !rig.sync_with(&pages(2)).await.streams[0].caught_up {
            runs += 1;
            assert!(runs < 40, "the backfill never ends");
        }
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_3_a_backfill_that_fails_does_not_delay_what_is_new(kind: Kind) {
        let rig = Rig::new(kind, shelf(90)).await;
        rig.sync_with(&pages(2)).await;
        rig.shelf.hook(|_, fetch| (fetch.pass.kind == PassKind::Full).then(|| Err(Error::new(ErrorKind::InvalidResponse, "broken"))));
        for name in ["one", "two", "three"] {
            rig.shelf.world().entries.push(Entry::new(name, start()));
            for _ in 0..3 {
                rig.sync_with(&pages(4)).await;
            }
            assert!(rig.live().await.contains_key(name), "{name} is delayed");
        }
    }

    #[test]
    async fn rule_3_a_pass_is_frozen_at_its_start(kind: Kind) {
        let rig = Rig::new(kind, shelf(60)).await;
        rig.sync_with(&pages(2)).await;
        let begun = rig.shelf.world().fetches[0].pass.clone();
        rig.clock.advance(DAY);
        rig.sync().await;
        let world = rig.shelf.world();
        let full = world.fetches.iter().filter(|f| !is_live(f));
        assert!(full.map(|f| &f.pass).all(|pass| *pass == begun));
    }

    #[test]
    async fn rule_3_every_live_pass_reads_the_look_back_again(kind: Kind) {
        let rig = Rig::new(kind, shelf(60)).await;
        rig.sync().await;
        let first = rig.shelf.world().fetches[0].pass.to;
        rig.shelf.world().fetches.clear();
        rig.clock.advance(DAY);
        rig.shelf.edit(20, |e| e.title = "edited late".into());
        rig.shelf.edit(40, |e| e.title = "edited too late for a live pass".into());
        assert_eq!(rig.sync().await.updated, 1);
        let from = rig.shelf.world().fetches[0].pass.from;
        assert_eq!(from, Some(first - 30 * DAY), "30 days before the last caught-up time");
        // The full pass at its interval finds the rest.
        rig.clock.advance(7 * DAY);
        assert_eq!(rig.sync().await.updated, 1);
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_3_the_cursor_of_a_caught_up_pass_becomes_the_anchor(kind: Kind) {
        let rig = Rig::new(kind, shelf(25)).await;
        rig.sync().await;
        rig.shelf.world().fetches.clear();
        rig.sync().await;
        assert!(rig.shelf.world().fetches[0].from_anchor);
    }

    #[test]
    async fn rule_3_a_refused_cursor_falls_back_and_wipes_nothing(kind: Kind) {
        // A refusal at each page of the first pass, of a live pass, and of every page of it.
        for refused in 1..=5 {
            let rig = Rig::new(kind, shelf(45)).await;
            let mut left = 1;
            rig.shelf.hook(move |_, fetch| {
                (fetch.page == refused && left > 0).then(|| { left -= 1; Err(expired()) })
            });
            if refused == 1 {
                // Nothing is left to fall back to on the first page of all.
                let report = rig.sync_with(&SyncOptions::default()).await;
                assert!(report.streams[0].error.is_some());
            }
            rig.sync().await;
            assert_eq!(rig.live().await, rig.truth(), "page {refused} of the first pass");

            rig.shelf.world().entries.push(Entry::new("new", start()));
            rig.shelf.remove(7);
            let mut left = 1;
            rig.shelf.hook(move |_, fetch| {
                (is_live(&fetch) && fetch.page == refused && left > 0).then(|| { left -= 1; Err(expired()) })
            });
            let counts = rig.sync().await;
            assert_eq!((counts.inserted, counts.deleted), (1, 1), "page {refused} of a live pass");
            assert_eq!(rig.live().await, rig.truth());
        }
    }

    #[test]
    async fn rule_3_a_refused_anchor_leads_to_a_full_pass(kind: Kind) {
        let rig = Rig::new(kind, shelf(45)).await;
        rig.sync().await;
        rig.shelf.remove(44);
        rig.shelf.edit(43, |e| e.title = "edited".into());
        rig.shelf.hook(|_, fetch| fetch.from_anchor.then(|| Err(expired())));
        let before = rig.live().await.len();
        let counts = rig.sync().await;
        assert_eq!((before, counts.inserted, counts.updated, counts.deleted), (45, 0, 1, 1));
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_3_a_cursor_of_another_version_is_no_dead_end(kind: Kind) {
        let rig = Rig::new(kind, shelf(45)).await;
        rig.sync_with(&pages(2)).await;
        // As if an older version had left a cursor of another shape behind.
        let key = PartitionKey { connection: rig.connection.id, stream: "entries".into(), partition: "".into() };
        let mut state = rig.storage.resume(&key).await.unwrap();
        state.full.as_mut().unwrap().cursor = Some(lifehub_core::page::Cursor::new(&"v0").unwrap());
        rewrite_state(&rig, &key, state).await;
        rig.sync().await;
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_3_a_clock_that_jumps_loses_nothing(kind: Kind) {
        let rig = Rig::new(kind, shelf(45)).await;
        rig.sync().await;
        for jump in ["2026-02-28T12:00:00Z", "2026-03-03T12:00:00Z", "2026-03-01T13:00:00Z"] {
            rig.clock.jump_to(jump.parse().unwrap());
            rig.shelf.edit(1, |e| e.title = jump.into());
            rig.shelf.world().entries.push(Entry::new(jump, start()));
            let counts = rig.sync().await;
            assert_eq!((counts.inserted, counts.updated, counts.deleted), (1, 1, 0), "{jump}");
            assert_eq!(rig.live().await, rig.truth(), "{jump}");
        }
    }
}

/// Commits nothing but a state.
async fn rewrite_state(rig: &Rig, key: &PartitionKey, state: lifehub_core::engine::PartitionState) {
    use lifehub_core::engine::{Batch, Claim, Report, RunEntry};
    let Claim::Held(lease) = rig.storage.claim(rig.connection.id).await.unwrap() else { panic!("busy") };
    let run = RunEntry {
        id: lifehub_core::record::RunId::new(start(), &lifehub_core::clock::Rng::seeded(1)),
        epoch: lease.epoch,
        started_at: start(),
        finished_at: None,
        resume_at: None,
        dues: Dues::default(),
        report: Report::new(rig.connection.id, "shelf"),
    };
    let now = start() + Duration::from_secs(1);
    let batch =
        Batch { partition: key.clone(), now, puts: vec![], seen: None, hold: None, taken: None, state, run };
    rig.storage.commit(&lease, batch).await.unwrap();
    rig.storage.release(&lease).await.unwrap();
}

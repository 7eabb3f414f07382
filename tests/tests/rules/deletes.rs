//! Rule 6: what is gone becomes a tombstone; what merely did not come does not.

use lifehub_core::connector::Absence;
use lifehub_core::engine::SyncOptions;
use lifehub_core::page::{Coverage, Item};

use crate::rig::{Kind, Rig, days_ago, on_each_store, start};
use crate::shelf::{DAY, Entry, Shelf, Style, page, page_of};

fn shelf(count: u64, style: Style) -> Shelf {
    Shelf::new((0..count).map(|i| Entry::new(i, days_ago(i))).collect(), style)
}

fn numbered() -> Style {
    Style { absence: Absence::MeansGoneIfConfirmed, ..Style::default() }
}

fn accepting() -> SyncOptions {
    let mut options = SyncOptions::default();
    options.accept_deletes = true;
    options
}

on_each_store! {
    #[test]
    async fn rule_6_what_the_provider_says_is_gone_is_gone_at_once(kind: Kind) {
        let style = Style { absence: Absence::MeansNothing, covers: false, ..Style::default() };
        let rig = Rig::new(kind, shelf(5, style)).await;
        rig.sync().await;
        let id = rig.records().await[3]["id"].clone();
        let items = vec![
            Item::Gone { id: "3".into(), version: None },
            Item::Gone { id: "never seen".into(), version: None },
        ];
        let end = page_of(&[], Err(Coverage::Nothing)).next;
        rig.shelf.world().script.push_back(Ok(page(items, end)));
        let counts = rig.sync().await;
        assert_eq!((counts.deleted, counts.inserted), (1, 0));
        assert_eq!(rig.live().await.len(), 4);
        // It comes back under the id that it had.
        assert_eq!(rig.sync().await.inserted, 1);
        assert_eq!(rig.records().await[3]["id"], id);
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_6_absence_counts_strictly_inside_what_is_covered(kind: Kind) {
        let rig = Rig::new(kind, shelf(60, Style::default())).await;
        rig.sync().await;
        let window = rig.shelf.world().fetches[0].pass.to - 30 * DAY;
        // One at the border of the next live pass's window, one inside, one before it.
        rig.shelf.world().entries.push(Entry::new("border", window));
        rig.sync().await;
        rig.clock.jump_to(start());
        for id in ["border", "10", "50"] {
            rig.shelf.remove(id);
        }
        let from = rig.shelf.world().fetches.last().unwrap().pass.from.unwrap();
        assert!(from >= window);
        let covered = if from > window { vec!["50", "border"] } else { vec!["50"] };
        assert_eq!(rig.sync().await.deleted, 1);
        let live = rig.live().await;
        assert!(!live.contains_key("10") && covered.iter().all(|id| live.contains_key(*id)));
        // A full pass covers everything.
        assert_eq!(rig.sync_full().await.totals().deleted, 2);
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_6_a_pass_that_covers_nothing_deletes_nothing(kind: Kind) {
        let style = Style { absence: Absence::MeansNothing, covers: false, ..Style::default() };
        let rig = Rig::new(kind, shelf(40, style)).await;
        rig.sync().await;
        rig.shelf.world().entries.clear();
        assert_eq!(rig.sync_full().await.totals().deleted, 0);
        assert_eq!(rig.live().await.len(), 40);
    }

    #[test]
    async fn rule_6_a_deletion_while_numbered_pages_are_walked_deletes_nobody_else(kind: Kind) {
        for at_page in 1..=5 {
            let rig = Rig::new(kind, shelf(45, numbered())).await;
            rig.sync().await;
            rig.shelf.world().fetches.clear();
            // Right before a page is served, the newest entry goes: all others move up by one.
            let mut done = false;
            rig.shelf.hook(move |world, fetch| {
                if fetch.page == at_page && !done {
                    done = true;
                    world.entries.retain(|e| e.id.as_deref() != Some("0"));
                }
                None
            });
            let mut deleted = rig.sync_full().await.totals().deleted;
            let live = rig.live().await;
            assert!(rig.truth().keys().all(|id| live.contains_key(id)), "before page {at_page}");
            // If it was read before it went, the next sync finds that out.
            deleted += rig.sync().await.deleted;
            assert_eq!(deleted, 1, "before page {at_page}");
            assert_eq!(rig.live().await, rig.truth(), "before page {at_page}");
        }
    }

    #[test]
    async fn rule_6_one_answer_needs_no_second_walk(kind: Kind) {
        let rig = Rig::new(kind, shelf(8, numbered())).await;
        rig.sync().await;
        rig.shelf.remove(2);
        rig.shelf.world().fetches.clear();
        assert_eq!(rig.sync().await.deleted, 1);
        assert_eq!(rig.shelf.world().fetches.len(), 1);
        // Several answers without a deletion need none either.
        let rig = Rig::new(kind, shelf(25, numbered())).await;
        rig.sync().await;
        rig.shelf.world().fetches.clear();
        rig.sync().await;
        assert_eq!(rig.shelf.world().fetches.len(), 3);
    }

    #[test]
    async fn rule_6_the_brake_holds_until_the_next_complete_pass_agrees(kind: Kind) {
        let rig = Rig::new(kind, shelf(100, Style::default())).await;
        rig.sync().await;
        let all = rig.shelf.world().entries.clone();
        rig.shelf.world().entries.retain(|e| e.at < days_ago(40));
        let report = rig.sync_full().await;
        let totals = report.totals();
        assert_eq!(totals.deleted, 0);
        assert!(totals.held > 25 && !report.streams[0].caught_up, "{totals:?}");
        assert_eq!(rig.live().await.len(), 100);
        // They come back: nothing is held any more, and nothing was lost.
        rig.shelf.world().entries = all;
        let totals = rig.sync_full().await.totals();
        assert_eq!((totals.held, totals.deleted, totals.inserted), (0, 0, 0));
        // They go again: held once more, and the complete pass after that agrees.
        rig.shelf.world().entries.retain(|e| e.at < days_ago(40));
        assert!(rig.sync_full().await.totals().held > 25);
        assert!(rig.sync_full().await.totals().deleted > 25);
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_6_a_sweep_of_everything_is_held(kind: Kind) {
        let rig = Rig::new(kind, shelf(3, Style::default())).await;
        rig.sync().await;
        rig.shelf.world().entries.clear();
        let totals = rig.sync().await;
        assert_eq!((totals.held, totals.deleted), (3, 0));
        assert_eq!(rig.sync().await.deleted, 3);
    }

    #[test]
    async fn rule_6_a_few_deletions_are_not_held(kind: Kind) {
        let rig = Rig::new(kind, shelf(30, Style::default())).await;
        rig.sync().await;
        (0..20).for_each(|id| rig.shelf.remove(id));
        assert_eq!(rig.sync().await.deleted, 20);
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_6_the_user_accepts_a_held_sweep(kind: Kind) {
        let rig = Rig::new(kind, shelf(100, Style::default())).await;
        rig.sync().await;
        rig.shelf.world().entries.retain(|e| e.at < days_ago(60));
        assert_eq!(rig.sync_full().await.totals().deleted, 0);
        // Also what lies outside of the window of the live pass that the user starts.
        let report = rig.sync_with(&accepting()).await;
        assert_eq!(report.totals().deleted, 61);
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_6_what_was_swept_and_comes_back_keeps_its_id(kind: Kind) {
        let rig = Rig::new(kind, shelf(10, Style::default())).await;
        rig.sync().await;
        let before = rig.records().await[4].clone();
        let entry = rig.shelf.world().entries[4].clone();
        rig.shelf.remove(4);
        assert_eq!(rig.sync().await.deleted, 1);
        rig.shelf.world().entries.push(entry);
        assert_eq!(rig.sync().await.inserted, 1);
        let after = rig.records().await[4].clone();
        assert_eq!((&after["id"], &after["deleted"]), (&before["id"], &false.into()));
    }

    #[test]
    async fn rule_6_what_was_swept_comes_back_also_after_the_clock_was_set_back(kind: Kind) {
        let rig = Rig::new(kind, shelf(10, Style::default())).await;
        rig.sync().await;
        let entry = rig.shelf.world().entries[4].clone();
        rig.shelf.remove(4);
        // The clock moves on while the page is fetched, so that the sweep is later than the request.
        let clock = rig.clock.clone();
        rig.shelf.hook(move |_, _| {
            clock.advance(std::time::Duration::from_secs(5));
            None
        });
        assert_eq!(rig.sync().await.deleted, 1);
        rig.clock.jump_to(start() - DAY);
        rig.shelf.world().entries.push(entry);
        assert_eq!(rig.sync().await.inserted, 1);
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn rule_6_what_the_user_deleted_stays_deleted(kind: Kind) {
        let rig = Rig::new(kind, shelf(10, Style::default())).await;
        rig.sync().await;
        let id = rig.records().await[4]["id"].as_str().unwrap().parse().unwrap();
        rig.remove_as_user(id).await;
        rig.shelf.edit(4, |e| e.title = "edited".into());
        let totals = rig.sync_full().await.totals();
        assert_eq!((totals.inserted, totals.updated), (0, 0));
        assert!(!rig.live().await.contains_key("4"));
        // Also after it was gone in between.
        let entry = rig.shelf.world().entries[4].clone();
        rig.shelf.remove(4);
        assert_eq!(rig.sync().await.deleted, 0);
        rig.shelf.world().entries.push(entry);
        assert_eq!(rig.sync().await.inserted, 0);
        assert!(!rig.live().await.contains_key("4"));
    }

    #[test]
    async fn rule_6_what_an_open_live_pass_saw_is_not_swept_by_the_older_full_one(kind: Kind) {
        let rig = Rig::new(kind, shelf(45, Style::default())).await;
        rig.sync().await;
        // A full pass stops after two pages; meanwhile something new comes, and a live pass brings it.
        rig.clock.advance(8 * DAY);
        let mut options = SyncOptions::default();
        options.max_pages = 6;
        rig.sync_with(&options).await;
        rig.shelf.world().entries.push(Entry::new("new", start() - DAY));
        rig.sync().await;
        assert_eq!(rig.live().await, rig.truth());
        assert_eq!(rig.sync().await.deleted, 0);
    }
}

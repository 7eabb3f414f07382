//! When a connection is due again, and that each is worked on by one.

use std::time::Duration;

use lifehub_core::clock::{Clock, Timestamp};
use lifehub_core::engine::{Cancel, Report, RunStatus, SyncEvent, SyncOptions};
use lifehub_core::schedule::{Worker, WorkerOptions};
use lifehub_core::{Error, ErrorKind};
use lifehub_testkit::{At, FaultyStore, StoreFault};

use crate::rig::{Kind, Rig, days_ago, on_each_store, start};
use crate::shelf::{DAY, Entry, Shelf, Style};

const MINUTE: Duration = Duration::from_secs(60);

fn shelf() -> Shelf {
    Shelf::new((0..25).map(|n| Entry::new(n, days_ago(n))).collect(), Style::default())
}

/// Syncs what is due now, as a worker does; the reports.
async fn round(rig: &Rig, options: &SyncOptions) -> Vec<Report> {
    let due = rig.schedule().claim_due(&["shelf"], rig.clock.now(), 10).await.unwrap();
    let mut reports = Vec::new();
    for (connection, lease) in due {
        reports.push(rig.engine().sync_under(&connection, &lease, options).await.unwrap());
    }
    reports
}

fn only_due() -> SyncOptions {
    WorkerOptions::default().sync
}

/// How long it takes until the connection is due, to the second.
async fn wait(rig: &Rig) -> Duration {
    let now = rig.clock.now();
    rig.schedule().next_due(&["shelf"], now).await.unwrap().map_or(Duration::ZERO, |at| at.since(now))
}

/// Moves the clock to the moment at which the connection is due, and shows that it is not due a moment before.
async fn pass(rig: &Rig) {
    let wait = wait(rig).await;
    let moment = Duration::from_millis(1);
    if wait > moment {
        rig.clock.advance(wait - moment);
        assert!(round(rig, &only_due()).await.is_empty(), "nothing is due before its time");
        rig.clock.advance(moment);
    }
}

on_each_store! {
    #[test]
    async fn schedule_a_stream_is_due_at_once_and_then_after_its_interval(kind: Kind) {
        let rig = Rig::new(kind, shelf()).await;
        let mut waits = Vec::new();
        for n in 0..8 {
            let reports = round(&rig, &only_due()).await;
            assert_eq!(reports.len(), 1, "round {n}");
            assert_eq!(reports[0].status, RunStatus::Ok);
            assert_eq!(reports[0].totals().inserted, if n == 0 { 25 } else { 0 });
            let wait = wait(&rig).await;
            assert!(wait >= DAY * 9 / 10 && wait <= DAY * 11 / 10, "{wait:?}");
            waits.push(wait);
            pass(&rig).await;
        }
        waits.dedup();
        assert!(waits.len() > 1, "connections that were made together do not stay together");
    }

    #[test]
    async fn schedule_failures_wait_longer_and_longer_up_to_a_limit(kind: Kind) {
        let rig = Rig::new(kind, shelf()).await;
        rig.shelf.hook(|_, _| Some(Err(Error::new(ErrorKind::Unavailable, "it is down"))));
        for n in 0..12 {
            let reports = round(&rig, &only_due()).await;
            assert_eq!(reports[0].status, RunStatus::Failed, "round {n}");
            let most = (MINUTE * (1 << n)).min(Duration::from_secs(6 * 3600));
            let wait = wait(&rig).await;
            assert!(wait >= most / 2 && wait <= most, "after {} failures: {wait:?}", n + 1);
            pass(&rig).await;
        }
        rig.shelf.world().hook = None;
        assert_eq!(round(&rig, &only_due()).await[0].status, RunStatus::Ok);
        assert!(wait(&rig).await >= DAY * 9 / 10, "a success ends it");
    }

    #[test]
    async fn schedule_a_store_that_was_away_is_made_up_for_at_once(kind: Kind) {
        // It was restarted, say: no reason to leave the provider alone.
        let rig = Rig::new(kind, shelf()).await;
        let store = FaultyStore::new(rig.storage.clone());
        let faulty = rig.with_storage(store.clone());
        for _ in 0..2 {
            let due = rig.schedule().claim_due(&["shelf"], rig.clock.now(), 10).await.unwrap();
            let (connection, lease) = &due[0];
            store.set(StoreFault::Fails(At::BeforeCommit(1)));
            let report = faulty.engine().sync_under(connection, lease, &only_due()).await.unwrap();
            assert_eq!(report.streams[0].error.as_ref().map(|error| error.kind), Some(ErrorKind::Storage));
            assert!(wait(&rig).await.is_zero(), "it is due at once");
        }
        store.set(StoreFault::None);
        assert_eq!(round(&rig, &only_due()).await[0].status, RunStatus::Ok);
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn schedule_parked_work_goes_on_when_the_provider_said(kind: Kind) {
        let rig = Rig::new(kind, shelf()).await;
        let resume: Timestamp = start() + Duration::from_secs(3 * 3600);
        rig.shelf.hook(move |_, fetch| {
            let parked = Error::new(ErrorKind::Parked, "the quota is spent").at(resume);
            (fetch.page == 2).then_some(Err(parked))
        });
        assert_eq!(round(&rig, &only_due()).await[0].status, RunStatus::Parked);
        assert_eq!(rig.clock.now() + wait(&rig).await, resume);
        pass(&rig).await;
        rig.shelf.world().hook = None;
        let reports = round(&rig, &only_due()).await;
        assert_eq!((reports[0].status, reports[0].totals().inserted), (RunStatus::Ok, 15));
    }

    #[test]
    async fn schedule_a_long_history_goes_on_at_once_but_behind_others(kind: Kind) {
        let rig = Rig::new(kind, shelf()).await;
        let mut options = only_due();
        options.max_pages = 1;
        for n in 1.. {
            assert!(n < 20, "it comes to its end");
            let reports = round(&rig, &options).await;
            assert_eq!(reports[0].totals().pages, 1);
            let ended = reports[0].status == RunStatus::Ok;
            assert_eq!(wait(&rig).await.is_zero(), !ended, "it goes on at once until it is at its end");
            if ended {
                break;
            }
        }
        assert_eq!(rig.live().await, rig.truth());
    }

    #[test]
    async fn schedule_refused_credentials_are_tried_once_a_day(kind: Kind) {
        let rig = Rig::new(kind, shelf()).await;
        rig.shelf.hook(|_, _| Some(Err(Error::new(ErrorKind::Unauthorized, "no"))));
        for _ in 0..3 {
            assert_eq!(round(&rig, &only_due()).await.len(), 1);
            assert_eq!(wait(&rig).await, DAY);
            pass(&rig).await;
        }
    }

    #[test]
    async fn schedule_a_run_that_takes_its_process_down_is_not_tried_for_ever(kind: Kind) {
        let rig = Rig::new(kind, shelf()).await;
        for broken in 1..=6 {
            let due = rig.schedule().claim_due(&["shelf"], rig.clock.now(), 10).await.unwrap();
            let (connection, lease) = &due[0];
            // From the first page on nothing reaches the store, as after the end of a process.
            let store = FaultyStore::new(rig.storage.clone());
            store.set(StoreFault::Crash(At::BeforeCommit(1)));
            let cut = rig.with_storage(store);
            let run = cut.engine().sync_under(connection, lease, &only_due()).await;
            assert!(run.is_err() || run.is_ok_and(|report| report.status == RunStatus::Failed));
            rig.storage.release(lease).await.unwrap();
            let wait = wait(&rig).await;
            match broken {
                0..=3 => assert!(wait.is_zero(), "it may be the process's fault: {wait:?}"),
                n => assert!(wait >= MINUTE * (1 << (n - 4)) / 2, "after {n}: {wait:?}"),
            }
            pass(&rig).await;
        }
        assert_eq!(round(&rig, &only_due()).await[0].status, RunStatus::Ok);
    }

    #[test]
    async fn schedule_a_sync_by_hand_takes_all_and_moves_the_next_run(kind: Kind) {
        let rig = Rig::new(kind, shelf()).await;
        round(&rig, &only_due()).await;
        rig.clock.advance(DAY / 2);
        assert_eq!(rig.sync_with(&SyncOptions::default()).await.totals().unchanged, 25);
        assert!(wait(&rig).await >= DAY * 9 / 10);
    }

    #[test]
    async fn schedule_a_worker_works_until_it_is_asked_to_stop(kind: Kind) {
        let rig = Rig::new(kind, shelf()).await;
        let mut options = WorkerOptions::default();
        options.poll = Duration::from_millis(1);
        let engine = rig.engine();
        let mut events = engine.events();
        let worker = Worker::new(engine, rig.schedule(), options);
        let cancel = Cancel::default();
        let asked = cancel.clone();
        let working = tokio::spawn(async move { worker.run(&asked).await });
        for n in 0..3 {
            let report = loop {
                if let SyncEvent::Finished { report } = events.recv().await.unwrap() {
                    break report;
                }
            };
            assert_eq!(report.totals().inserted, if n == 0 { 25 } else { 0 });
            rig.clock.advance(2 * DAY);
        }
        cancel.cancel();
        working.await.unwrap();
        assert_eq!(rig.live().await, rig.truth());
    }
}

//! Cursors that are refused, and walks that would never end.

use lifehub_core::clock::Rng;
use lifehub_core::engine::{Batch, Claim, Dues, PartitionKey, PartitionState, Report, RunEntry, SyncOptions};
use lifehub_core::page::Cursor;
use lifehub_core::record::RunId;

use super::wire::first_error;
use crate::account::Change;
use crate::fault::{Fault, FaultPlan};
use crate::suite::connector::rig::{Rig, at_most, no_error};
use crate::suite::connector::{Subject, start};
use crate::suite::{Failure, Outcome, Verdict, ensure};

/// Cursors as another version of a connector, or another program, may have left them.
const FOREIGN: [&str; 6] =
    ["null", "{}", "17", "\"next\"", "[1,2]", "{\"page\":\"two\",\"path\":7,\"from\":[]}"];

pub(in super::super) async fn expired_cursor_falls_back(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            let rig = Rig::new(subject, setup)?;
            let pages = rig.sync().await?.pages;
            for stop in 1..=pages {
                for foreign in FOREIGN {
                    let rig = Rig::new(subject, setup)?;
                    no_error(&rig.run(&at_most(stop)).await?)?;
                    replace_cursors(&rig, foreign).await?;
                    falls_back(&rig)
                        .await
                        .map_err(|f| f.when(format!("after page {stop}, cursor {foreign}")))?;
                }
                let rig = Rig::new(subject, setup)?;
                no_error(&rig.run(&at_most(stop)).await?)?;
                if rig.simulator.change(Change::ExpireCursors) {
                    falls_back(&rig)
                        .await
                        .map_err(|f| f.when(format!("after page {stop}, refused by the provider")))?;
                }
            }
            Ok(Outcome::Passed)
        })
        .await
}

async fn falls_back(rig: &Rig<'_>) -> Result<(), Failure> {
    let counts = rig.sync().await?;
    ensure!(counts.deleted == 0, "something was deleted: {counts:?}");
    rig.equals_truth()
}

/// Rewrites every stored cursor.
async fn replace_cursors(rig: &Rig<'_>, text: &str) -> Result<(), Failure> {
    let cursor = Cursor::from_store(text.to_owned());
    for key in rig.partitions().await? {
        let mut state = rig.storage().resume(&key).await?;
        if let Some(anchor) = &mut state.anchor {
            anchor.cursor = cursor.clone();
        }
        for scan in [&mut state.live, &mut state.full].into_iter().flatten() {
            // A scan that is at its end reads no more.
            if scan.ended.is_none() {
                scan.cursor = scan.cursor.as_ref().map(|_| cursor.clone());
                scan.start = scan.start.as_ref().map(|_| cursor.clone());
            }
        }
        rewrite(rig, key, state).await?;
    }
    Ok(())
}

/// Commits nothing but a state.
async fn rewrite(rig: &Rig<'_>, partition: PartitionKey, state: PartitionState) -> Result<(), Failure> {
    let storage = rig.storage();
    let Claim::Held(lease) = storage.claim(rig.connection.id).await? else {
        return Err(Failure::new("a finished run still holds its lease"));
    };
    let now = rig.clock_now();
    let run = RunEntry {
        id: RunId::new(start(), &Rng::seeded(1)),
        epoch: lease.epoch,
        started_at: now,
        finished_at: None,
        resume_at: None,
        dues: Dues::default(),
        report: Report::new(rig.connection.id, &rig.connection.provider),
    };
    storage
        .commit(
            &lease,
            Batch { partition, now, puts: vec![], seen: None, hold: None, taken: None, state, run },
        )
        .await?;
    Ok(storage.release(&lease).await?)
}

pub(in super::super) async fn repeated_page_ends_it(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            let rig = Rig::new(subject, setup)?;
            let pages = rig.sync().await?.pages;
            let requests = rig.server.request_count();
            if pages < 3 {
                return Ok(Outcome::NotApplicable("it reads too few pages for one to be repeated"));
            }
            let paths: Vec<String> =
                rig.server.take_requests().into_iter().map(|request| request.path).collect();
            for k in 2..=requests {
                // At another path it is no page that repeats, but another list that looks like it.
                let place = usize::try_from(k).unwrap_or(0);
                if paths.get(place - 1) != paths.get(place - 2) {
                    continue;
                }
                let rig = Rig::new(subject, setup)?;
                rig.faults(Some(FaultPlan::none().from(k, Fault::Repeat)));
                let report = rig.run(&at_most(10 * pages)).await?;
                let when = format!("the same page from request {k} on");
                let sent = rig.server.request_count();
                if sent > requests + 12 {
                    return Err(Failure::new(format!("{sent} requests were sent")).when(when));
                }
                if first_error(&report).is_none() {
                    return Err(Failure::new(format!("nobody was told: {:?}", report.totals())).when(when));
                }
                rig.faults(None);
                rig.sync_full().await.map_err(|f| f.when(format!("once it was over: {when}")))?;
                rig.equals_truth().map_err(|f| f.when(format!("once it was over: {when}")))?;
            }
            Ok(Outcome::Passed)
        })
        .await
}

/// How many pages a run of the budget case may read.
const BUDGET: u64 = 3;

pub(in super::super) async fn endless_pages_end_with_the_budget(subject: &Subject) -> Verdict {
    subject.each_stream(async |setup| {
    let setup = setup.clone().items(60).page(3);
    let rig = Rig::new(subject, &setup)?;
    rig.run(&SyncOptions::default()).await?;
    let requests = rig.server.request_count();
    let rig = Rig::new(subject, &setup)?;
    let report = rig.run(&at_most(BUDGET)).await?;
    no_error(&report)?;
    let sent = rig.server.request_count();
    // A few requests a page, and what is asked besides; never all of them.
    if requests > 4 * (BUDGET + 1) {
        ensure!(
            sent <= requests / 2,
            "a run of at most {BUDGET} pages sent {sent} of the {requests} requests that reading everything takes"
        );
    }
    let pages = report.totals().pages;
    ensure!(pages <= BUDGET, "a run of at most {BUDGET} pages committed {pages}");
    rig.sync_in_steps(BUDGET).await?;
    rig.equals_truth()?;
    Ok(Outcome::Passed)
    }).await
}

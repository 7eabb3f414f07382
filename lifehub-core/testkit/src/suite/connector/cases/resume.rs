//! Reading everything, however often it is interrupted.

use lifehub_core::engine::{Counts, SyncOptions};

use crate::account::Setup;
use crate::fault::{Fault, FaultPlan};
use crate::faulty_store::{At, FaultyStore, StoreFault};
use crate::suite::connector::rig::Rig;
use crate::suite::connector::{Subject, start};
use crate::suite::{Failure, Outcome, Verdict, ensure};

pub(in super::super) async fn first_sync_equals_the_truth(subject: &Subject) -> Verdict {
    let (rig, _) = Rig::synced(subject, &subject.small()).await?;
    ensure!(
        !rig.simulator.truth().is_empty(),
        "the simulated account is empty: nothing can be shown with it"
    );
    rig.equals_truth()?;
    Ok(Outcome::Passed)
}

pub(in super::super) async fn sync_twice_changes_nothing(subject: &Subject) -> Verdict {
    let plain = Rig::new(subject, &subject.small())?;
    let counting = FaultyStore::new(plain.storage());
    let rig = plain.with_storage(|_| counting.clone());
    rig.sync().await?;
    let before = rig.stored();
    counting.take();
    for (which, full) in [("second", false), ("third, full", true)] {
        let counts = if full { rig.sync_full().await? } else { rig.sync().await? };
        ensure!(is_quiet(counts), "the {which} sync changed something: {counts:?}");
        let written = counting.take().puts;
        ensure!(written == 0, "the {which} sync wrote {written} items, and nothing had changed");
        ensure!(rig.stored() == before, "the {which} sync changed what is stored, and did not count it");
    }
    Ok(Outcome::Passed)
}

fn is_quiet(counts: Counts) -> bool {
    (counts.inserted, counts.updated, counts.deleted) == (0, 0, 0)
}

/// What an undisturbed sync of the small setup stores, and in how many pages.
async fn undisturbed(subject: &Subject) -> Result<(Vec<String>, u64), Failure> {
    let rig = Rig::new(subject, &subject.small())?;
    let pages = rig.sync().await?.pages;
    Ok((rig.stored().content(), pages))
}

pub(in super::super) async fn every_cursor_resumes(subject: &Subject) -> Verdict {
    let (whole, pages) = undisturbed(subject).await?;
    // All of a few, and ever fewer of many: each stop takes a walk through everything.
    let stops = (1..=pages).filter(|stop| *stop <= 5 || stop.is_power_of_two() || *stop == pages);
    for stop in stops {
        let rig = Rig::new(subject, &subject.small())?;
        rig.sync_in_steps(stop).await.map_err(|f| f.when(format!("in runs of {stop} pages")))?;
        ensure!(rig.stored().content() == whole, "runs of {stop} pages do not end equal to one run");
        rig.equals_truth().map_err(|f| f.when(format!("in runs of {stop} pages")))?;
        let server = rig.server.url();
        let host = server.trim_start_matches("http://");
        for cursor in rig.cursors().await? {
            let text = cursor.as_str();
            ensure!(!text.contains("://") && !text.contains(host), "a cursor holds a host: {text}");
            let secret = rig.secrets().into_iter().any(|secret| text.contains(&secret));
            ensure!(!secret, "a cursor holds a secret");
        }
    }
    Ok(Outcome::Passed)
}

pub(in super::super) async fn crash_before_each_commit(subject: &Subject) -> Verdict {
    crash_at_each_commit(subject, At::BeforeCommit).await
}

pub(in super::super) async fn crash_after_each_commit(subject: &Subject) -> Verdict {
    crash_at_each_commit(subject, At::AfterCommit).await
}

async fn crash_at_each_commit(subject: &Subject, at: fn(u64) -> At) -> Verdict {
    let (whole, pages) = undisturbed(subject).await?;
    for k in 1..=pages {
        let plain = Rig::new(subject, &subject.small())?;
        let faulty = FaultyStore::new(plain.storage());
        let rig = plain.with_storage(|_| faulty.clone());
        faulty.set(StoreFault::Crash(at(k)));
        // The run fails or its stream does, as the crash falls; what counts is what comes after.
        let _ = rig.run(&SyncOptions::default()).await;
        ensure!(faulty.has_crashed(), "there was no commit {k} to crash at");
        faulty.restart().await?;
        rig.sync().await.map_err(|f| f.when(format!("after a crash at commit {k}")))?;
        rig.equals_truth().map_err(|f| f.when(format!("after a crash at commit {k}")))?;
        ensure!(rig.stored().content() == whole, "after a crash at commit {k} the store is another");
    }
    Ok(Outcome::Passed)
}

pub(in super::super) async fn two_years_are_complete(subject: &Subject) -> Verdict {
    let rig = Rig::new(subject, &Setup::new(11, start()))?;
    let faults = [
        Fault::RetryAfterSeconds(1),
        Fault::RetryAfterDate(1),
        Fault::Unavailable,
        Fault::ServerError,
        Fault::ResetBefore,
        Fault::Reset,
        Fault::CutBody,
        Fault::ShortBody,
    ];
    rig.faults(Some(FaultPlan::share(11, 0.2).of(faults)));
    let first = rig.sync().await?;
    rig.equals_truth()?;
    let facts = rig.simulator.truth().len();
    ensure!(facts >= 50, "the simulator's two years hold {facts} items: too few to show anything");
    ensure!(first.inserted > 0, "nothing was inserted");
    let second = rig.sync().await?;
    ensure!(is_quiet(second), "the second sync changed something: {second:?}");
    Ok(Outcome::Passed)
}

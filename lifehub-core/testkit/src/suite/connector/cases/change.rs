//! What changes at the provider, and how it is found.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::connector::Absence;
use lifehub_core::engine::SyncOptions;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};

use crate::account::{Change, Setup};
use crate::suite::connector::Subject;
use crate::suite::connector::rig::{Rig, full};
use crate::suite::{Failure, Outcome, Verdict, ensure};

const DAY: Duration = Duration::from_secs(86_400);

pub(in super::super) async fn new_item_is_found(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            let (rig, _) = Rig::synced(subject, setup).await?;
            for _ in 0..3 {
                if !rig.simulator.change(Change::Add) {
                    return Ok(Outcome::NotApplicable("nobody adds items at this provider"));
                }
                let counts = rig.sync().await?;
                ensure!(counts.inserted > 0, "a new item was not inserted: {counts:?}");
                rig.equals_truth()?;
            }
            Ok(Outcome::Passed)
        })
        .await
}

pub(in super::super) async fn late_edit_is_found(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            let (rig, _) = Rig::synced(subject, setup).await?;
            for position in [0, 1, 2] {
                let before = rig.stored();
                if !rig.simulator.change(Change::Edit(position)) {
                    // A short list has fewer.
                    let outcome = Outcome::NotApplicable("nobody edits items at this provider");
                    return Ok(if position == 0 { outcome } else { Outcome::Passed });
                }
                let counts = rig.sync().await?;
                ensure!(counts.updated > 0, "the edit at position {position} was not found: {counts:?}");
                rig.equals_truth()?;
                let ids = |records: &[serde_json::Value]| -> BTreeSet<String> {
                    records.iter().map(|record| record["id"].to_string()).collect()
                };
                let after = rig.stored();
                let kept = ids(&before.records).is_subset(&ids(&after.records));
                ensure!(kept && counts.inserted == 0, "an edited record did not keep its id: {counts:?}");
            }
            Ok(Outcome::Passed)
        })
        .await
}

pub(in super::super) async fn late_arrival_is_found(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            let (rig, _) = Rig::synced(subject, setup).await?;
            for age in [DAY, 3 * DAY, 5 * DAY] {
                if !rig.simulator.change(Change::AddLate(age)) {
                    return Ok(Outcome::NotApplicable("nothing arrives late at this provider"));
                }
                let counts = rig.sync().await?;
                let days = age.as_secs() / DAY.as_secs();
                ensure!(
                    counts.inserted > 0,
                    "an item that is {days} days old on arrival was not found: {counts:?}"
                );
                rig.equals_truth()?;
            }
            Ok(Outcome::Passed)
        })
        .await
}

const NO_DELETION: Outcome = Outcome::NotApplicable("nobody deletes items at this provider");

pub(in super::super) async fn deletion_is_found(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            let (rig, _) = Rig::synced(subject, setup).await?;
            // In the middle of what the look-back holds: borders cover nothing.
            if !rig.simulator.change(Change::Delete { from: 1, count: 2 }) {
                return Ok(NO_DELETION);
            }
            let counts = rig.sync().await?;
            ensure!(
                counts.deleted > 0,
                "two items are gone at the provider, and nothing was deleted: {counts:?}"
            );
            rig.equals_truth()?;
            Ok(Outcome::Passed)
        })
        .await
}

/// How many worlds the property test tries, over all streams.
const TIE_CASES: u32 = 12;

pub(in super::super) async fn ties_lose_nothing(subject: &Subject) -> Verdict {
    let streams = (subject.connector)().manifest().streams.len();
    let cases = (TIE_CASES / u32::try_from(streams).unwrap_or(TIE_CASES).max(1)).max(3);
    subject.each_stream(async |setup| tied(subject, setup, cases)).await
}

fn tied(subject: &Subject, small: &Setup, cases: u32) -> Verdict {
    let seed = [7; 32];
    let rng = TestRng::from_seed(Config::default().rng_algorithm, &seed);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    // Up to four pages of one instant.
    let worlds = (1_usize..=10, 0_usize..=40, 0_usize..=10, any::<bool>());
    // proptest calls a plain function, so every world has a runtime of its own, on a thread that may block.
    let tried = std::thread::scope(|scope| {
        let worlds = scope.spawn(|| {
            runner.run(&worlds, |(page, ties, rest, in_steps)| {
                let setup = small.clone().items(ties + rest + 1).ties(ties).page(page);
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let world = runtime
                    .map_err(Failure::from)
                    .and_then(|runtime| runtime.block_on(one_world(subject, &setup, in_steps)));
                let steps = if in_steps { ", in short runs" } else { "" };
                let what = format!("{ties} ties and {} others, {page} a page{steps}", rest + 1);
                world.map_err(|failure| TestCaseError::fail(failure.when(what).to_string()))
            })
        });
        worlds.join()
    });
    match tried {
        Ok(Ok(())) => Ok(Outcome::Passed),
        Ok(Err(error)) => Err(Failure::new(error.to_string())),
        Err(_) => Err(Failure::new("a world panicked")),
    }
}

async fn one_world(subject: &Subject, setup: &Setup, in_steps: bool) -> Result<(), Failure> {
    let rig = Rig::new(subject, setup)?;
    if in_steps {
        // A page a run; longer lists in a few more, as every run reads the look-back anew.
        let pages = (setup.items.unwrap_or(0) / setup.page.unwrap_or(1)) as u64;
        rig.sync_in_steps(1 + pages / 8).await?;
    } else {
        rig.sync().await?;
    }
    rig.equals_truth()?;
    // Once more over the same ties, now with an anchor.
    rig.sync().await?;
    rig.equals_truth()
}

pub(in super::super) async fn deletion_during_a_walk_deletes_nobody_else(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            for options in [SyncOptions::default(), full()] {
                let (rig, _) = Rig::synced(subject, setup).await?;
                if !rig.simulator.change(Change::Delete { from: 3, count: 1 }) {
                    return Ok(NO_DELETION);
                }
                let before = rig.server.request_count();
                rig.run(&options).await?;
                for k in 0..rig.server.request_count() - before {
                    one_goes(subject, setup, &options, k).await.map_err(|f| {
                        f.when(format!(
                            "an item goes at request {} of a {} pass",
                            k + 1,
                            if options.full { "full" } else { "live" }
                        ))
                    })?;
                }
            }
            Ok(Outcome::Passed)
        })
        .await
}

/// The newest item goes right after request `k` of a sync.
async fn one_goes(subject: &Subject, setup: &Setup, options: &SyncOptions, k: u64) -> Result<(), Failure> {
    let (rig, _) = Rig::synced(subject, setup).await?;
    // As in the run that was counted: what is missing takes a second walk in which the newest may go, too.
    rig.simulator.change(Change::Delete { from: 3, count: 1 });
    let account = rig.simulator.clone();
    rig.server.after(k, move || {
        account.change(Change::Delete { from: 0, count: 1 });
    });
    let report = rig.run(options).await?;
    let live: BTreeSet<String> = rig.stored().live().into_keys().map(|(_, _, id)| id).collect();
    // What yields no record is not to be seen either way.
    for fact in rig.truth().into_iter().filter(|fact| fact.records.as_ref().is_none_or(|all| !all.is_empty()))
    {
        let id = fact.id.unwrap_or_default();
        ensure!(live.contains(&id), "{id}, which stayed, was deleted: {:?}", report.totals());
    }
    // A walk that was disturbed at its very end is confirmed by another one.
    rig.sync_full().await?;
    rig.sync_full().await?;
    rig.equals_truth()
}

pub(in super::super) async fn brake_holds_and_releases(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| match braked(subject, setup, false).await {
            // A look-back may take too few of the newest to be held, before a full pass sees them all.
            Err(_) => braked(subject, setup, true).await,
            verdict => verdict,
        })
        .await
}

/// Many of the newest go at once, or of the oldest.
async fn braked(subject: &Subject, setup: &Setup, oldest: bool) -> Verdict {
    let rig = Rig::new(subject, &setup.clone().days(60).items(70).page(25))?;
    rig.sync().await?;
    let before = rig.stored();
    let items = before.live().len();
    let count = (items * 2 / 5).max(25);
    if items <= count + 2 {
        return Ok(Outcome::NotApplicable("its list is too short for the brake"));
    }
    let from = if oldest { items - count - 1 } else { 1 };
    if !rig.simulator.change(Change::Delete { from, count }) {
        return Ok(NO_DELETION);
    }
    // Nor does a token that tells what is gone: what it told is no guess.
    rig.simulator.change(Change::ExpireCursors);
    let connector = rig.connector();
    let stream = connector.manifest().stream(&setup.stream);
    if stream.is_none_or(|stream| stream.absence == Absence::MeansNothing) {
        return Ok(Outcome::NotApplicable("the provider itself says what is gone"));
    }
    let report = rig.run(&full()).await?;
    let held = report.totals();
    ensure!(
        held.deleted == 0 && held.held >= count as u64,
        "{count} of {items} items went at once, and the sweep was not held: {held:?}"
    );
    ensure!(rig.stored().live().len() == items, "a held sweep deleted something");
    let counts = rig.sync_full().await.map_err(|f| f.when("the next complete pass agrees"))?;
    ensure!(counts.deleted > 0, "the next complete pass agrees, and the sweep is still held: {counts:?}");
    rig.equals_truth()?;
    Ok(Outcome::Passed)
}

pub(in super::super) async fn older_observation_does_not_overwrite(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            let (rig, _) = Rig::synced(subject, setup).await?;
            for edit in 1..=4 {
                if !rig.simulator.change(Change::Edit(1)) {
                    return Ok(Outcome::NotApplicable("nobody edits items at this provider"));
                }
                rig.sync().await?;
                rig.equals_truth().map_err(|f| f.when(format!("edit {edit} of the same item")))?;
            }
            // From here on the provider's answers are those of a copy that has not heard of the latest edit.
            let account: &Arc<_> = &rig.simulator;
            if !account.change(Change::Stale(true)) {
                return Ok(Outcome::Passed);
            }
            rig.sync_full().await?;
            rig.equals_truth().map_err(|f| f.when("an answer from a copy that lags behind"))?;
            account.change(Change::Stale(false));
            let counts = rig.sync_full().await?;
            rig.equals_truth().map_err(|f| f.when("after the copy has caught up"))?;
            ensure!(counts.updated == 0, "the copy caught up, and something changed: {counts:?}");
            Ok(Outcome::Passed)
        })
        .await
}

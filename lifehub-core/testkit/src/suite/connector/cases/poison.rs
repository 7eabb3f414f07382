//! Items that cannot be read, and normalizers that learn to read them.

use std::collections::BTreeSet;
use std::sync::Arc;

use lifehub_core::engine::SyncOptions;
use serde_json::Value;

use crate::account::{Change, Fact};
use crate::suite::connector::Subject;
use crate::suite::connector::rig::{Rig, caught_up};
use crate::suite::connector::wrapped::Wrapped;
use crate::suite::{Outcome, Verdict, ensure};

/// A page and a bit.
const POSITIONS: usize = 10;

pub(in super::super) async fn item_without_id_is_kept(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            for position in 0..POSITIONS {
                let rig = Rig::new(subject, setup)?;
                if !rig.simulator.change(Change::TakeId(position)) {
                    let outcome = Outcome::NotApplicable("items have no id of their own at this provider");
                    return Ok(if position == 0 { outcome } else { Outcome::Passed });
                }
                rig.sync().await.map_err(|f| f.when(format!("no id at position {position}")))?;
                rig.equals_truth().map_err(|f| f.when(format!("no id at position {position}")))?;
            }
            Ok(Outcome::Passed)
        })
        .await
}

pub(in super::super) async fn poison_blocks_nobody(subject: &Subject) -> Verdict {
    subject
        .each_stream(async |setup| {
            for position in 0..POSITIONS {
                let rig = Rig::new(subject, setup)?;
                if !rig.simulator.change(Change::Poison(position)) {
                    let outcome = Outcome::NotApplicable("this provider's simulator cannot break an item");
                    return Ok(if position == 0 { outcome } else { Outcome::Passed });
                }
                let when = format!("poison at position {position}");
                let counts = rig.sync().await.map_err(|f| f.when(&when))?;
                ensure!(counts.quarantined == 1, "{when}: {} items are in quarantine", counts.quarantined);
                rig.equals_truth().map_err(|f| f.when(&when))?;
                rig.simulator.change(Change::Heal);
                rig.sync_full().await.map_err(|f| f.when(format!("healed: {when}")))?;
                rig.equals_truth().map_err(|f| f.when(format!("healed: {when}")))?;
                let left = rig.stored().quarantine;
                ensure!(left.is_empty(), "{when}: healed, and still in quarantine: {left:?}");
            }
            Ok(Outcome::Passed)
        })
        .await
}

pub(in super::super) async fn new_version_retries_quarantine(subject: &Subject) -> Verdict {
    // Some facts are those of a moment: the books have them once somebody asked.
    let (asked, _) = Rig::synced(subject, &subject.small()).await?;
    let truth = asked.simulator.truth();
    let rig = Rig::new(subject, &subject.small())?;
    let names: Vec<String> = truth.iter().filter_map(|fact| fact.id.clone()).collect();
    let refused: BTreeSet<String> = [0, names.len() / 2, names.len().saturating_sub(1)]
        .iter()
        .filter_map(|i| names.get(*i).cloned())
        .collect();
    let old = Arc::new(Wrapped::before(rig.connector(), &refused));
    let engine = rig.engine_of(old);
    caught_up(engine.sync(&rig.connection, &SyncOptions::default()).await?)?;
    let without: Vec<Fact> = truth
        .into_iter()
        .map(|fact| match fact.id.as_ref().is_some_and(|id| refused.contains(id)) {
            true => Fact { records: None, ..fact },
            false => fact,
        })
        .collect();
    let before = rig.stored();
    before.equals(&without).map_err(|f| f.when("under the version that refuses three items"))?;

    // A new process, the fixed connector, and no network.
    let counts = rig.replay(Arc::new(Wrapped::after(rig.connector()))).await?;
    rig.equals_truth().map_err(|f| f.when("after the replay under a new version"))?;
    ensure!(counts.inserted > 0, "the replay inserted nothing: {counts:?}");
    let after: BTreeSet<String> = rig.stored().records.iter().map(Value::to_string).collect();
    let moved = before.records.iter().find(|record| !after.contains(&record.to_string()));
    ensure!(moved.is_none(), "a record of an item that was fine changed: {}", moved.unwrap_or(&Value::Null));
    Ok(Outcome::Passed)
}

pub(in super::super) async fn replay_gives_equal_records(subject: &Subject) -> Verdict {
    let (rig, _) = Rig::synced(subject, &subject.small()).await?;
    let before = rig.stored();
    let counts = rig.replay(rig.connector()).await?;
    ensure!(
        (counts.inserted, counts.updated, counts.deleted) == (0, 0, 0),
        "a replay of what is stored changed records: {counts:?}"
    );
    ensure!(rig.stored() == before, "a replay changed what is stored, and did not count it");
    Ok(Outcome::Passed)
}

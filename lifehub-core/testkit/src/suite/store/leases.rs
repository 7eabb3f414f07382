//! Rule 10: leases with fencing.

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::engine::{Claim, Lease};

use super::world::{Check, World, claim, equal, refused, workout};
use super::{Outcome, Subject, Verdict};

const NEVER_RUN_OUT: Outcome = Outcome::NotApplicable("its leases do not run out");

/// Somewhat more than a term, and somewhat less.
fn more_and_less(term: Duration) -> (Duration, Duration) {
    (term + Duration::from_secs(1), term * 2 / 3)
}

/// Everything that a lease permits is refused, and nothing changes.
async fn assert_lost(world: &World, lease: &Lease, what: &str) -> Check<()> {
    let before = world.snapshot(&["a", "late"]).await?;
    let mut batch = world.batch(vec![world.new_item("late", workout(0, 1.0))]);
    batch.state.generation = 99;
    batch.run.epoch = lease.epoch;
    let run = batch.run.clone();
    let lost = ErrorKind::LeaseLost;
    refused(
        world.storage.commit(lease, batch).await,
        lost,
        format!("a commit under a lease that was {what}"),
    )?;
    refused(
        world.storage.record(lease, &run).await,
        lost,
        format!("a ledger entry under a lease that was {what}"),
    )?;
    refused(world.storage.renew(lease).await, lost, format!("renewing a lease that was {what}"))?;
    world.unchanged(&["a", "late"], &before, format!("a late write under a lease that was {what}")).await
}

/// Who claims second is told under which epoch the first works; a lease given back is free.
pub(super) async fn a_connection_is_held_by_one(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let epoch = world.lease.epoch;
    for _ in 0..2 {
        let second = world.storage.claim(world.connection.id).await?;
        equal(second, Claim::Busy { epoch }, "a claim of a connection that is held")?;
    }
    world.storage.renew(&world.lease).await?;
    let other = world.beside(world.user, "two").await?;
    world.storage.release(&world.lease).await?;
    claim(&*world.storage, &world.connection).await?;
    other.storage.renew(&other.lease).await?;
    Ok(Outcome::Passed)
}

/// Every claim has a higher epoch than the one before.
pub(super) async fn epochs_only_rise(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let mut last = world.lease.clone();
    for _ in 0..5 {
        world.storage.release(&last).await?;
        let next = claim(&*world.storage, &world.connection).await?;
        equal(next.epoch > last.epoch, true, format!("whether the epoch after {} is higher", last.epoch))?;
        equal(next.connection, world.connection.id, "the connection of a lease")?;
        last = next;
    }
    Ok(Outcome::Passed)
}

/// A lease given back is over; giving it back again, or late, takes nothing from its successor.
pub(super) async fn a_released_lease_is_over(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![world.new_item("a", workout(0, 1.0))]).await?;
    world.storage.release(&world.lease).await?;
    assert_lost(&world, &world.lease, "given back").await?;
    world.storage.release(&world.lease).await?;
    let next = claim(&*world.storage, &world.connection).await?;
    world.storage.release(&world.lease).await?;
    let what = "whether a lease still holds after an older one was given back once more";
    equal(world.storage.renew(&next).await.is_ok(), true, what)?;
    Ok(Outcome::Passed)
}

/// A late commit, ledger entry or renewal under an older epoch changes nothing that can be read.
pub(super) async fn fencing_of_a_late_write(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![world.new_item("a", workout(0, 1.0))]).await?;
    world.storage.release(&world.lease).await?;
    let mut next = claim(&*world.storage, &world.connection).await?;
    assert_lost(&world, &world.lease, "claimed anew").await?;
    // Two epochs later, too; and the holder of the newest goes on.
    world.storage.release(&next).await?;
    next = claim(&*world.storage, &world.connection).await?;
    assert_lost(&world, &world.lease, "claimed anew twice").await?;
    world.storage.commit(&next, world.batch(vec![world.new_item("b", workout(0, 1.0))])).await?;
    equal(world.live().await?, ["a", "b"], "the live records")?;
    Ok(Outcome::Passed)
}

/// What has run out is never renewed: everything under it is refused, and it is claimed anew under a higher epoch.
pub(super) async fn an_expired_lease_is_never_renewed(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![world.new_item("a", workout(0, 1.0))]).await?;
    let (more, less) = more_and_less(world.storage.term());
    // Shortly before, it is held; renewed, it holds as long again.
    for _ in 0..2 {
        let Some(()) = world.store.pass_time(less).await? else { return Ok(NEVER_RUN_OUT) };
        equal(
            world.storage.claim(world.connection.id).await?,
            Claim::Busy { epoch: world.lease.epoch },
            "a claim shortly before the lease runs out",
        )?;
        world.storage.renew(&world.lease).await?;
    }
    world.store.pass_time(more).await?;
    assert_lost(&world, &world.lease, "expired").await?;
    let next = claim(&*world.storage, &world.connection).await?;
    equal(next.epoch > world.lease.epoch, true, "whether what ran out is claimed under a higher epoch")?;
    assert_lost(&world, &world.lease, "expired and claimed anew").await?;
    Ok(Outcome::Passed)
}

/// A commit keeps the lease alive as a renewal does.
pub(super) async fn a_commit_renews_the_lease(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let (_, less) = more_and_less(world.storage.term());
    for round in 1..=3 {
        let Some(()) = world.store.pass_time(less).await? else { return Ok(NEVER_RUN_OUT) };
        let committed = world.storage.commit(&world.lease, world.batch(vec![])).await;
        equal(committed.is_ok(), true, format!("whether the lease holds at commit {round}"))?;
    }
    Ok(Outcome::Passed)
}

/// Who syncs a connection while its user ends it can write nothing more.
pub(super) async fn disconnecting_fences(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![world.new_item("a", workout(0, 1.0))]).await?;
    let Some(()) = world.store.disconnect(&world.connection).await? else {
        return Ok(Outcome::NotApplicable("ends no connections"));
    };
    let lost = ErrorKind::LeaseLost;
    let late = world.batch(vec![world.new_item("late", workout(0, 1.0))]);
    refused(
        world.storage.commit(&world.lease, late).await,
        lost,
        "a commit after its user ended the connection",
    )?;
    refused(world.storage.renew(&world.lease).await, lost, "a renewal after its user ended the connection")?;
    refused(
        world.storage.record(&world.lease, &world.run_entry()).await,
        lost,
        "a ledger entry after its user ended the connection",
    )?;
    equal(world.live().await?, ["a"], "the data of a connection that was ended")?;
    equal(world.storage.claim(world.connection.id).await.is_err(), true, "whether claiming it is refused")?;
    Ok(Outcome::Passed)
}

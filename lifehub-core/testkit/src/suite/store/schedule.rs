//! Which connections are due, and that each is claimed by one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::engine::{Connection, Due, Dues, Lease};
use lifehub_core::oauth::{RefreshClaim, Standing};
use lifehub_core::record::{ConnectionId, RunId};
use lifehub_core::schedule::Schedule;
use lifehub_core::secret::{Credentials, Secret};
use tokio::task::JoinSet;

use super::world::{Check, HOUR, World, claim, equal, instant};
use super::{Outcome, Subject, Verdict};
use crate::suite::Failure;

const NO_SCHEDULE: Outcome = Outcome::NotApplicable("schedules nothing");

/// A store with one connection of the account `one`, which is free and never ran.
async fn open(subject: &Subject) -> Check<Option<(World, Arc<dyn Schedule>)>> {
    let world = World::open(subject).await?;
    world.storage.release(&world.lease).await?;
    Ok(world.store.schedule().map(|schedule| (world, schedule)))
}

/// The accounts of what was claimed.
fn accounts(due: &[(Connection, Lease)]) -> Vec<&str> {
    due.iter().map(|(connection, _)| connection.account.as_deref().unwrap_or_default()).collect()
}

impl World {
    async fn add(&self, provider: &str, account: &str) -> Check<Connection> {
        let token = Credentials::none().with("access_token", Secret::new("a token"));
        Ok(self.store.add_connection(self.user, provider, account, token).await?)
    }

    /// A run of a free connection, after which its streams are due at these instants.
    async fn ran(&self, connection: &Connection, number: u8, dues: &[(&str, i64)]) -> Check<()> {
        let lease = claim(&*self.storage, connection).await?;
        let due = |&(stream, at): &(&str, i64)| (stream.to_owned(), Due { at: instant(at), failures: 0 });
        let mut entry = self.run_entry();
        (entry.id, entry.epoch) = (RunId::from_bytes([number; 16]), lease.epoch);
        entry.started_at = instant(number.into());
        entry.dues = Dues(dues.iter().map(due).collect());
        self.storage.record(&lease, &entry).await?;
        Ok(self.storage.release(&lease).await?)
    }

    async fn give_back(&self, due: Vec<(Connection, Lease)>) -> Check<()> {
        for (_, lease) in due {
            self.storage.release(&lease).await?;
        }
        Ok(())
    }
}

/// What is due comes by its age, no more of it than asked for, each with a lease that holds.
pub(super) async fn what_is_due_comes_by_its_age(subject: &Subject) -> Verdict {
    let Some((world, schedule)) = open(subject).await? else { return Ok(NO_SCHEDULE) };
    world.ran(&world.connection, 1, &[("activities", 20)]).await?;
    for (number, account, at) in [(2, "two", 30), (3, "three", 10), (4, "four", 21)] {
        let connection = world.add("example", account).await?;
        world.ran(&connection, number, &[("activities", at)]).await?;
    }
    let new = world.add("example", "new").await?;
    let due = schedule.claim_due(&["example"], instant(20), 10).await?;
    equal(accounts(&due), ["new", "three", "one"], "what is due")?;
    let (first, lease) = &due[0];
    equal(format!("{first:?}"), format!("{new:?}"), "the connection that is claimed")?;
    equal(lease.connection, new.id, "the connection of its lease")?;
    for (_, lease) in &due {
        world.storage.renew(lease).await?;
    }
    world.give_back(due).await?;
    let due = schedule.claim_due(&["example"], instant(30), 2).await?;
    equal(accounts(&due), ["new", "three"], "what is due when two are asked for")?;
    Ok(Outcome::Passed)
}

/// A provider with much to do does not hold another up.
pub(super) async fn providers_take_turns(subject: &Subject) -> Verdict {
    let Some((world, schedule)) = open(subject).await? else { return Ok(NO_SCHEDULE) };
    world.ran(&world.connection, 1, &[("activities", 20)]).await?;
    let two = world.add("example", "two").await?;
    world.ran(&two, 2, &[("activities", 30)]).await?;
    for number in 3..8 {
        let connection = world.add("another", &format!("{number} of another")).await?;
        world.ran(&connection, number, &[("activities", i64::from(number))]).await?;
    }
    let both = ["another", "example"];
    let due = schedule.claim_due(&both, instant(40), 3).await?;
    equal(accounts(&due), ["3 of another", "one", "4 of another"], "what is due of two providers")?;
    world.give_back(due.into_iter().filter(|(one, _)| one.provider == "example").collect()).await?;
    let due = schedule.claim_due(&both, instant(40), 2).await?;
    equal(accounts(&due), ["one", "two"], "what is due while two of another provider are in work")?;
    let due = schedule.claim_due(&both, instant(40), 9).await?;
    equal(due.len(), 3, "how many are left when nothing else is due")?;
    Ok(Outcome::Passed)
}

/// What is not due, held, ended by its user or of another provider is left.
pub(super) async fn what_is_not_due_is_left(subject: &Subject) -> Verdict {
    let Some((world, schedule)) = open(subject).await? else { return Ok(NO_SCHEDULE) };
    world.ran(&world.connection, 1, &[("activities", 11)]).await?;
    claim(&*world.storage, &world.add("example", "held").await?).await?;
    world.add("another", "foreign").await?;
    let ended = world.add("example", "ended").await?;
    let ends = world.store.disconnect(&ended).await?.is_some();
    world.add("example", "free").await?;
    equal(schedule.claim_due(&[], instant(10), 10).await?.len(), 0, "what is due of no provider")?;
    let due = schedule.claim_due(&["example"], instant(10), 10).await?;
    let mut found = accounts(&due);
    found.retain(|account| ends || *account != "ended");
    equal(found, ["free"], "what is due of one provider")?;
    let again = schedule.claim_due(&["example"], instant(10), 10).await?;
    equal(accounts(&again), [""; 0], "what is due while it is worked on")?;
    world.give_back(due).await?;
    let due = schedule.claim_due(&["another", "example"], instant(10), 10).await?;
    equal(
        accounts(&due).contains(&"foreign"),
        true,
        "whether another provider is claimed when it is asked for",
    )?;
    Ok(Outcome::Passed)
}

/// However many ask at once, each connection is claimed by one.
pub(super) async fn what_is_due_is_claimed_once(subject: &Subject) -> Verdict {
    let Some((world, schedule)) = open(subject).await? else { return Ok(NO_SCHEDULE) };
    for number in 0..7 {
        world.add("example", &number.to_string()).await?;
    }
    let mut asking = JoinSet::new();
    for _ in 0..12 {
        let schedule = schedule.clone();
        asking.spawn(async move { schedule.claim_due(&["example"], instant(0), 3).await });
    }
    let mut claims: BTreeMap<ConnectionId, u32> = BTreeMap::new();
    for due in asking.join_all().await {
        for (connection, lease) in due? {
            *claims.entry(connection.id).or_default() += 1;
            world.storage.renew(&lease).await?;
        }
    }
    equal(claims.len(), 8, "the connections that 12 workers claimed")?;
    equal(claims.into_values().max(), Some(1), "how often a connection was claimed")?;
    Ok(Outcome::Passed)
}

/// A connection is due when the earliest stream of its latest run is.
pub(super) async fn the_latest_run_says_when(subject: &Subject) -> Verdict {
    let Some((world, schedule)) = open(subject).await? else { return Ok(NO_SCHEDULE) };
    let is_due = async |at| -> Check<bool> {
        let due = schedule.claim_due(&["example"], instant(at), 10).await?;
        let is_due = !due.is_empty();
        world.give_back(due).await?;
        Ok(is_due)
    };
    let rounds: [(&[(&str, i64)], i64); 3] = [
        (&[("activities", 500)], 500),
        (&[("activities", 900), ("zones", 100)], 100),
        (&[("zones", 700)], 700),
    ];
    for (number, (dues, at)) in (1..).zip(rounds) {
        world.ran(&world.connection, number, dues).await?;
        equal(is_due(at - 1).await?, false, format!("whether it is due a second early after run {number}"))?;
        equal(is_due(at).await?, true, format!("whether it is due in time after run {number}"))?;
    }
    // A batch brings the entry along.
    let lease = claim(&*world.storage, &world.connection).await?;
    let mut batch = world.batch(vec![]);
    (batch.run.id, batch.run.epoch) = (RunId::from_bytes([9; 16]), lease.epoch);
    let due = Due { at: instant(200), failures: 1 };
    batch.run.dues = Dues([("activities".to_owned(), due)].into());
    world.storage.commit(&lease, batch).await?;
    world.storage.release(&lease).await?;
    equal(
        schedule.next_due(&["example"], instant(0)).await?,
        Some(instant(200)),
        "when it is due after a commit",
    )?;
    Ok(Outcome::Passed)
}

/// Who connects an account anew waits for no schedule of before.
pub(super) async fn connecting_anew_is_due_at_once(subject: &Subject) -> Verdict {
    let Some((world, schedule)) = open(subject).await? else { return Ok(NO_SCHEDULE) };
    world.ran(&world.connection, 1, &[("activities", HOUR)]).await?;
    equal(schedule.claim_due(&["example"], instant(0), 10).await?.len(), 0, "what is due before it")?;
    let anew = world.add("example", "one").await?;
    equal(anew.id, world.connection.id, "the connection of an account that the user has already")?;
    let dues = world.storage.latest(anew.id).await?.map(|run| run.dues);
    equal(dues.unwrap_or_default(), Dues::default(), "when its streams are due after connecting anew")?;
    let due = schedule.claim_due(&["example"], instant(0), 10).await?;
    equal(accounts(&due), ["one"], "what is due after connecting anew")?;
    Ok(Outcome::Passed)
}

/// The next moment is the first after now.
pub(super) async fn the_next_moment_is_told(subject: &Subject) -> Verdict {
    let Some((world, schedule)) = open(subject).await? else { return Ok(NO_SCHEDULE) };
    equal(schedule.next_due(&["example"], instant(0)).await?, None, "the next moment when all is due")?;
    world.ran(&world.connection, 1, &[("activities", 20), ("zones", 40)]).await?;
    let two = world.add("example", "two").await?;
    world.ran(&two, 2, &[("activities", 30)]).await?;
    for (now, next) in [(0, Some(20)), (19, Some(20)), (20, Some(30)), (30, None)] {
        equal(
            schedule.next_due(&["example"], instant(now)).await?,
            next.map(instant),
            format!("the next moment after {now}"),
        )?;
    }
    Ok(Outcome::Passed)
}

/// What a worker left behind is due again when its lease has run out.
pub(super) async fn what_was_left_is_due_again(subject: &Subject) -> Verdict {
    let Some((world, schedule)) = open(subject).await? else { return Ok(NO_SCHEDULE) };
    let first = schedule.claim_due(&["example"], instant(0), 10).await?;
    equal(accounts(&first), ["one"], "what is due")?;
    let term = world.storage.term() + Duration::from_secs(1);
    let Some(()) = world.store.pass_time(term).await? else {
        return Ok(Outcome::NotApplicable("its leases do not run out"));
    };
    let second = schedule.claim_due(&["example"], instant(0), 10).await?;
    equal(accounts(&second), ["one"], "what is due when the lease has run out")?;
    equal(second[0].1.epoch > first[0].1.epoch, true, "whether the epoch of the next claim is higher")?;
    Ok(Outcome::Passed)
}

/// Connections whose credentials nobody renewed for long are found, but for those that cannot be.
pub(super) async fn idle_connections_are_found(subject: &Subject) -> Verdict {
    let Some((world, schedule)) = open(subject).await? else { return Ok(NO_SCHEDULE) };
    world.add("another", "foreign").await?;
    let refused = world.add("example", "refused").await?;
    let revision = world.storage.credentials(refused.id).await?.revision;
    world.storage.set_standing(refused.id, revision, Standing::Refused { at: instant(1) }).await?;
    let ended = world.add("example", "ended").await?;
    let ended = world.store.disconnect(&ended).await?.is_none().then_some(ended.id);
    world.clock.advance(Duration::from_secs(60));
    let (one, young) = (world.connection.id, world.add("example", "young").await?.id);

    let idle = async |before, limit| -> Check<Vec<ConnectionId>> {
        let mut idle = schedule.idle("example", instant(before), limit).await?;
        idle.sort();
        Ok(idle)
    };
    let sorted = |ids: &[ConnectionId]| {
        let mut all: Vec<_> = ids.iter().copied().chain(ended).collect();
        all.sort();
        all
    };
    equal(idle(0, 10).await?, vec![], "what is idle since before it was connected")?;
    equal(idle(60, 10).await?, sorted(&[one]), "what is idle for a while")?;
    equal(idle(61, 10).await?, sorted(&[one, young]), "what is idle for a moment")?;
    equal(idle(61, 1).await?.len(), 1, "how many are listed when one is asked for")?;
    let revision = world.storage.credentials(one).await?.revision;
    let RefreshClaim::Held(ticket) =
        world.storage.claim_refresh(one, revision, Duration::from_secs(60)).await?
    else {
        return Err(Failure::new("what nobody renews cannot be claimed"));
    };
    world.storage.save(&ticket, &Credentials::none().with("access_token", Secret::new("new"))).await?;
    equal(idle(60, 10).await?, sorted(&[]), "what is idle after it was renewed")?;
    Ok(Outcome::Passed)
}

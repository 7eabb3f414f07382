//! Rule 9: who renews credentials, and that none are lost.

use std::time::Duration;

use lifehub_core::oauth::{Held, RefreshClaim, RefreshTicket, Standing};
use lifehub_core::secret::{Credentials, Secret};
use tokio::task::JoinSet;

use super::world::{Check, World, equal, instant};
use super::{Outcome, Subject, Verdict};
use crate::suite::Failure;

/// Long enough that no test outlasts the half of it.
const TERM: Duration = Duration::from_secs(600);

const NEVER_RUN_OUT: Outcome = Outcome::NotApplicable("its claims do not run out");

fn token(text: &str) -> Credentials {
    Credentials::none().with("access_token", Secret::new(text))
}

/// The token that is held, for comparisons: these are no secrets.
fn text(held: &Held) -> &str {
    held.credentials.get("access_token").map_or("nothing", Secret::expose)
}

impl World {
    async fn held(&self) -> Check<Held> {
        Ok(self.storage.credentials(self.connection.id).await?)
    }

    async fn claim_refresh(&self, revision: u64) -> Check<RefreshClaim> {
        Ok(self.storage.claim_refresh(self.connection.id, revision, TERM).await?)
    }

    /// Claims what must be free: the credentials as they stand.
    async fn ticket(&self, when: &str) -> Check<RefreshTicket> {
        let revision = self.held().await?.revision;
        match self.claim_refresh(revision).await? {
            RefreshClaim::Held(ticket) => {
                equal((ticket.connection, ticket.revision), (self.connection.id, revision), "a ticket")?;
                Ok(ticket)
            }
            other => Err(Failure::new(format!("a claim {when}: found {other:?}"))),
        }
    }

    async fn may_refresh(&self, ticket: &RefreshTicket) -> Check<bool> {
        Ok(self.storage.may_refresh(ticket).await?)
    }

    async fn save(&self, ticket: &RefreshTicket, new: &str) -> Check<bool> {
        Ok(self.storage.save(ticket, &token(new)).await?)
    }

    async fn set_standing(&self, revision: u64, standing: Standing) -> Check<bool> {
        Ok(self.storage.set_standing(self.connection.id, revision, standing).await?)
    }
}

/// Each writing raises the revision, whoever writes; nothing else does.
pub(super) async fn a_revision_rises_with_each_writing(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let mut last = world.held().await?.revision;
    for n in 0..3 {
        let ticket = world.ticket("of what is free").await?;
        world.set_standing(last, Standing::Refused { at: instant(0) }).await?;
        equal(world.held().await?.revision, last, "the revision before anything was written")?;
        world.save(&ticket, &n.to_string()).await?;
        let next = world.held().await?.revision;
        equal(next > last, true, format!("whether the revision after {last} is higher"))?;
        last = next;
    }
    let account = world.connection.account.as_deref().unwrap_or_default();
    let anew = world.store.add_connection(world.user, "example", account, token("anew")).await?;
    if anew.id == world.connection.id {
        let held = world.held().await?;
        equal((text(&held), held.revision > last), ("anew", true), "the credentials after connecting anew")?;
    }
    Ok(Outcome::Passed)
}

/// While one holds the claim, every other is told so; another connection is untouched.
pub(super) async fn a_refresh_is_claimed_by_one(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let other = world.beside(world.user, "two").await?;
    let ticket = world.ticket("of what is free").await?;
    for _ in 0..2 {
        let second = world.claim_refresh(ticket.revision).await?;
        equal(second, RefreshClaim::Busy, "a claim of what is claimed")?;
    }
    equal(world.may_refresh(&ticket).await?, true, "whether who claimed may send")?;
    let beside = other.ticket("beside another's").await?;
    equal(other.may_refresh(&beside).await?, true, "whether who claimed another may send")?;
    Ok(Outcome::Passed)
}

/// Of many who claim at once, one gets the claim.
pub(super) async fn one_of_many_refreshes(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    for round in 1..=5 {
        let revision = world.held().await?.revision;
        let mut claiming = JoinSet::new();
        for _ in 0..12 {
            let (storage, id) = (world.storage.clone(), world.connection.id);
            claiming.spawn(async move { storage.claim_refresh(id, revision, TERM).await });
        }
        let mut tickets = Vec::new();
        for claim in claiming.join_all().await {
            if let RefreshClaim::Held(ticket) = claim? {
                tickets.push(ticket);
            }
        }
        equal(tickets.len(), 1, format!("holders after 12 claimed at once, round {round}"))?;
        equal(world.save(&tickets[0], "new").await?, true, "whether the holder's save was written")?;
    }
    Ok(Outcome::Passed)
}

/// Who read other credentials than those that stand is sent to read again.
pub(super) async fn a_claim_of_another_revision_is_stale(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let revision = world.held().await?.revision;
    let stale = |claim, what: &str| equal(claim, RefreshClaim::Stale, format!("a claim of {what}"));
    stale(world.claim_refresh(revision + 1).await?, "a revision to come")?;
    let ticket = world.ticket("of the revision that stands").await?;
    stale(world.claim_refresh(revision + 1).await?, "a revision to come, of what is claimed")?;
    world.save(&ticket, "new").await?;
    stale(world.claim_refresh(revision).await?, "the revision before")?;
    Ok(Outcome::Passed)
}

/// A save takes the place of what was, and the next may claim at once.
pub(super) async fn saving_replaces_and_ends_the_claim(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let ticket = world.ticket("of what is free").await?;
    equal(world.save(&ticket, "new").await?, true, "whether a save was written")?;
    let held = world.held().await?;
    equal((text(&held), held.standing), ("new", Standing::Good), "what is held after a save")?;
    equal(world.may_refresh(&ticket).await?, false, "whether who saved may send again")?;
    let next = world.ticket("after the save").await?;
    equal(next.epoch > ticket.epoch, true, "whether the epoch of the next claim is higher")?;
    // What was given back late takes nothing from it.
    world.storage.release_refresh(&ticket).await?;
    equal(world.may_refresh(&next).await?, true, "whether the next holder may send")?;
    Ok(Outcome::Passed)
}

/// Of two pairs the one that was made from what stands is kept, whether or not its maker still has the claim.
pub(super) async fn a_late_save_writes_nothing(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let first = world.ticket("of what is free").await?;
    world.storage.release_refresh(&first).await?;
    let second = world.ticket("of what was given back").await?;
    equal(world.save(&first, "first").await?, true, "whether a save without the claim was written")?;
    equal(text(&world.held().await?), "first", "what is held after it")?;
    equal(world.may_refresh(&second).await?, false, "whether who claimed what is gone may send")?;
    let before = world.held().await?.revision;
    for late in [&second, &first] {
        equal(world.save(late, "late").await?, false, "whether a late save was written")?;
    }
    let held = world.held().await?;
    equal((text(&held), held.revision), ("first", before), "what is held after a late save")?;
    Ok(Outcome::Passed)
}

/// What was given back may be claimed, and who gave it back may not send.
pub(super) async fn a_claim_given_back_is_free(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let mut last = world.ticket("of what is free").await?;
    for _ in 0..3 {
        world.storage.release_refresh(&last).await?;
        equal(world.may_refresh(&last).await?, false, "whether who gave the claim back may send")?;
        let next = world.ticket("of what was given back").await?;
        equal(next.epoch > last.epoch, true, "whether the epoch of the next claim is higher")?;
        world.storage.release_refresh(&last).await?;
        equal(
            world.may_refresh(&next).await?,
            true,
            "whether the claim stands after an older one came back",
        )?;
        last = next;
    }
    Ok(Outcome::Passed)
}

/// In the second half of its term a claim keeps others away, and permits nothing any more.
pub(super) async fn a_claim_permits_for_half_its_term(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let ticket = world.ticket("of what is free").await?;
    let Some(()) = world.store.pass_time(TERM / 3).await? else { return Ok(NEVER_RUN_OUT) };
    equal(world.may_refresh(&ticket).await?, true, "whether the holder may send in the first half")?;
    world.store.pass_time(TERM / 3).await?;
    equal(world.may_refresh(&ticket).await?, false, "whether the holder may send in the second half")?;
    let second = world.claim_refresh(ticket.revision).await?;
    equal(second, RefreshClaim::Busy, "a claim in the second half of another's")?;
    Ok(Outcome::Passed)
}

/// A claim that ran out is another's to take; what its holder got all the same is kept if nobody was faster.
pub(super) async fn a_claim_that_ran_out_is_free(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let first = world.ticket("of what is free").await?;
    let Some(()) = world.store.pass_time(TERM + TERM / 10).await? else { return Ok(NEVER_RUN_OUT) };
    let second = world.ticket("of what ran out").await?;
    equal(second.epoch > first.epoch, true, "whether the epoch of the next claim is higher")?;
    equal(world.may_refresh(&first).await?, false, "whether who lost the claim may send")?;
    equal(world.may_refresh(&second).await?, true, "whether who took it may send")?;
    equal(world.save(&first, "late").await?, true, "whether what the provider handed out last is kept")?;
    equal(text(&world.held().await?), "late", "what is held")?;
    Ok(Outcome::Passed)
}

/// That a provider refuses is news once, and stands until it takes them again, or others are written.
pub(super) async fn a_refusal_is_news_once(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let Held { revision, standing, .. } = world.held().await?;
    equal(standing, Standing::Good, "how new credentials stand")?;
    let refused = |seconds| Standing::Refused { at: instant(seconds) };
    equal(
        world.set_standing(revision, Standing::Good).await?,
        false,
        "whether it is news that they are good",
    )?;
    for (seconds, news) in [(1, true), (2, false), (3, false)] {
        let told = world.set_standing(revision, refused(seconds)).await?;
        equal(told, news, format!("whether a refusal at {seconds} is news"))?;
        equal(world.held().await?.standing, refused(seconds), "how they stand after a refusal")?;
    }
    equal(
        world.set_standing(revision, Standing::Good).await?,
        true,
        "whether it is news that they work again",
    )?;
    equal(world.held().await?.standing, Standing::Good, "how they stand when they work again")?;
    equal(world.set_standing(revision, refused(4)).await?, true, "whether the next refusal is news")?;
    let ticket = world.ticket("of what is refused").await?;
    equal(world.may_refresh(&ticket).await?, true, "whether who claimed what is refused may send")?;
    world.save(&ticket, "new").await?;
    equal(world.held().await?.standing, Standing::Good, "how others stand")?;
    Ok(Outcome::Passed)
}

/// What is found of credentials that were replaced meanwhile says nothing of those that took their place.
pub(super) async fn a_finding_of_older_credentials_is_dropped(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let ticket = world.ticket("of what is free").await?;
    world.save(&ticket, "new").await?;
    let refused = Standing::Refused { at: instant(1) };
    for other in [ticket.revision, world.held().await?.revision + 1] {
        let told = world.set_standing(other, refused).await?;
        equal(told, false, "whether a finding of other credentials is news")?;
        equal(world.held().await?.standing, Standing::Good, "how they stand after a finding of others")?;
    }
    Ok(Outcome::Passed)
}

/// Who renews a connection while its user ends it writes nothing, and nobody begins to.
pub(super) async fn an_ended_connection_is_not_renewed(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let ticket = world.ticket("of what is free").await?;
    let Some(()) = world.store.disconnect(&world.connection).await? else {
        return Ok(Outcome::NotApplicable("ends no connections"));
    };
    let saved = world.storage.save(&ticket, &token("late")).await;
    equal(saved.is_err(), true, "whether a save after its user ended the connection is refused")?;
    equal(world.may_refresh(&ticket).await?, false, "whether the holder may send")?;
    for revision in [ticket.revision, ticket.revision + 1] {
        let claimed = world.storage.claim_refresh(world.connection.id, revision, TERM).await;
        equal(claimed.is_err(), true, "whether a claim of an ended connection is refused")?;
    }
    let kept = world.storage.credentials(world.connection.id).await;
    let kept = kept.map_or(0, |held| held.credentials.names().count());
    equal(kept, 0, "the credentials that are left of it")?;
    Ok(Outcome::Passed)
}

/// What was saved, and how it stands, is there in the next process; the claims of the one that ended are free.
pub(super) async fn saved_credentials_outlive_the_process(subject: &Subject) -> Verdict {
    let mut world = World::open(subject).await?;
    let mut other = world.beside(world.user, "two").await?;
    let open = other.ticket("of what is free").await?;
    let refused = Standing::Refused { at: instant(9) };
    other.set_standing(open.revision, refused).await?;
    let ticket = world.ticket("beside another's").await?;
    world.save(&ticket, "rotated").await?;
    let revision = world.held().await?.revision;
    let Some(reopened) = world.store.reopen().await? else {
        return Ok(Outcome::NotApplicable("forgets with its process"));
    };
    (world.storage, other.storage) = (reopened.storage(), reopened.storage());
    let held = world.held().await?;
    equal((text(&held), held.revision), ("rotated", revision), "what is held after reopening")?;
    equal(other.held().await?.standing, refused, "how what was refused stands after reopening")?;
    let next = other.ticket("after reopening").await?;
    equal(next.epoch > open.epoch, true, "whether the epoch after reopening is higher")?;
    Ok(Outcome::Passed)
}

//! Consents under way: taken once, and of no use to who has the store alone.

use std::sync::Arc;

use lifehub_core::oauth::{Authorizations, Pending};
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Secret;
use tokio::task::JoinSet;
use url::Url;

use super::world::{Check, World, equal, instant, workout};
use super::{Outcome, Subject, Verdict};
use crate::suite::Failure;

const NO_AUTHORIZATIONS: Outcome = Outcome::NotApplicable("keeps no authorizations");

const VERIFIER: &str = "a-verifier-that-is-easy-to-find";
const SESSION: &str = "a-session-that-is-easy-to-find";

async fn open(subject: &Subject) -> Check<Option<(World, Arc<dyn Authorizations>)>> {
    let world = World::open(subject).await?;
    Ok(world.store.authorizations().map(|authorizations| (world, authorizations)))
}

impl World {
    /// One that was begun so many seconds after [`instant`] zero, to renew the connection.
    fn pending(&self, seconds: i64) -> Check<Pending> {
        let redirect = Url::parse("https://example.org/way?back=\"ä\"");
        Ok(Pending {
            provider: self.connection.provider.clone(),
            user: self.user,
            session: format!("{SESSION} \"ä\"\n"),
            connection: Some(self.connection.id),
            redirect: redirect.map_err(|_| Failure::new("the address is none"))?,
            verifier: Some(Secret::new(VERIFIER)),
            created_at: instant(seconds),
        })
    }
}

fn state(number: u32) -> Secret {
    Secret::new(format!("a-state-that-is-easy-to-find-{number}"))
}

/// What of it can be compared; none of it is a secret here.
fn content(pending: &Pending) -> String {
    let verifier = pending.verifier.as_ref().map(Secret::expose);
    let Pending { provider, user, session, connection, redirect, created_at, .. } = pending;
    format!("{provider} {user} {session} {connection:?} {redirect} {verifier:?} {created_at}")
}

/// It comes back as it was put, under its own state alone.
pub(super) async fn an_authorization_comes_back_as_it_was(subject: &Subject) -> Verdict {
    let Some((world, authorizations)) = open(subject).await? else { return Ok(NO_AUTHORIZATIONS) };
    let mut new = world.pending(1)?;
    (new.connection, new.verifier) = (None, None);
    let mut other = world.pending(2)?;
    other.connection = Some(ConnectionId::from_bytes([9; 16]));
    let all = [world.pending(0)?, new, other];
    for (number, pending) in (0..).zip(&all) {
        authorizations.put(&state(number), pending.clone()).await?;
    }
    equal(authorizations.take(&state(9)).await?.is_none(), true, "whether an unknown state finds nothing")?;
    for (number, pending) in (0..).zip(&all) {
        let found = authorizations.take(&state(number)).await?;
        equal(found.as_ref().map(content), Some(content(pending)), "what was put")?;
    }
    Ok(Outcome::Passed)
}

/// Of many who come with one state, one finds something.
pub(super) async fn an_authorization_is_taken_once(subject: &Subject) -> Verdict {
    let Some((world, authorizations)) = open(subject).await? else { return Ok(NO_AUTHORIZATIONS) };
    authorizations.put(&state(0), world.pending(0)?).await?;
    authorizations.put(&state(1), world.pending(0)?).await?;
    let mut taking = JoinSet::new();
    for _ in 0..12 {
        let authorizations = authorizations.clone();
        taking.spawn(async move { authorizations.take(&state(0)).await });
    }
    let mut taken = 0;
    for pending in taking.join_all().await {
        taken += u32::from(pending?.is_some());
    }
    equal(taken, 1, "how many of 12 took it")?;
    equal(authorizations.take(&state(0)).await?.is_some(), false, "whether it is there again")?;
    equal(authorizations.take(&state(1)).await?.is_some(), true, "whether another one is still there")?;
    Ok(Outcome::Passed)
}

/// What is not older than ten minutes is there, whatever else is begun meanwhile.
pub(super) async fn an_authorization_holds_for_ten_minutes(subject: &Subject) -> Verdict {
    let Some((world, authorizations)) = open(subject).await? else { return Ok(NO_AUTHORIZATIONS) };
    for (number, seconds) in [(0, 0), (1, 300), (2, 600)] {
        authorizations.put(&state(number), world.pending(seconds)?).await?;
    }
    for number in 0..3 {
        let found = authorizations.take(&state(number)).await?;
        equal(found.is_some(), true, format!("whether the authorization {number} is there"))?;
    }
    Ok(Outcome::Passed)
}

/// Neither a state nor what it opens stands in anything that the store wrote.
pub(super) async fn no_authorization_is_readable(subject: &Subject) -> Verdict {
    let Some((world, authorizations)) = open(subject).await? else { return Ok(NO_AUTHORIZATIONS) };
    world.commit(vec![world.new_item("a", workout(0, 1.0))]).await?;
    authorizations.put(&state(0), world.pending(0)?).await?;
    let Some(written) = world.store.written().await? else {
        return Ok(Outcome::NotApplicable("writes nothing where others may read it"));
    };
    let holds = |text: &str| written.windows(text.len()).any(|window| window == text.as_bytes());
    equal(holds("activities"), true, "whether what was written is looked at where it stands")?;
    for (text, what) in
        [(state(0).expose(), "the state"), (VERIFIER, "the verifier"), (SESSION, "the session")]
    {
        equal(holds(text), false, format!("whether {what} stands in what was written"))?;
    }
    Ok(Outcome::Passed)
}

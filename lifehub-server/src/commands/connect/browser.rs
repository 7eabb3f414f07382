//! The consent in a browser: the way to the provider's page, and the way back to this machine (RFC 8252).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::{Clock, Rng, SystemClock};
use lifehub_core::connector::Manifest;
use lifehub_core::oauth::{
    Authorizations, Authorized, Callback, MemoryAuthorizations, OAuthClient, Pending, Start, Who,
};
use lifehub_core::record::{ConnectionId, RunId, UserId};
use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind, Result};

use super::door::{Door, Visit};
use super::page::Page;
use crate::output::Output;

/// How long a user may be away, as long as what was begun holds.
const TERM: Duration = Duration::from_secs(600);

/// Who is asked, and for what.
pub(super) struct Question<'a> {
    pub(super) manifest: &'a Manifest,
    /// The user; none for one who is not made yet.
    pub(super) user: Option<UserId>,
    /// The connection that is to be renewed.
    pub(super) renew: Option<ConnectionId>,
    /// The port to which the browser comes back; 0 for any.
    pub(super) port: u16,
}

/// A browser that came back with a consent, and waits to hear what came of it.
pub(super) struct Browser {
    visit: Visit,
    door: Door,
}

impl Browser {
    /// Shows the last page.
    pub(super) async fn show(self, page: Page) {
        self.visit.show(page);
        self.door.close().await;
    }
}

/// Sends the user to the provider, and waits for the one who comes back.
///
/// # Errors
/// If the way back cannot be opened, the user does not agree or not in time, or the provider does not exchange the code.
pub(super) async fn ask(
    out: &Output,
    client: &OAuthClient,
    question: Question<'_>,
) -> Result<(Authorized, Browser)> {
    let Question { manifest, user, renew, port } = question;
    let (provider, title) = (manifest.id, manifest.title);
    let mut door = Door::open(port, &format!("/oauth/{provider}/callback")).await?;
    let redirect = door.address().parse();
    let redirect = redirect.map_err(|_| Error::new(ErrorKind::Internal, "the way back has no address"))?;
    // This command is a session of its own, and its user may not be made before all is right.
    let (now, rng) = (SystemClock::default().now(), Rng::from_entropy());
    let user = user.unwrap_or_else(|| UserId::new(now, &rng));
    let session = RunId::new(now, &rng).to_string();
    let own = Own::default();
    let start = Start { provider, user, session: &session, connection: renew, redirect };
    let url = client.begin(&own, start).await?;
    let back = door.address();
    out.note(&format!(
        "open this address in a browser on this machine, and agree there that Lifehub may read your account:\n\n\
         {url}\n\n\
         waiting up to ten minutes for the browser to come back to {back} (Ctrl-C: nothing is saved)"
    ));
    let wait = async {
        loop {
            let visit = door.next().await;
            let finished = match Callback::from_query(&visit.query) {
                Ok(callback) => {
                    client.finish(&own, callback, Who { provider, user, session: &session }).await
                }
                Err(error) => Err(error),
            };
            match finished {
                // It was not the answer to this question, which may still come.
                Err(error) if !own.is_answered() => visit.show(Page::foreign(&error)),
                finished => return (visit, finished),
            }
        }
    };
    let Ok((visit, finished)) = tokio::time::timeout(TERM, wait).await else {
        door.close().await;
        let late = Error::new(ErrorKind::Forbidden, "nobody came back from the provider within ten minutes");
        return Err(failed(title, &late.hint("start again, and agree at the provider")));
    };
    match finished {
        Ok(authorized) => Ok((authorized, Browser { visit, door })),
        Err(error) => {
            visit.show(Page::not_connected(&error));
            door.close().await;
            Err(failed(title, &error))
        }
    }
}

fn failed(title: &str, error: &Error) -> Error {
    let told = Error::new(error.kind(), format!("{title} was not connected, nothing was saved: {error}"));
    match error.get_hint() {
        Some(hint) => told.hint(hint),
        None => told,
    }
}

/// The one question of this command, which knows whether it was answered.
#[derive(Default)]
struct Own {
    asked: MemoryAuthorizations,
    answered: AtomicBool,
}

impl Own {
    fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Authorizations for Own {
    async fn put(&self, state: &Secret, pending: Pending) -> Result<()> {
        self.asked.put(state, pending).await
    }

    async fn take(&self, state: &Secret) -> Result<Option<Pending>> {
        let taken = self.asked.take(state).await?;
        self.answered.fetch_or(taken.is_some(), Ordering::Relaxed);
        Ok(taken)
    }
}

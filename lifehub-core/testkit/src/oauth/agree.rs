//! A user who agrees: the whole way of a consent, without a browser.

use lifehub_core::oauth::{Authorized, Callback, MemoryAuthorizations, OAuthClient, Start, Who};
use lifehub_core::record::UserId;
use lifehub_core::{Error, ErrorKind, Result};
use url::Url;

use crate::probe::Probe;

/// The session in which the made-up user is.
const SESSION: &str = "made-up";

/// Connects an account at a simulated provider by the code flow, as a user does who agrees to everything: the way to
/// the consent page, the visit there, the way back, and the exchange of the code.
///
/// # Errors
/// As [`OAuthClient::begin`] and [`OAuthClient::finish`], and if the consent page sends nobody back.
pub async fn agree(client: &OAuthClient, provider: &str, user: UserId) -> Result<Authorized> {
    let begun = MemoryAuthorizations::default();
    let redirect = Url::parse("http://127.0.0.1/callback")
        .map_err(|_| Error::new(ErrorKind::Internal, "the way back is no address"))?;
    let start = Start { provider, user, session: SESSION, connection: None, redirect };
    let page = client.begin(&begun, start).await?;
    let back = tokio::task::spawn_blocking(move || visit(page.as_str()))
        .await
        .map_err(|_| Error::new(ErrorKind::Internal, "the visit to the consent page broke off"))??;
    client.finish(&begun, Callback::from_query(&back)?, Who { provider, user, session: SESSION }).await
}

/// What a browser does: it opens the page and follows it back to the app. Returns the query that it comes back with.
fn visit(page: &str) -> Result<String> {
    let failed = |text: String| Error::new(ErrorKind::Unavailable, text);
    let reply = Probe::get(page).send().map_err(|e| failed(format!("no consent page: {}", e.kind())))?;
    let back = reply.header("location").and_then(|location| Some(location.split_once('?')?.1.to_owned()));
    back.ok_or_else(|| failed(format!("the consent page answered {} and sent nobody back", reply.status)))
}

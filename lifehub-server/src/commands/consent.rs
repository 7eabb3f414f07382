//! Giving a consent back at its provider.

use lifehub_core::oauth::OAuthClient;
use lifehub_core::secret::Credentials;
use lifehub_core::{ErrorKind, Result};

/// What is left where that does not work.
pub(super) const BY_HAND: &str = "remove the app in the account's settings at the provider";

/// Gives back what these credentials came of.
///
/// # Errors
/// As [`OAuthClient::revoke`] and, where only a good access token can do it, as [`OAuthClient::refresh`].
pub(super) async fn give_back(client: &OAuthClient, credentials: &Credentials) -> Result<()> {
    match client.revoke(credentials).await {
        Err(error)
            if error.kind() == ErrorKind::Unauthorized && credentials.get("refresh_token").is_some() =>
        {
            let renewed = client.refresh(credentials).await?.into_credentials(credentials);
            client.revoke(&renewed).await
        }
        result => result,
    }
}

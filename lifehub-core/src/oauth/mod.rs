//! OAuth 2.0: how an account is connected, and how its tokens stay good.
//!
//! [`Vault`] is what a store keeps; [`Refresher`] sees to it that each expiry costs one token call, whoever notices it
//! first.

mod answer;
mod authorization;
mod bridge;
mod client;
mod consent;
mod refresher;
mod refused;
mod revoked;
mod source;
mod spec;
mod tokens;
mod vault;

pub use authorization::{Authorizations, MemoryAuthorizations, Pending};
pub use client::{OAuthApp, OAuthClient};
pub use consent::{Authorized, Callback, Start, Who};
pub use refresher::{Refresher, Renewal, Renewed};
pub use source::VaultCredentials;
pub use spec::{ClientAuth, OAuthSpec, ReadRefusal, Refusal, Revocation};
pub use tokens::Tokens;
pub use vault::{Held, RefreshClaim, RefreshTicket, Standing, Vault};

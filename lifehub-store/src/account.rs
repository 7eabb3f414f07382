//! Users and their connections, as callers see them.

use std::fmt;

use lifehub_core::clock::{Timestamp, Zone};
use lifehub_core::engine::Connection;
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::secret::Credentials;
use serde::Serialize;

/// A person who owns data.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The address by which the person is known, unique without regard to case.
    pub email: String,
    /// The zone that decides the local day where a provider tells no offset.
    pub zone: Zone,
    /// When the user was made.
    pub created_at: Timestamp,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address is personal: it stays out of logs.
        f.debug_struct("User").field("id", &self.id).field("zone", &self.zone.name()).finish_non_exhaustive()
    }
}

/// A connection to be made, or renewed: the one that the user has with that account, or the one that is named.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// Whose it is.
    pub user: UserId,
    /// The connector's id.
    pub provider: String,
    /// The provider's id of the account, if it was asked. One unknown account is the same as another.
    pub account: Option<String>,
    /// The connection that is to be renewed, and no other.
    pub renew: Option<ConnectionId>,
    /// The settings that the connector's schema describes, without those marked secret.
    pub settings: serde_json::Value,
    /// The credentials, with the settings marked secret.
    pub credentials: Credentials,
}

impl NewConnection {
    /// A connection with these credentials, without settings, of an account that was not asked for.
    pub fn new(user: UserId, provider: impl Into<String>, credentials: Credentials) -> Self {
        let settings = serde_json::Value::Object(serde_json::Map::new());
        Self { user, provider: provider.into(), account: None, renew: None, settings, credentials }
    }
}

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConnectionStatus {
    /// It syncs.
    Active,
    /// The provider refuses its credentials: its user must connect again.
    ReconnectRequired,
    /// Its user ended it. The data stays, the credentials are gone.
    Disconnected,
}

impl ConnectionStatus {
    /// The status by its stored name; an unknown one is of a connection that must not sync.
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "active" => Self::Active,
            "disconnected" => Self::Disconnected,
            _ => Self::ReconnectRequired,
        }
    }

    /// Its name in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::ReconnectRequired => "reconnect_required",
            Self::Disconnected => "disconnected",
        }
    }
}

/// A connection with what a person wants to know of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// The connection as the engine needs it.
    pub connection: Connection,
    /// How it stands.
    pub status: ConnectionStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings, credentials or status last changed.
    pub changed_at: Timestamp,
}

/// Which connections to list; the default is all.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConnectionFilter {
    /// Only this user's.
    pub user: Option<UserId>,
    /// Only this one.
    pub id: Option<ConnectionId>,
}

impl ConnectionFilter {
    /// All connections of a user.
    pub fn of_user(user: UserId) -> Self {
        Self { user: Some(user), id: None }
    }
}

//! Identifiers of users, connections, records and runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::{Rng, Timestamp};
use crate::error::{Error, ErrorKind, Result};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one: a UUID of version 7, so that ids sort by the time of their making.
            pub fn new(now: Timestamp, rng: &Rng) -> Self {
                let mut random = [0; 10];
                rng.fill(&mut random);
                let millis = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// From its 16 bytes.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Its 16 bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                Uuid::try_parse(text).map(Self).map_err(|_| {
                    Error::new(ErrorKind::Invalid, format!("{text:?} is not the id of a {}", $what))
                })
            }
        }
    )*};
}

ids! {
    /// A person who owns data.
    UserId "user";
    /// One user's account at one provider.
    ConnectionId "connection";
    /// A normalized fact.
    RecordId "record";
    /// One sync of one connection.
    RunId "run";
}

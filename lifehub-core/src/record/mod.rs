//! Records: the normalized facts that everything is turned into, each of one [`dataset`].

pub mod dataset;
pub mod datasets;
mod id;
mod when;

use std::borrow::Cow;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::clock::{Day, Zone};
use crate::error::{Error, ErrorKind, Result};

pub use dataset::{Dataset, DatasetInfo, Metric, Point};
pub use id::{ConnectionId, RecordId, RunId, UserId};
pub use when::{Moment, When};

/// A fact as a normalizer makes it: when it happened and its typed body, already in its JSON form.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    key: Cow<'static, str>,
    dataset: &'static str,
    when: When,
    body: String,
}

impl Record {
    /// The only record of its item.
    ///
    /// # Errors
    /// If the body does not serialize (a map with keys that are no strings, say) or holds a number that JSON lacks.
    pub fn new<D: Dataset>(when: When, body: &D) -> Result<Self> {
        Ok(Self { key: Cow::Borrowed(""), dataset: D::NAME, when, body: body.to_json()? })
    }

    /// A record as a store kept it: body and dataset are what they were when it was made.
    ///
    /// # Errors
    /// If there is no such dataset (any more).
    pub fn stored(
        dataset: &str,
        key: impl Into<Cow<'static, str>>,
        when: When,
        body: String,
    ) -> Result<Self> {
        let info = DatasetInfo::find(dataset)
            .ok_or_else(|| Error::new(ErrorKind::Storage, format!("there is no dataset {dataset:?}")))?;
        Ok(Self { key: key.into(), dataset: info.name, when, body })
    }

    /// Sets the key that tells this record from the others of the same item and dataset.
    #[must_use]
    pub fn key(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.key = key.into();
        self
    }

    /// The key within its item; empty for an only one.
    pub fn get_key(&self) -> &str {
        &self.key
    }

    /// The dataset's name.
    pub fn dataset(&self) -> &'static str {
        self.dataset
    }

    /// When it happened.
    pub fn when(&self) -> &When {
        &self.when
    }

    /// The body as JSON.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The local day on which it counts, for a user who lives in `zone`.
    pub fn day(&self, zone: &Zone) -> Day {
        let at_end = DatasetInfo::find(self.dataset).is_some_and(|info| info.counts_at_end);
        self.when.day(zone, at_end)
    }

    /// A digest of all that is published of it: equal records, equal digests.
    pub fn digest(&self, day: Day) -> Digest {
        let mut hash = Sha256::new();
        for part in [self.dataset, "\0", &self.key, "\0", &self.body, "\0"] {
            hash.update(part);
        }
        self.when.feed(&mut |bytes| hash.update(bytes));
        hash.update(day.as_number().to_be_bytes());
        Digest::of(hash)
    }
}

/// The first 16 bytes of a SHA-256: enough to tell contents apart, half the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest of these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::of(Sha256::new().chain_update(bytes))
    }

    /// From its stored bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Its bytes as lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.0.iter().fold(String::with_capacity(32), |mut text, byte| {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
            text
        })
    }

    fn of(hash: Sha256) -> Self {
        let full = hash.finalize();
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        Self(short)
    }
}

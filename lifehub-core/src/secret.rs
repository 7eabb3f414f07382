//! Values that must never be printed: no `Display`, no `Serialize`, wiped from memory when dropped.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};

/// A secret text: a token, a password, a key.
///
/// ```
/// # use lifehub_core::secret::Secret;
/// assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Call it where the secret leaves for its one destination, nowhere else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The credentials of one connection by the names that the provider's manifest declares
/// (`access_token`, `api_key`, …).
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, Secret>);

impl Credentials {
    /// No credentials, for providers that need none.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds or replaces one.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, secret: Secret) -> Self {
        self.0.insert(name.into(), secret);
        self
    }

    /// The credential of that name.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// The names that are present.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The clear bytes that a store seals. They wipe themselves.
    pub fn to_clear_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Maps of strings always serialize.
        let clear: BTreeMap<&str, &str> = self.0.iter().map(|(k, v)| (k.as_str(), v.expose())).collect();
        Zeroizing::new(serde_json::to_vec(&clear).unwrap_or_default())
    }

    /// The opposite of [`Credentials::to_clear_bytes`].
    ///
    /// # Errors
    /// If the bytes are not what that function makes.
    pub fn from_clear_bytes(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|_| Error::new(ErrorKind::Storage, "the stored credentials are unreadable"))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

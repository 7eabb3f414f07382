//! Credentials, sealed: what stands of them in the file opens for nobody without the embedder's key.

use std::fmt;

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::unsound;

/// The key under which a store seals credentials. An embedder keeps it where the system keeps passwords, never beside
/// the file.
#[derive(Clone)]
pub struct Key(XChaCha20Poly1305);

/// What stands in the file of credentials: one use of the key, and what came of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    nonce: [u8; 24],
    text: Vec<u8>,
}

impl Key {
    /// The same bytes each time, and for no other purpose.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(&bytes.into()))
    }

    /// The connection's id is part of the seal: sealed credentials that were moved to another one do not open.
    pub(crate) fn seal(&self, connection: ConnectionId, credentials: &Credentials) -> Result<Sealed> {
        let nonce = XNonce::try_generate().map_err(|_| unsound("the system gives no randomness"))?;
        let clear = credentials.to_clear_bytes();
        let payload = Payload { msg: &clear, aad: connection.as_bytes() };
        let text =
            self.0.encrypt(&nonce, payload).map_err(|_| unsound("the credentials could not be sealed"))?;
        Ok(Sealed { nonce: nonce.into(), text })
    }

    pub(crate) fn open(&self, connection: ConnectionId, sealed: &Sealed) -> Result<Credentials> {
        let payload = Payload { msg: &sealed.text, aad: connection.as_bytes() };
        let clear = self.0.decrypt(&sealed.nonce.into(), payload).map_err(|_| {
            Error::new(ErrorKind::Storage, "the stored credentials do not open")
                .hint("open the store with the key that it was made with, or connect the account again")
        })?;
        Credentials::from_clear_bytes(&Zeroizing::new(clear))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([secret])")
    }
}

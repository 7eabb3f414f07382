//! Sealing: XChaCha20-Poly1305 under random nonces. The associated data binds each sealed value to its place, so that a
//! value moved to another row, column, connection or user does not open.

use std::fmt;

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use lifehub_core::record::{ConnectionId, UserId};
use lifehub_core::secret::Credentials;
use lifehub_core::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

const NONCE: usize = 24;

/// What a key is called in the rows that it sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyId(pub(crate) [u8; 16]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// 32 bytes that seal. They are wiped when dropped.
#[derive(Clone)]
pub(crate) struct SealKey(Zeroizing<[u8; SealKey::BYTES]>);

impl SealKey {
    pub(crate) const BYTES: usize = 32;

    /// A new one from the operating system's randomness.
    pub(crate) fn generate() -> Result<Self> {
        random().map(Zeroizing::new).map(Self)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Zeroizing::new).map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// A name that tells keys apart and nothing about them: a hash of 32 random bytes cannot be turned back.
    pub(crate) fn id(&self) -> KeyId {
        let hash = Sha256::new().chain_update(b"lifehub key id\0").chain_update(self.as_bytes()).finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        KeyId(id)
    }

    fn seal(&self, place: &Place<'_>, clear: &[u8]) -> Result<Vec<u8>> {
        self.seal_bytes(&place.bytes(), clear)
    }

    fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.open_bytes(&place.bytes(), sealed)
    }

    /// Nonce, then ciphertext. It opens with the same associated data alone.
    pub(crate) fn seal_bytes(&self, associated: &[u8], clear: &[u8]) -> Result<Vec<u8>> {
        let nonce = XNonce::from(random::<NONCE>()?);
        let payload = Payload { msg: clear, aad: associated };
        let sealed = self.cipher().encrypt(&nonce, payload);
        let sealed = sealed.map_err(|_| Error::new(ErrorKind::Internal, "a secret could not be sealed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// The opposite of [`SealKey::seal_bytes`].
    pub(crate) fn open_bytes(&self, associated: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        let payload = Payload { msg: sealed, aad: associated };
        self.cipher().decrypt(&nonce, payload).ok().map(Zeroizing::new)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let mut key = Key::from(*self.0);
        let cipher = XChaCha20Poly1305::new(&key);
        key.zeroize();
        cipher
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey([secret])")
    }
}

/// The master keys of one source, in their order: several while one replaces another.
#[derive(Debug, Clone)]
pub(crate) struct Ring {
    pub(crate) first: SealKey,
    pub(crate) others: Vec<SealKey>,
}

impl Ring {
    /// Keys in their order; `None` if there are none.
    pub(crate) fn new(keys: impl IntoIterator<Item = SealKey>) -> Option<Self> {
        let mut keys = keys.into_iter();
        Some(Self { first: keys.next()?, others: keys.collect() })
    }

    /// Keys one after another; `None` if they are not whole.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let keys: Option<Vec<SealKey>> = bytes.chunks(SealKey::BYTES).map(SealKey::from_bytes).collect();
        Self::new(keys?)
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SealKey::BYTES * (1 + self.others.len())));
        self.all().for_each(|key| bytes.extend_from_slice(key.as_bytes()));
        bytes
    }

    pub(crate) fn get(&self, id: KeyId) -> Option<&SealKey> {
        self.all().find(|key| key.id() == id)
    }

    fn all(&self) -> impl Iterator<Item = &SealKey> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// Whose credentials they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) user: UserId,
    pub(crate) connection: ConnectionId,
}

/// Where a sealed value belongs. Every part has a fixed length or ends in a zero byte, so no two places look alike.
struct Place<'a> {
    column: &'a str,
    owner: Owner,
    key: KeyId,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        let Self { column, owner, key } = self;
        [
            b"lifehub 1\0credentials\0".as_slice(),
            column.as_bytes(),
            b"\0",
            owner.user.as_bytes(),
            owner.connection.as_bytes(),
            &key.0,
        ]
        .concat()
    }
}

/// The sealed columns of a row of credentials.
#[derive(Debug)]
pub(crate) struct SealedCredentials {
    pub(crate) master_key: KeyId,
    pub(crate) data_key_id: KeyId,
    pub(crate) data_key: Vec<u8>,
    pub(crate) credentials: Vec<u8>,
}

impl SealedCredentials {
    /// Seals credentials under a data key of their own, and that under the master key.
    pub(crate) fn seal(master: &SealKey, owner: Owner, credentials: &Credentials) -> Result<Self> {
        let data = SealKey::generate()?;
        let data_key_id = data.id();
        Ok(Self {
            master_key: master.id(),
            data_key_id,
            data_key: seal_data_key(master, owner, &data)?,
            credentials: data.seal(
                &Place { column: "credentials", owner, key: data_key_id },
                &credentials.to_clear_bytes(),
            )?,
        })
    }

    /// Opens them again, under the master key that they name.
    pub(crate) fn open(&self, master: &SealKey, owner: Owner) -> Result<Credentials> {
        let data = open_data_key(master, owner, &self.data_key);
        let place = Place { column: "credentials", owner, key: self.data_key_id };
        let clear = data.and_then(|data| data.open(&place, &self.credentials)).ok_or_else(|| {
            Error::new(ErrorKind::Storage, "the stored credentials do not open: they were altered or moved")
                .hint("connect the account again")
        })?;
        Credentials::from_clear_bytes(&clear)
    }
}

/// Seals a data key under another master key. `None` if it does not open under the present one.
pub(crate) fn rewrap(
    owner: Owner,
    present: &SealKey,
    next: &SealKey,
    data_key: &[u8],
) -> Result<Option<Vec<u8>>> {
    let data = open_data_key(present, owner, data_key);
    data.map(|data| seal_data_key(next, owner, &data)).transpose()
}

fn seal_data_key(master: &SealKey, owner: Owner, data: &SealKey) -> Result<Vec<u8>> {
    master.seal(&Place { column: "data_key", owner, key: master.id() }, data.as_bytes())
}

fn open_data_key(master: &SealKey, owner: Owner, sealed: &[u8]) -> Option<SealKey> {
    let data = master.open(&Place { column: "data_key", owner, key: master.id() }, sealed)?;
    SealKey::from_bytes(&data)
}

/// Bytes from the operating system's randomness.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    <[u8; N]>::try_generate()
        .map_err(|_| Error::new(ErrorKind::Internal, "the operating system gives no randomness"))
}

/// A name that nothing else has, in hexadecimal digits.
pub(crate) fn unique_name() -> Result<String> {
    random::<16>().map(|bytes| hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

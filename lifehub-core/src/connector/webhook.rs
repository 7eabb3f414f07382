//! What providers send on their own: deliveries, what they mean, and what tells a real one from another.

use std::fmt;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::clock::Timestamp;
use crate::page::Item;
use crate::secret::Secret;

/// One request that came in by webhook.
#[derive(Clone)]
pub struct WebhookDelivery {
    /// Its method.
    pub method: Method,
    /// What follows the provider's own place in the path, without a slash at either end: empty, or what the operator
    /// appended when the provider was told the address.
    pub path: String,
    /// The parameters of its query, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: Bytes,
    /// When it came: the moment at which everything in it counts as observed.
    pub received: Timestamp,
}

impl WebhookDelivery {
    /// A POST of this body, without a query or headers.
    pub fn post(body: impl Into<Bytes>, received: Timestamp) -> Self {
        let (query, headers) = (Vec::new(), HeaderMap::new());
        Self { method: Method::POST, path: String::new(), query, headers, body: body.into(), received }
    }

    /// The first parameter of that name in the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// It shows how much came, not what: that is personal, and a query or path may hold a token.
impl fmt::Debug for WebhookDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookDelivery")
            .field("method", &self.method)
            .field("body", &self.body.len())
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// What a delivery is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WebhookOutcome {
    /// A handshake: this JSON is to be sent back with status 200.
    Answer(serde_json::Value),
    /// News, or none.
    News(Vec<WebhookNews>),
}

/// Something that happened to one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookNews {
    /// The provider's id of the account, as [`Identity`](super::Identity) has it.
    pub account: String,
    /// What happened.
    pub event: WebhookEvent,
}

impl WebhookNews {
    /// Says that something happened to an account.
    pub fn new(account: impl ToString, event: WebhookEvent) -> Self {
        Self { account: account.to_string(), event }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookEvent {
    /// Something in a stream: it is due at once.
    Changed {
        /// The stream's name.
        stream: String,
    },
    /// These items came along, or the news that they are gone. They are stored as if a page had brought them.
    Items {
        /// The stream's name.
        stream: String,
        /// The partition's id; empty in a plain stream.
        partition: String,
        /// The items.
        items: Vec<Item>,
    },
    /// The user took the consent back at the provider.
    Withdrawn,
}

/// What tells whether a delivery is the provider's, without showing a secret: a connector asks, it never sees one.
///
/// ```
/// # use lifehub_core::connector::WebhookKeys;
/// # use lifehub_core::secret::Secret;
/// let keys = WebhookKeys::new(None, Some(Secret::new("hunter2")));
/// assert!(keys.token_is("hunter2") && !keys.token_is("hunter"));
/// assert_eq!(keys.hmac_sha256_is(&[b"body"], "00"), None); // no secret to sign with
/// ```
#[derive(Debug, Default)]
pub struct WebhookKeys {
    client_secret: Option<Secret>,
    token: Option<Secret>,
}

impl WebhookKeys {
    /// Over the secret of the operator's app at the provider, and the token that the operator chose for its webhooks.
    pub fn new(client_secret: Option<Secret>, token: Option<Secret>) -> Self {
        // An empty one would be everybody's.
        let set = |secret: Option<Secret>| secret.filter(|secret| !secret.expose().is_empty());
        Self { client_secret: set(client_secret), token: set(token) }
    }

    /// Whether this is the operator's token, in constant time; no if none is set.
    pub fn token_is(&self, claimed: &str) -> bool {
        let token = self.token.as_ref();
        token.is_some_and(|token| token.expose().as_bytes().ct_eq(claimed.as_bytes()).into())
    }

    /// Whether the HMAC-SHA256 of these parts, one after another, under the app's secret is this one, in hexadecimal
    /// digits of either case; in constant time. `None`: no secret is set, so that nobody can tell.
    pub fn hmac_sha256_is(&self, parts: &[&[u8]], expected_hex: &str) -> Option<bool> {
        let secret = self.client_secret.as_ref()?;
        // A key may be of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
        parts.iter().for_each(|part| mac.update(part));
        Some(from_hex(expected_hex).is_some_and(|expected| mac.verify_slice(&expected).is_ok()))
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_all_parts_under_the_secret() {
        // RFC 4231, test case 2.
        let keys = WebhookKeys::new(Some(Secret::new("Jefe")), None);
        let right = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let is = |parts: &[&[u8]], hex: &str| keys.hmac_sha256_is(parts, hex).unwrap();
        assert!(is(&[b"what do ya want ", b"for nothing?"], right));
        assert!(is(&[b"what do ya want for nothing?"], &right.to_uppercase()));
        assert!(!is(&[b"what do ya want for nothing!"], right));
        for wrong in ["", "5", "zz", &right[..62], &format!("{right}00"), &right.replace('5', "6")] {
            assert!(!is(&[b"what do ya want for nothing?"], wrong), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_not_set_is_nobodys() {
        for keys in [WebhookKeys::default(), WebhookKeys::new(Some(Secret::new("")), Some(Secret::new("")))] {
            assert!(!keys.token_is("") && !keys.token_is("x"));
            assert_eq!(keys.hmac_sha256_is(&[b""], ""), None);
        }
        let keys = WebhookKeys::new(Some(Secret::new("canary")), Some(Secret::new("canary")));
        assert!(!format!("{keys:?}").contains("canary"));
        let mut delivery = WebhookDelivery::post("canary", Timestamp::EPOCH);
        delivery.path = "canary".into();
        delivery.query.push(("token".into(), "canary".into()));
        assert!(!format!("{delivery:?}").contains("canary"));
    }
}

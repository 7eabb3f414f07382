//! What Strava sends to the address that an app subscribed with. The simulator makes no requests: it composes each
//! delivery, and whoever tests a receiver hands it over.

use hmac::{Hmac, KeyInit, Mac};
use lifehub_core::clock::Timestamp;
use lifehub_core::connector::{HeaderValue, Method, WebhookDelivery};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{ATHLETE_ID, StravaSimulator};

/// The id of the app's only subscription.
const SUBSCRIPTION_ID: i64 = 120_475;

/// Something of which Strava tells. Edits of anything but title, type and privacy are not among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happening {
    /// An activity of this id came.
    Created(i64),
    /// One got another title.
    Renamed(i64),
    /// One is gone.
    Deleted(i64),
    /// The athlete took the consent back.
    Deauthorized,
}

impl StravaSimulator {
    /// The POST in which Strava tells of something at that moment, without a signature. Nothing of the world changes:
    /// whoever tells of a deletion deletes.
    pub fn event(happening: Happening, at: Timestamp) -> WebhookDelivery {
        let (object_type, object_id, aspect_type, updates): (_, _, _, Value) = match happening {
            Happening::Created(id) => ("activity", id, "create", json!({})),
            Happening::Renamed(id) => ("activity", id, "update", json!({ "title": "Evening Run" })),
            Happening::Deleted(id) => ("activity", id, "delete", json!({})),
            Happening::Deauthorized => ("athlete", ATHLETE_ID, "update", json!({ "authorized": "false" })),
        };
        let body = json!({
            "aspect_type": aspect_type,
            "event_time": at.as_seconds(),
            "object_id": object_id,
            "object_type": object_type,
            "owner_id": ATHLETE_ID,
            "subscription_id": SUBSCRIPTION_ID,
            "updates": updates,
        });
        WebhookDelivery::post(body.to_string(), at)
    }

    /// The same delivery with the signature that Strava gives it at that moment, under [`Self::CLIENT_SECRET`].
    pub fn signed(mut delivery: WebhookDelivery, at: Timestamp) -> WebhookDelivery {
        let t = at.as_seconds().to_string();
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(Self::CLIENT_SECRET.as_bytes()) {
            [t.as_bytes(), b".", &delivery.body].iter().for_each(|part| mac.update(part));
            let digits: Vec<String> =
                mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
            if let Ok(value) = HeaderValue::from_str(&format!("t={t},v1={}", digits.concat())) {
                delivery.headers.insert("x-strava-signature", value);
            }
        }
        delivery
    }

    /// The GET with which Strava asks whether an address is the app's, while a subscription is made.
    pub fn handshake(verify_token: &str, challenge: &str, at: Timestamp) -> WebhookDelivery {
        let mut delivery = WebhookDelivery::post("", at);
        delivery.method = Method::GET;
        let query =
            [("hub.verify_token", verify_token), ("hub.challenge", challenge), ("hub.mode", "subscribe")];
        delivery.query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        delivery
    }
}

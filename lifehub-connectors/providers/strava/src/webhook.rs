//! Strava's webhooks (<https://developers.strava.com/docs/webhooks>): one subscription for each app, a handshake when it
//! is made, then an event for each thing that happens to one of its athletes.

use lifehub_core::connector::Method;
use lifehub_core::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

const STREAM: &str = "activities";

/// How old, or how far ahead, a signature may be.
const TOLERANCE: Duration = Duration::from_secs(300);

/// What of an event matters here. What a member of another kind of event says is passed over.
#[derive(Deserialize)]
struct Event {
    object_type: String,
    aspect_type: String,
    object_id: i64,
    owner_id: i64,
    #[serde(default)]
    updates: Value,
}

pub(crate) fn receive(keys: &WebhookKeys, delivery: &WebhookDelivery) -> Result<WebhookOutcome> {
    match delivery.method {
        Method::GET => handshake(keys, delivery),
        Method::POST => event(keys, delivery),
        _ => Err(foreign()),
    }
}

/// Strava asks whether the address is one that the app's owner chose.
fn handshake(keys: &WebhookKeys, delivery: &WebhookDelivery) -> Result<WebhookOutcome> {
    let members = ["hub.mode", "hub.challenge", "hub.verify_token"];
    let [Some("subscribe"), Some(challenge), Some(token)] = members.map(|name| delivery.parameter(name))
    else {
        return Err(foreign());
    };
    match keys.token_is(token) {
        true => Ok(WebhookOutcome::Answer(json!({ "hub.challenge": challenge }))),
        false => Err(Error::new(ErrorKind::Unauthorized, "the token of the handshake is another one")
            .hint("set providers.strava.webhook_token to the verify_token with which you subscribe")),
    }
}

fn event(keys: &WebhookKeys, delivery: &WebhookDelivery) -> Result<WebhookOutcome> {
    let is_proved = is_proved(keys, delivery)?;
    // What is wrong with it could show what is in it.
    let event: Event = serde_json::from_slice(&delivery.body).map_err(|_| foreign())?;
    let changed = || WebhookEvent::Changed { stream: STREAM.to_owned() };
    let news = match (event.object_type.as_str(), event.aspect_type.as_str()) {
        // Anybody may send what is not proved: then only Strava itself is believed, which is asked at once.
        ("activity", "delete") | ("athlete", "update") if !is_proved => changed(),
        ("activity", "delete") => {
            let items = vec![Item::Gone { id: event.object_id.to_string(), version: None }];
            WebhookEvent::Items { stream: STREAM.to_owned(), partition: String::new(), items }
        }
        ("activity", "create" | "update") => changed(),
        ("athlete", "update") if event.updates["authorized"] == "false" => WebhookEvent::Withdrawn,
        // Strava may add kinds of events. An error would make it send the same again.
        _ => return Ok(WebhookOutcome::News(Vec::new())),
    };
    Ok(WebhookOutcome::News(vec![WebhookNews::new(event.owner_id, news)]))
}

fn foreign() -> Error {
    Error::new(ErrorKind::Invalid, "Strava sends nothing of this kind")
}

/// Whether a delivery is proved to be Strava's: by its signature, or by the token in the path that Strava was told. Not
/// every delivery is signed, so that a missing proof is no error, but a wrong one is.
fn is_proved(keys: &WebhookKeys, delivery: &WebhookDelivery) -> Result<bool> {
    let refused = |text: &str, hint: &str| Err(Error::new(ErrorKind::Unauthorized, text).hint(hint));
    if let Some(header) = delivery.headers.get("x-strava-signature") {
        let (t, v1) = header.to_str().ok().and_then(signature).unwrap_or_default();
        let at = Timestamp::from_seconds(t.parse().unwrap_or(0));
        let is_recent = delivery.received.since(at).max(at.since(delivery.received)) <= TOLERANCE;
        match keys.hmac_sha256_is(&[t.as_bytes(), b".", &delivery.body], v1) {
            Some(true) if is_recent => return Ok(true),
            Some(_) => {
                return refused("the signature is wrong or old", "are client_secret and the clock right?");
            }
            // Without the app's secret nobody can tell.
            None => {}
        }
    }
    match delivery.path.as_str() {
        "" => Ok(false),
        path if keys.token_is(path) => Ok(true),
        _ => refused("the token in the path is another one", "end the callback_url with webhook_token"),
    }
}

/// Its two parts that matter: `t=1767225600,v1=0f3a…`.
fn signature(header: &str) -> Option<(&str, &str)> {
    let part = |name| header.split(',').find_map(|part| part.trim().strip_prefix(name));
    Some((part("t=")?, part("v1=")?))
}

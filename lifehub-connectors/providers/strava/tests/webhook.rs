//! Strava's webhooks: the handshake, what an event does, and who is believed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::{Clock as _, Timestamp};
use lifehub_core::connector::{
    Connector as _, HeaderValue, Method, WebhookDelivery, WebhookEvent, WebhookKeys, WebhookNews,
    WebhookOutcome,
};
use lifehub_core::engine::{Engine, Report, SyncOptions};
use lifehub_core::oauth::{Standing, Vault as _};
use lifehub_core::page::Item;
use lifehub_core::schedule::Schedule as _;
use lifehub_core::secret::Secret;
use lifehub_strava::Strava;
use lifehub_strava::simulator::{ATHLETE_ID, Happening, StravaSimulator};
use lifehub_testkit::{Rig, Setup};
use serde_json::json;

const TOKEN: &str = "verify-canary";
const SIGNATURE: &str = "x-strava-signature";

fn now() -> Timestamp {
    "2026-08-10T12:07:00Z".parse().unwrap()
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn keys() -> WebhookKeys {
    let secret = Some(Secret::new(StravaSimulator::CLIENT_SECRET));
    WebhookKeys::new(secret, Some(Secret::new(TOKEN)))
}

fn event(happening: Happening) -> WebhookDelivery {
    StravaSimulator::event(happening, now())
}

fn signed(happening: Happening) -> WebhookDelivery {
    StravaSimulator::signed(event(happening), now())
}

fn read(delivery: &WebhookDelivery) -> lifehub_core::Result<WebhookOutcome> {
    Strava.receive(&keys(), delivery)
}

/// What a delivery says of the athlete; nothing, if it is of a kind that does not matter.
#[track_caller]
fn said(delivery: &WebhookDelivery) -> Option<WebhookEvent> {
    let WebhookOutcome::News(mut news) = read(delivery).unwrap() else { panic!("an answer") };
    assert!(news.len() < 2);
    news.pop().map(|WebhookNews { account, event }| {
        assert_eq!(account, ATHLETE_ID.to_string());
        event
    })
}

#[track_caller]
fn refused(delivery: &WebhookDelivery, kind: ErrorKind) {
    let error = read(delivery).unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

fn changed() -> Option<WebhookEvent> {
    Some(WebhookEvent::Changed { stream: "activities".into() })
}

#[test]
fn the_handshake_is_answered_to_who_knows_the_token() {
    let right = StravaSimulator::handshake(TOKEN, "15f7d1a91c1f40f8a748fd134752feb3", now());
    let answer = WebhookOutcome::Answer(json!({ "hub.challenge": "15f7d1a91c1f40f8a748fd134752feb3" }));
    assert_eq!(read(&right).unwrap(), answer);

    refused(&StravaSimulator::handshake("canary", "x", now()), ErrorKind::Unauthorized);
    let nobodys = Strava.receive(&WebhookKeys::default(), &right).unwrap_err();
    assert_eq!(nobodys.kind(), ErrorKind::Unauthorized, "no token is set");
    assert!(nobodys.get_hint().unwrap().contains("webhook_token"));
    for missing in ["hub.mode", "hub.challenge", "hub.verify_token"] {
        let mut cut = right.clone();
        cut.query.retain(|(name, _)| name != missing);
        refused(&cut, ErrorKind::Invalid);
    }
    let mut other = right;
    other.method = Method::PUT;
    refused(&other, ErrorKind::Invalid);
}

#[test]
fn signed_events_say_what_happened() {
    assert_eq!(said(&signed(Happening::Created(7))), changed());
    assert_eq!(said(&signed(Happening::Renamed(7))), changed());
    assert_eq!(said(&signed(Happening::Deauthorized)), Some(WebhookEvent::Withdrawn));
    // Ids exceed 2^53.
    let items = vec![Item::Gone { id: "9007199254740993".into(), version: None }];
    let gone = WebhookEvent::Items { stream: "activities".into(), partition: String::new(), items };
    assert_eq!(said(&signed(Happening::Deleted(9_007_199_254_740_993))), Some(gone));
}

#[test]
fn what_is_not_proved_only_makes_strava_be_asked() {
    for happening in
        [Happening::Created(7), Happening::Renamed(7), Happening::Deleted(7), Happening::Deauthorized]
    {
        assert_eq!(said(&event(happening)), changed(), "{happening:?}");
        let without_secret = WebhookKeys::new(None, Some(Secret::new(TOKEN)));
        let news = Strava.receive(&without_secret, &signed(happening)).unwrap();
        let asks = WebhookOutcome::News(vec![WebhookNews::new(ATHLETE_ID, changed().unwrap())]);
        assert_eq!(news, asks, "a signature that nobody can check");
    }
    // The token in the path proves as much as a signature.
    let mut told = event(Happening::Deauthorized);
    told.path = TOKEN.into();
    assert_eq!(said(&told), Some(WebhookEvent::Withdrawn));
    told.path = "canary".into();
    refused(&told, ErrorKind::Unauthorized);
}

#[test]
fn a_signature_that_is_there_has_to_be_right_and_recent() {
    let right = signed(Happening::Deleted(7));
    for (ahead, behind, good) in [(0, 300, true), (300, 0, true), (0, 301, false), (301, 0, false)] {
        let mut late = right.clone();
        late.received = now() + secs(behind) - secs(ahead);
        match good {
            true => assert!(matches!(said(&late), Some(WebhookEvent::Items { .. }))),
            false => refused(&late, ErrorKind::Unauthorized),
        }
    }
    let text = right.header(SIGNATURE).unwrap().to_owned();
    let (t, v1) = text.split_once(',').unwrap();
    let later = format!("t={},{v1}", now().as_seconds() + 1);
    let spaced = format!("{v1}, {t}");
    for (header, good) in [
        (&*spaced, true),
        (&*later, false),
        (t, false),
        (v1, false),
        ("", false),
        ("t=canary,v1=canary", false),
        (&*format!("{t},v1="), false),
        (&*format!("{t},v1=00"), false),
        (&*text.replace(char::is_numeric, "0"), false),
    ] {
        let mut changed = right.clone();
        changed.headers.insert(SIGNATURE, HeaderValue::from_str(header).unwrap());
        // Not even the token in the path makes up for a wrong one.
        changed.path = TOKEN.into();
        match good {
            true => assert!(said(&changed).is_some(), "{header}"),
            false => refused(&changed, ErrorKind::Unauthorized),
        }
    }
    let mut other = right;
    other.body = event(Happening::Deleted(8)).body;
    refused(&other, ErrorKind::Unauthorized);
}

#[test]
fn what_is_not_known_is_passed_over_and_what_is_no_event_refused() {
    let with = |member: &str, value: serde_json::Value| {
        let mut body: serde_json::Value =
            serde_json::from_slice(&event(Happening::Deauthorized).body).unwrap();
        body[member] = value;
        StravaSimulator::signed(WebhookDelivery::post(body.to_string(), now()), now())
    };
    for (member, value) in [
        ("aspect_type", json!("archive")),
        ("object_type", json!("route")),
        ("updates", json!({})),
        ("updates", json!({ "authorized": "true" })),
        ("updates", json!({ "weight": [7] })),
    ] {
        assert_eq!(said(&with(member, value.clone())), None, "{member}: {value}");
    }
    assert_eq!(said(&with("more", json!(1))), Some(WebhookEvent::Withdrawn));
    for body in ["", "canary", "[]", "{}", r#"{"object_type":"canary"}"#] {
        refused(&WebhookDelivery::post(body, now()), ErrorKind::Invalid);
    }
    refused(&with("owner_id", json!("canary")), ErrorKind::Invalid);
}

/// An athlete who is connected and synced.
struct Athlete {
    rig: Rig<StravaSimulator>,
    engine: Engine,
}

async fn athlete() -> Athlete {
    let simulator = StravaSimulator::seeded(&Setup::new(7, now()).days(60));
    let mut rig = Rig::new(Strava, simulator.into(), now()).unwrap().with_quotas();
    rig.connection.account = Some(ATHLETE_ID.to_string());
    rig.store.add_connection(rig.connection.clone());
    rig.operator["webhook_token"] = json!(TOKEN);
    let engine = rig.engine();
    engine.sync(&rig.connection, &SyncOptions::default()).await.unwrap();
    rig.server.take_requests();
    Athlete { rig, engine }
}

impl Athlete {
    async fn tells(&self, happening: Happening, is_signed: bool) {
        self.rig.clock.advance(secs(60));
        let at = self.rig.clock.now();
        let delivery = StravaSimulator::event(happening, at);
        let delivery = if is_signed { StravaSimulator::signed(delivery, at) } else { delivery };
        assert_eq!(self.engine.receive("strava", &delivery).await.unwrap(), None);
    }

    /// Syncs what is due, as a worker does.
    async fn round(&self) -> Option<Report> {
        let due = self.rig.store.claim_due(&["strava"], self.rig.clock.now(), 1).await.unwrap();
        let (connection, lease) = due.first()?;
        let mut options = SyncOptions::default();
        options.only_due = true;
        Some(self.engine.sync_under(connection, lease, &options).await.unwrap())
    }

    /// Whether what is stored is what Strava has.
    fn is_up_to_date(&self) -> bool {
        self.rig.records("").len() == self.rig.simulator.world().truth().len()
    }
}

#[tokio::test]
async fn an_upload_and_a_deletion_are_there_within_a_round() {
    let athlete = athlete().await;
    assert!(athlete.is_up_to_date() && athlete.round().await.is_none());

    let id = athlete.rig.simulator.world().add(now(), json!({}));
    athlete.tells(Happening::Created(id), false).await;
    assert!(!athlete.is_up_to_date());
    assert_eq!(athlete.round().await.unwrap().totals().inserted, 1);
    assert!(athlete.is_up_to_date() && athlete.round().await.is_none());

    // The oldest lies before the 30 days that each sync reads again.
    let oldest = athlete.rig.simulator.world().truth()[0].id;
    athlete.rig.simulator.world().delete([oldest]);
    athlete.tells(Happening::Deleted(oldest), true).await;
    assert_eq!(athlete.round().await.unwrap().totals().deleted, 1);
    assert!(athlete.is_up_to_date() && athlete.round().await.is_none());
}

#[tokio::test]
async fn a_forged_deletion_deletes_nothing() {
    let athlete = athlete().await;
    let newest = athlete.rig.simulator.world().truth().pop().unwrap().id;
    athlete.tells(Happening::Deleted(newest), false).await;
    assert_eq!(athlete.round().await.unwrap().totals().deleted, 0);
    assert!(athlete.is_up_to_date());
}

#[tokio::test]
async fn a_consent_taken_back_asks_for_another() {
    let standing = async |athlete: &Athlete| {
        athlete.rig.store.credentials(athlete.rig.connection.id).await.unwrap().standing
    };
    for is_signed in [true, false] {
        let athlete = athlete().await;
        athlete.rig.simulator.set_token("another");
        athlete.tells(Happening::Deauthorized, is_signed).await;
        // What is not proved is found out by asking.
        assert_eq!(standing(&athlete).await != Standing::Good, is_signed);
        if !is_signed {
            athlete.round().await.unwrap();
        }
        assert!(matches!(standing(&athlete).await, Standing::Refused { .. }));
        assert!(athlete.is_up_to_date(), "the data stays");
    }
}

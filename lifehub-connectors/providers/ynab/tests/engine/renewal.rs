//! Tokens that end after two hours, and refresh tokens that are good for one use.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::Clock;
use lifehub_core::engine::SyncOptions;
use lifehub_core::oauth::Vault;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Fault, FaultPlan, Probe, Reply};
use lifehub_ynab::simulator::YnabSimulator;

use crate::rig::{HOUR, Rig, rig};

impl Rig {
    /// Connects by a consent that was just given. Returns the refresh token.
    fn connect(&self) -> String {
        let issued = self.simulator.oauth().issue(&["read-only"], self.clock.now());
        let refresh = issued.refresh_token.unwrap();
        let end = self.clock.now() + Duration::from_secs(issued.expires_in_s.unwrap());
        let credentials = [
            ("access_token", issued.access_token),
            ("refresh_token", refresh.clone()),
            ("expires_at", end.to_string()),
            ("expires_in", "7200".to_owned()),
        ];
        let credentials = credentials
            .into_iter()
            .fold(Credentials::none(), |all, (name, text)| all.with(name, Secret::new(text)));
        self.set_credentials(credentials);
        refresh
    }

    /// What is stored now.
    async fn refresh_token(&self) -> String {
        let held = self.store.credentials(self.connection.id).await.unwrap();
        held.credentials.get("refresh_token").unwrap().expose().to_owned()
    }

    /// Somebody else's use of a refresh token.
    fn refresh(&self, token: &str) -> Reply {
        let app =
            format!("client_id={}&client_secret={}", YnabSimulator::CLIENT_ID, YnabSimulator::CLIENT_SECRET);
        let form = format!("{app}&grant_type=refresh_token&refresh_token={token}");
        Probe::post_form(format!("{}/oauth/token", self.server.url()), &form).send().unwrap()
    }

    fn get_user(&self, token: &str) -> u16 {
        Probe::get(format!("{}/v1/user", self.server.url())).bearer(token).send().unwrap().status
    }
}

#[tokio::test]
async fn a_refresh_token_dies_at_the_first_use_of_the_new_access_token() {
    let rig = rig("");
    let first = rig.connect();
    let renewed = rig.refresh(&first).json().unwrap();
    assert_eq!((&renewed["token_type"], &renewed["expires_in"]), (&"bearer".into(), &7_200.into()));
    let text = |member: &str| renewed[member].as_str().unwrap();
    // Whoever never saw the answer may ask again.
    assert_eq!(rig.refresh(&first).status, 200);
    assert_eq!(rig.get_user(text("access_token")), 200);
    let refused = rig.refresh(&first);
    assert_eq!((refused.status, refused.json().unwrap()["error"].clone()), (400, "invalid_grant".into()));
    assert_eq!(rig.refresh(text("refresh_token")).status, 200);
}

#[tokio::test]
async fn tokens_are_renewed_as_they_end_and_stored_before_they_are_used() {
    let rig = rig("");
    let mut old = rig.connect();
    rig.sync().await;
    for round in 1..=3 {
        rig.clock.advance(2 * HOUR);
        // What is in the store when the first call with the new access token comes.
        let stored = Arc::new(Mutex::new(None));
        let (seen, store, id) = (stored.clone(), rig.store.clone(), rig.connection.id);
        rig.server.after(1, move || {
            let mut asked = store.credentials(id);
            // The vault in memory answers without waiting.
            let Poll::Ready(held) = asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
                return;
            };
            let token = held.unwrap().credentials.get("refresh_token").unwrap().expose().to_owned();
            *seen.lock().unwrap() = Some(token);
        });
        rig.sync().await;
        let new = rig.refresh_token().await;
        assert!(new != old && *stored.lock().unwrap() == Some(new.clone()), "round {round}");
        assert_eq!(rig.refresh(&old).status, 400, "round {round}: it was good for one use");
        let tally = rig.simulator.oauth().tally();
        assert_eq!((tally.refreshes, tally.early, tally.in_leeway), (round, 0, 0));
        old = new;
    }
    rig.equals_truth("transactions");
}

#[tokio::test]
async fn an_answer_that_is_lost_costs_no_consent() {
    let rig = rig("");
    rig.connect();
    rig.sync().await;
    rig.clock.advance(2 * HOUR);
    // YNAB has handed out a pair that never arrived; as it was never used, the old refresh token is still good.
    rig.server.set_faults(FaultPlan::none().at(1, Fault::CutBody));
    rig.run(&SyncOptions::default()).await;
    rig.server.set_faults(FaultPlan::none());
    rig.clock.advance(HOUR);
    rig.sync().await;
    assert_eq!(rig.simulator.oauth().tally().in_leeway, 1);
    rig.equals_truth("transactions");
}

#[tokio::test]
async fn a_consent_that_was_taken_back_asks_to_connect_again_and_loses_nothing() {
    let rig = rig("");
    let refresh = rig.connect();
    rig.sync().await;
    let before = rig.records("").len();
    assert!(rig.simulator.oauth().withdraw(&refresh));
    for _ in 0..2 {
        let errors = rig.errors().await;
        assert!(errors.len() == 1 && errors[0].kind == ErrorKind::Unauthorized, "{errors:?}");
        assert!(errors[0].hint.as_ref().is_some_and(|hint| hint.contains("connect")), "{errors:?}");
    }
    assert_eq!(rig.records("").len(), before);
    rig.connect();
    rig.sync().await;
    rig.equals_truth("transactions");
}

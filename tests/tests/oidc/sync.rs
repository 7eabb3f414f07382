//! Connections that sync: whoever notices that a token has ended, each end costs one token call.

use std::collections::HashSet;
use std::slice::from_ref;
use std::sync::Arc;

use futures_util::future::join_all;
use lifehub_core::ErrorKind;
use lifehub_core::engine::{RunStatus, SyncEvent, SyncOptions};
use lifehub_core::oauth::{Refresher, Vault as _};
use lifehub_store::ConnectionStatus;

use crate::home::Home;
use crate::issuer::{BASIC, FORM, Issuer, LIFE, PROVIDER, text};

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_each_end_of_a_token_costs_one_call_over_all_engines() {
    let Some(issuer) = Issuer::start() else { return };
    let home = Home::with(issuer, BASIC, 4).await;
    let connections = [home.connect("anna").await, home.connect("bert").await];
    let count = connections.len() as u64;
    let mut refresh_tokens = HashSet::new();
    for ends in 0..4 {
        for _ in 0..2 {
            home.sync(&connections).await;
            let tally = home.issuer.tally();
            assert_eq!((tally.codes, tally.refreshes), (count, count * ends), "{tally:?}");
        }
        for one in &connections {
            refresh_tokens.insert(text(&home.credentials(one).await, "refresh_token").to_owned());
        }
        match ends % 2 {
            0 => home.issuer.advance(LIFE),
            // A minute ahead, while the token is still good.
            _ => home.issuer.advance(LIFE - 30),
        }
    }
    assert_eq!(refresh_tokens.len() as u64, count * 4, "each is used once");
    home.sync(&connections).await;
    let tally = home.issuer.tally();
    assert_eq!((tally.token_calls, tally.refused, tally.revoked_grants), (count * 5, 0, 0), "{tally:?}");
    for one in &connections {
        assert_eq!(home.issuer.me(&home.credentials(one).await).status, 200, "the consent is alive");
        assert_eq!(home.status(one).await, ConnectionStatus::Active);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_a_401_outranks_an_end_that_is_far() {
    let Some(issuer) = Issuer::start() else { return };
    let home = Home::with(issuer, FORM, 3).await;
    let connection = [home.connect("anna").await];
    for ends in 1..4 {
        // Our clock stands still: only the server knows that the token has ended.
        home.issuer.advance_server(LIFE);
        home.sync(&connection).await;
        let tally = home.issuer.tally();
        assert_eq!((tally.refreshes, tally.refused, tally.revoked_grants), (ends, 0, 0), "{tally:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_9_of_all_that_renew_the_same_token_one_asks() {
    let Some(issuer) = Issuer::start() else { return };
    let home = Home::with(issuer, BASIC, 6).await;
    let connection = home.connect("anna").await;
    let refreshers = home.workers.iter().map(|(store, _)| {
        Refresher::new(Arc::new(store.clone()), home.issuer.clock.clone(), |_| panic!("nothing is refused"))
    });
    let refreshers: Vec<_> = refreshers.collect();
    let renewal = Arc::new(home.issuer.client(home.app));
    for round in 1..=5 {
        let seen = home.store().credentials(connection.id).await.unwrap().revision;
        let all =
            refreshers.iter().chain(&refreshers).map(|one| one.renew(connection.id, seen, renewal.clone()));
        let renewed: Vec<_> = join_all(all).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(renewed.iter().filter(|one| one.asked).count(), 1);
        let newest = home.credentials(&connection).await;
        for one in &renewed {
            assert_eq!(text(&one.held.credentials, "access_token"), text(&newest, "access_token"));
        }
        assert_eq!(home.issuer.me(&newest).status, 200);
        let tally = home.issuer.tally();
        assert_eq!((tally.refreshes, tally.refused, tally.revoked_grants), (round, 0, 0), "{tally:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_that_ended_is_noticed_once_and_the_user_connects_again() {
    let Some(issuer) = Issuer::start() else { return };
    let home = Home::with(issuer, FORM, 1).await;
    let connection = home.connect("anna").await;
    home.sync(from_ref(&connection)).await;

    let client = home.engine().oauth(PROVIDER).unwrap();
    client.revoke(&home.credentials(&connection).await).await.unwrap();
    let mut events = home.engine().events();
    let calls = home.issuer.tally().token_calls;
    for _ in 0..3 {
        let report = home.engine().sync(&connection, &SyncOptions::default()).await.unwrap();
        let error = report.streams[0].error.as_ref().unwrap();
        assert_eq!(error.kind, ErrorKind::Unauthorized, "{error:?}");
        assert_eq!(home.status(&connection).await, ConnectionStatus::ReconnectRequired);
    }
    assert_eq!(home.issuer.tally().token_calls, calls + 1, "nobody asks in vain twice a day");
    let mut notices = 0;
    while let Ok(event) = events.try_recv() {
        notices += u64::from(matches!(event, SyncEvent::ReconnectRequired { .. }));
    }
    assert_eq!(notices, 1);

    let again = home.connect("anna").await;
    assert_eq!(again.id, connection.id);
    let report = home.engine().sync(&again, &SyncOptions::default()).await.unwrap();
    assert_eq!((report.status, report.totals().unchanged), (RunStatus::Ok, 1), "the data stayed: {report:?}");
    assert_eq!(home.status(&again).await, ConnectionStatus::Active);
}

//! What is refused on the way back, before any token call, wherever the consents under way are kept.

use lifehub_core::oauth::{Authorizations, Authorized, Callback, MemoryAuthorizations, Who};
use lifehub_core::{ErrorKind, Result};

use crate::browser::{altered, parameter, visit};
use crate::home::open;
use crate::issuer::{BASIC, Issuer, PROVIDER, SESSION, begin, finish, user};

#[tokio::test]
async fn what_is_not_the_end_of_what_was_begun_makes_no_token_call() {
    let Some(issuer) = Issuer::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    ends_before_any_call(&issuer, &MemoryAuthorizations::default()).await;
    ends_before_any_call(&issuer, &open(&folder, &issuer).await).await;
}

async fn ends_before_any_call(issuer: &Issuer, store: &dyn Authorizations) {
    let client = issuer.client(BASIC);
    let refused = |result: Result<Authorized>, kind: ErrorKind, what: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert_eq!(issuer.tally().token_calls, 0, "{what}");
    };
    let invalid = ErrorKind::Invalid;

    // A mix-up: another server sent the user back (RFC 9207).
    let query = visit(&begin(&client, store).await, "anna");
    assert_eq!(parameter(&query, "iss").as_deref(), Some(issuer.url().as_str().trim_end_matches('/')));
    let mixed_up = altered(&query, "iss", "https://elsewhere.example");
    refused(finish(&client, store, &mixed_up).await, invalid, "another issuer");
    refused(finish(&client, store, &query).await, invalid, "the right issuer after a wrong one");

    // A state that was begun elsewhere, or nowhere.
    let (query, others) = (visit(&begin(&client, store).await, "anna"), MemoryAuthorizations::default());
    refused(finish(&client, &others, &query).await, invalid, "a foreign state");
    let invented = altered(&query, "state", "invented");
    refused(finish(&client, store, &invented).await, invalid, "an invented state");
    let nowhere = query.replace("state=", "status=");
    refused(finish(&client, store, &nowhere).await, invalid, "no state");
    refused(finish(&client, store, &format!("{query}&code=other")).await, invalid, "two codes");

    // Somebody else.
    let who = || Who { provider: PROVIDER, user: user(1), session: SESSION };
    let others = [
        ("another user", Who { user: user(2), ..who() }),
        ("another session", Who { session: "session-two", ..who() }),
        ("another provider", Who { provider: "calendar", ..who() }),
    ];
    for (what, other) in others {
        let query = visit(&begin(&client, store).await, "anna");
        let callback = || Callback::from_query(&query).unwrap();
        refused(client.finish(store, callback(), other).await, invalid, what);
        refused(client.finish(store, callback(), who()).await, invalid, "the right one after a wrong one");
    }

    // The user said no, or thought about it for too long.
    let query = visit(&begin(&client, store).await, "refuses");
    refused(finish(&client, store, &query).await, ErrorKind::Forbidden, "denied consent");
    let query = visit(&begin(&client, store).await, "anna");
    issuer.advance(601);
    refused(finish(&client, store, &query).await, invalid, "after ten minutes");
}

#[tokio::test]
async fn a_way_back_that_comes_twice_makes_one_token_call() {
    let Some(issuer) = Issuer::start() else { return };
    let client = issuer.client(BASIC);
    let folder = tempfile::tempdir().unwrap();
    // Each half of the second pair looks like another process.
    let (one, two) = (open(&folder, &issuer).await, open(&folder, &issuer).await);
    let memory = MemoryAuthorizations::default();
    let pairs: [[&dyn Authorizations; 2]; 2] = [[&memory, &memory], [&one, &two]];
    for (calls, [one, two]) in (1..).zip(pairs) {
        let query = visit(&begin(&client, one).await, "anna");
        let (first, second) = tokio::join!(finish(&client, one, &query), finish(&client, two, &query));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        assert_eq!(finish(&client, one, &query).await.unwrap_err().kind(), ErrorKind::Invalid);
        let tally = issuer.tally();
        assert_eq!((tally.token_calls, tally.codes, tally.revoked_grants), (calls, calls, 0));
    }
}

//! Renewing a connection that was named: the same user, provider and account, or nothing happens.

use lifehub_core::ErrorKind;
use lifehub_core::clock::Zone;
use lifehub_core::engine::SyncStore;
use lifehub_core::oauth::Vault;
use lifehub_core::record::ConnectionId;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{ConnectionFilter, ConnectionStatus, NewConnection};
use serde_json::{Value, json};

use crate::world::{World, insert, new_connection, put, workout};

fn renewal(world: &World, named: ConnectionId, account: Option<&str>) -> NewConnection {
    NewConnection { renew: Some(named), ..new_connection(world.user, account, "newer") }
}

/// Everything that a renewal may change.
#[derive(Debug, PartialEq)]
struct State {
    account: Option<String>,
    settings: Value,
    status: ConnectionStatus,
    revision: u64,
    token: Option<String>,
}

async fn state(world: &World, id: ConnectionId) -> State {
    let info = world.store.connection(id).await.unwrap();
    let held = world.store.credentials(id).await.unwrap();
    State {
        account: info.connection.account,
        settings: info.connection.settings,
        status: info.status,
        revision: held.revision,
        token: held.credentials.get("access_token").map(|token| token.expose().to_owned()),
    }
}

#[tokio::test]
async fn a_named_connection_is_renewed_and_keeps_its_data() {
    let world = World::new().await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1.0))])]).await;
    let cursors = world.store.partitions(world.connection, "activities").await.unwrap();
    for account in [Some("a"), None, Some("")] {
        world.store.set_status(world.connection, ConnectionStatus::ReconnectRequired).await.unwrap();
        let settings = json!({ "colour": account });
        let new = NewConnection { settings: settings.clone(), ..renewal(&world, world.connection, account) };
        assert_eq!(world.store.connect(new).await.unwrap(), (world.connection, false));
        let now = state(&world, world.connection).await;
        assert_eq!((now.account.as_deref(), now.settings), (Some("a"), settings));
        assert_eq!((now.status, now.token.as_deref()), (ConnectionStatus::Active, Some("newer")));
    }
    assert_eq!(world.all(false).await.len(), 1);
    assert_eq!(world.store.partitions(world.connection, "activities").await.unwrap(), cursors);
    // One that was ended goes on too.
    world.store.disconnect(world.connection).await.unwrap();
    world.store.connect(renewal(&world, world.connection, Some("a"))).await.unwrap();
    assert_eq!(state(&world, world.connection).await.status, ConnectionStatus::Active);
}

#[tokio::test]
async fn what_does_not_agree_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let eve = world.store.create_user("eve@example.com", &Zone::utc()).await.unwrap();
    let before = state(&world, world.connection).await;
    let named = || renewal(&world, world.connection, Some("a"));
    let nobody = renewal(&world, ConnectionId::from_bytes([7; 16]), Some("a"));
    for (new, kind, part) in [
        (NewConnection { user: eve, ..named() }, ErrorKind::Invalid, "another user's"),
        (NewConnection { provider: "ical".into(), ..named() }, ErrorKind::Invalid, "another provider"),
        (NewConnection { account: Some("b".into()), ..named() }, ErrorKind::Invalid, "another account"),
        (nobody, ErrorKind::NotFound, "no such connection"),
    ] {
        let error = world.store.connect(new).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().contains(part), "{error:?}");
        assert!(error.get_hint().is_some() || kind == ErrorKind::NotFound, "{error:?}");
    }
    assert_eq!(state(&world, world.connection).await, before);
    assert_eq!(world.store.connections(ConnectionFilter::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_account_that_was_not_known_is_learned_unless_it_is_anothers() {
    let world = World::new().await;
    let credentials = Credentials::none().with("access_token", Secret::new("old"));
    let unknown = NewConnection::new(world.user, "strava", credentials);
    let (unknown, made) = world.store.connect(unknown).await.unwrap();
    assert!(made);
    let before = state(&world, unknown).await;
    let error = world.store.connect(renewal(&world, unknown, Some("a"))).await.unwrap_err();
    assert!(
        error.kind() == ErrorKind::Invalid && error.message().contains("another connection"),
        "{error:?}"
    );
    assert_eq!(state(&world, unknown).await, before);
    assert_eq!(world.store.connect(renewal(&world, unknown, Some("b"))).await.unwrap(), (unknown, false));
    assert_eq!(state(&world, unknown).await.account.as_deref(), Some("b"));
    assert_eq!(world.store.connect(renewal(&world, unknown, Some("b"))).await.unwrap(), (unknown, false));
}

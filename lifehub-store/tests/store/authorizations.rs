//! Consents under way, as the file keeps them.

use lifehub_core::ErrorKind;
use lifehub_core::oauth::{Authorizations, Pending};
use lifehub_core::secret::Secret;
use sqlx::Row as _;

use crate::world::{World, instant};

fn pending(world: &World, seconds: i64) -> Pending {
    Pending {
        provider: "strava".into(),
        user: world.user,
        session: "session".into(),
        connection: None,
        redirect: "https://example.org/back".parse().unwrap(),
        verifier: Some(Secret::new("verifier")),
        created_at: instant(seconds),
    }
}

fn state(number: i64) -> Secret {
    Secret::new(format!("state {number}"))
}

async fn count(world: &World) -> i64 {
    let sql = "SELECT count(*) FROM authorizations";
    sqlx::query(sql).fetch_one(&mut world.raw().await).await.unwrap().get(0)
}

#[tokio::test]
async fn what_nobody_comes_back_for_is_forgotten() {
    let world = World::new().await;
    for minute in 0..60 {
        world.store.put(&state(minute), pending(&world, minute * 60)).await.unwrap();
    }
    assert_eq!(count(&world).await, 11, "those of the last ten minutes");
    assert!(world.store.take(&state(48)).await.unwrap().is_none());
    assert!(world.store.take(&state(49)).await.unwrap().is_some());
    // The machine's clock was an hour ahead, and is set.
    world.store.put(&state(99), pending(&world, -3600)).await.unwrap();
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn what_was_altered_or_moved_does_not_open() {
    for sql in [
        "UPDATE authorizations SET sealed = (SELECT sealed FROM authorizations WHERE state <> s.state) FROM
            (SELECT state FROM authorizations LIMIT 1) s WHERE authorizations.state = s.state",
        "UPDATE authorizations SET sealed = zeroblob(length(sealed))",
        "UPDATE authorizations SET sealed = x''",
    ] {
        let world = World::new().await;
        for number in 0..2 {
            world.store.put(&state(number), pending(&world, 0)).await.unwrap();
        }
        sqlx::query(sql).execute(&mut world.raw().await).await.unwrap();
        let taken = [world.store.take(&state(0)).await, world.store.take(&state(1)).await];
        let error = taken.into_iter().find_map(Result::err).expect("one that does not open");
        assert_eq!(error.kind(), ErrorKind::Storage, "{error:?}");
        assert!(error.get_hint().is_some() && !format!("{error:?}").contains("state 0"), "{error:?}");
        assert_eq!(count(&world).await, 0, "whatever came of it, it is spent");
    }
}

/// Two handles on one file are as good as two processes.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_processes_takes_it() {
    let world = World::new().await;
    let other = crate::world::open(&world.dir).await;
    for round in 0..20 {
        world.store.put(&state(round), pending(&world, 0)).await.unwrap();
        let (one, two) = (world.store.clone(), other.clone());
        let taking = [one, two].map(|store| tokio::spawn(async move { store.take(&state(round)).await }));
        let mut taken = 0;
        for task in taking {
            taken += u32::from(task.await.unwrap().unwrap().is_some());
        }
        assert_eq!(taken, 1, "round {round}");
    }
}

#[tokio::test]
async fn a_new_master_key_does_not_touch_it() {
    let world = World::new().await;
    world.store.put(&state(0), pending(&world, 0)).await.unwrap();
    world.store.rotate_keys(|_, _| ()).await.unwrap();
    let found = world.store.take(&state(0)).await.unwrap().expect("it is there");
    assert_eq!(found.verifier.unwrap().expose(), "verifier");
    assert_eq!(found.created_at, instant(0));
}

//! Leases between processes: a second store on the same file is another process as far as files and locks go.

use lifehub_core::engine::{Claim, Leases};

use crate::world::{World, claim, open};

#[tokio::test]
async fn rule_10_leases_of_a_dead_process_are_free_at_once() {
    let world = World::new().await;
    let other = open(&world.dir).await;
    let epoch = world.lease.epoch;
    for store in [&other, &world.store] {
        assert_eq!(store.claim(world.connection).await.unwrap(), Claim::Busy { epoch });
    }
    let World { store, connection, dir, lease, .. } = world;
    let lock = || std::fs::read_dir(dir.path().join("test.db.holders")).unwrap().count();
    assert_eq!(lock(), 2);
    // As the kernel does when a process dies: the lock goes, the lease's row stays.
    drop(store);
    assert_eq!(claim(&other, connection).await.epoch, epoch + 1);
    assert_eq!(lock(), 1);
    assert!(other.renew(&lease).await.is_err());
}

#[tokio::test]
async fn rule_10_a_killed_process_leaves_a_file_that_nobody_locks() {
    let world = World::new().await;
    let holder: String =
        sqlx::query_scalar("SELECT holder FROM leases").fetch_one(&mut world.raw().await).await.unwrap();
    let lock = world.dir.path().join(format!("test.db.holders/{holder}.lock"));
    assert!(lock.exists());
    drop(world.store);
    std::fs::write(&lock, "").unwrap();
    let other = open(&world.dir).await;
    assert_eq!(claim(&other, world.connection).await.epoch, world.lease.epoch + 1);
    assert!(!lock.exists(), "the stale file is removed");
}

#[tokio::test]
async fn rule_10_what_expired_or_was_given_back_is_free() {
    let world = World::new().await;
    let other = open(&world.dir).await;
    world.store.release(&world.lease).await.unwrap();
    let second = claim(&other, world.connection).await;
    let expire = "UPDATE leases SET expires_at = 0";
    sqlx::query(expire).execute(&mut world.raw().await).await.unwrap();
    let third = claim(&world.store, world.connection).await;
    assert_eq!([second.epoch, third.epoch], [world.lease.epoch + 1, world.lease.epoch + 2]);
    world.store.renew(&third).await.unwrap();
}

#[tokio::test]
async fn whoever_only_reads_leaves_no_lock() {
    let world = World::new().await;
    let reader = open(&world.dir).await;
    reader.users().await.unwrap();
    assert_eq!(std::fs::read_dir(world.dir.path().join("test.db.holders")).unwrap().count(), 1);
}

//! A batch is committed whole or not at all, and only by the holder of the lease.

use lifehub_core::ErrorKind;
use lifehub_core::engine::{
    BodyChange, ItemRef, ItemState, Leases, PartitionState, Quarantine, RecordState, Runs, Seen, SyncStore,
};
use lifehub_core::page::RawJson;

use crate::world::{World, claim, delete, insert, instant, put, update, workout};

/// Everything that a commit may change, as one text.
async fn snapshot(world: &World) -> String {
    let mut conn = world.raw().await;
    let mut text = String::new();
    for sql in [
        "SELECT group_concat(concat_ws('|', id, external_id, hex(hash), generation, observed, state, held), ';') FROM items",
        "SELECT group_concat(concat_ws('|', item_id, hex(body)), ';') FROM bodies",
        "SELECT group_concat(concat_ws('|', item_id, reason), ';') FROM quarantine",
        "SELECT group_concat(concat_ws('|', id, body, day, seq, state, changed_at), ';') FROM records",
        "SELECT group_concat(concat_ws('|', day, metric, count, sum), ';') FROM rollups",
        "SELECT group_concat(concat_ws('|', stream, partition, state), ';') FROM partitions",
        "SELECT group_concat(concat_ws('|', hex(uuid), report), ';') FROM runs",
        "SELECT group_concat(concat_ws('|', epoch, holder, expires_at), ';') FROM leases",
        "SELECT seq FROM users",
    ] {
        let value: Option<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT CAST(({sql}) AS TEXT)")))
                .fetch_one(&mut conn)
                .await
                .unwrap();
        text.push_str(&value.unwrap_or_default());
        text.push('\n');
    }
    text
}

#[tokio::test]
async fn rule_1_page_atomic_a_batch_that_fails_changes_nothing() {
    let world = World::new().await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1000.0))])]).await;
    let (item, record) = (world.known("a").await.item, world.records_of("a").await.remove(0));
    let before = snapshot(&world).await;

    let good = |id: &str| put(id, None, vec![insert(world.record_id(), workout(60, 500.0))]);
    let failing = [
        ("an item that exists", world.batch(vec![good("b"), put("a", None, vec![])])),
        (
            "an item row that does not exist",
            world.batch(vec![good("b"), put("c", Some(ItemRef(99)), vec![])]),
        ),
        ("another item's row", world.batch(vec![good("b"), put("c", Some(item), vec![])])),
        ("a record id that exists", {
            world.batch(vec![good("b"), put("c", None, vec![insert(record.record, workout(0, 1.0))])])
        }),
        ("a record that does not exist", {
            let mut unknown = record.clone();
            unknown.record = world.record_id();
            world.batch(vec![good("b"), put("a", Some(item), vec![update(&unknown, workout(0, 2.0))])])
        }),
        ("a seen row that does not exist", {
            let mut batch = world.batch(vec![good("b")]);
            batch.seen = Some(Seen { items: vec![item, ItemRef(99)], generation: 2, observed: instant(9) });
            batch
        }),
    ];
    for (what, batch) in failing {
        let error = world.store.commit(&world.lease, batch).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal, "{what}: {error}");
        let after = snapshot(&world).await;
        assert_eq!(before, after, "{what}");
    }
    // And the store goes on.
    world.commit(vec![good("b")]).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn rule_1_page_atomic_all_of_a_batch_is_there() {
    let world = World::new().await;
    let mut bad = put("bad", None, vec![]);
    bad.body = BodyChange::Keep;
    bad.quarantine = Some(Quarantine { reason: "no id".into(), body: RawJson::new("[1]").unwrap() });
    let mut batch =
        world.batch(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1000.0))]), bad]);
    batch.state = PartitionState { generation: 3, ..PartitionState::default() };
    world.store.commit(&world.lease, batch).await.unwrap();

    assert_eq!(world.store.resume(&world.key()).await.unwrap().generation, 3);
    assert_eq!(world.store.partitions(world.connection, "activities").await.unwrap(), [world.key()]);
    assert_eq!(world.store.latest(world.connection).await.unwrap().unwrap().epoch, world.lease.epoch);
    assert_eq!(world.store.runs(world.connection, 10).await.unwrap().len(), 1);
    let quarantined = world.store.quarantine(world.connection, 10).await.unwrap();
    assert_eq!((quarantined[0].external_id.as_str(), quarantined[0].body.as_str()), ("bad", "[1]"));
    let raw = world.store.raw(&world.key(), None, 10).await.unwrap();
    let bodies: Vec<_> =
        raw.iter().map(|item| (item.known.sighting.id.as_str(), item.body.as_str())).collect();
    assert_eq!(bodies, [("a", "{\"id\":\"a\"}"), ("bad", "[1]")]);
    assert!(world.known("bad").await.quarantined && !world.known("a").await.quarantined);

    // Taken by a newer normalizer, it leaves quarantine.
    let item = world.known("bad").await.item;
    world.commit(vec![put("bad", Some(item), vec![insert(world.record_id(), workout(5, 1.0))])]).await;
    assert!(world.store.quarantine(world.connection, 10).await.unwrap().is_empty());
    let after = Some(raw[0].known.item);
    assert_eq!(world.store.raw(&world.key(), after, 10).await.unwrap()[0].body.as_str(), "{\"id\":\"bad\"}");
}

#[tokio::test]
async fn any_number_of_items_fits() {
    let world = World::new().await;
    let mut total = 0;
    for count in [1, 8, 9, 64, 65, 256, 257, 700] {
        let puts = (0..count)
            .map(|n| put(&format!("{count}-{n}"), None, vec![insert(world.record_id(), workout(n, 1.0))]));
        world.commit(puts.collect()).await;
        total += count;
    }
    let ids: Vec<String> = (0..700).map(|n| format!("700-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let known = world.store.known(&world.key(), &ids).await.unwrap();
    assert_eq!(known.len(), 700);
    let items: Vec<_> = known.iter().map(|known| known.item).collect();
    let mut batch = world.batch(vec![]);
    batch.seen = Some(Seen { items: items.clone(), generation: 5, observed: instant(-50) });
    world.store.commit(&world.lease, batch).await.unwrap();
    let seen = world.known("700-699").await;
    // An observation is never taken back.
    assert_eq!((seen.sighting.generation, seen.sighting.observed), (5, instant(0)));

    let records = world.store.records_of(&world.key(), &items).await.unwrap();
    assert_eq!(records.len(), 700);
    let mut puts = Vec::new();
    for known in known {
        let of_item: Vec<_> = records.iter().filter(|record| record.item == known.item).collect();
        puts.push(put(&known.sighting.id, Some(known.item), vec![update(of_item[0], workout(90_000, 2.0))]));
    }
    world.commit(puts).await;
    world.assert_sound().await;
    assert_eq!(world.store.counts(world.user).await.unwrap()[0].records, total.cast_unsigned());
    assert_eq!(world.number("SELECT count(DISTINCT seq) FROM records").await, total);
}

#[tokio::test]
async fn an_item_goes_and_comes_back_under_the_same_record() {
    let world = World::new().await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1000.0))])]).await;
    let (item, record) = (world.known("a").await.item, world.records_of("a").await.remove(0));
    let mut gone = put("a", Some(item), vec![delete(&record)]);
    (gone.sighting.state, gone.body) = (ItemState::Gone, BodyChange::Drop);
    world.commit(vec![gone]).await;
    assert_eq!(world.known("a").await.sighting.state, ItemState::Gone);
    assert_eq!(world.records_of("a").await[0].state, RecordState::Gone);
    assert!(world.store.raw(&world.key(), None, 10).await.unwrap().is_empty());
    assert!(world.all(false).await.is_empty());
    assert!(world.all(true).await[0].deleted);
    assert_eq!(world.number("SELECT count(*) FROM rollups").await, 0);

    world.commit(vec![put("a", Some(item), vec![update(&record, workout(0, 1200.0))])]).await;
    let back = world.all(false).await;
    assert_eq!((back.len(), back[0].id, back[0].seq), (1, record.record, 3));
    world.assert_sound().await;
}

#[tokio::test]
async fn rule_6_what_the_user_deleted_stays_deleted() {
    let world = World::new().await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1000.0))])]).await;
    let (item, record) = (world.known("a").await.item, world.records_of("a").await.remove(0));
    world.store.delete_record(world.user, record.record).await.unwrap();
    world.store.delete_record(world.user, record.record).await.unwrap();
    let feed = world.store.changes(world.user, 0, 10).await.unwrap();
    assert_eq!((feed.items[0].seq, feed.items[0].deleted, feed.items[0].body.get()), (2, true, "{}"));

    world.commit(vec![put("a", Some(item), vec![update(&record, workout(0, 1200.0))])]).await;
    world.commit(vec![put("a", Some(item), vec![delete(&record)])]).await;
    assert_eq!(world.records_of("a").await[0].state, RecordState::Removed);
    assert_eq!(world.store.changes(world.user, 0, 10).await.unwrap().next, 2);
    assert_eq!(world.number("SELECT count(*) FROM rollups").await, 0);
    let stranger =
        world.store.create_user("eve@example.com", &lifehub_core::clock::Zone::utc()).await.unwrap();
    let error = world.store.delete_record(stranger, record.record).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    world.assert_sound().await;
}

#[tokio::test]
async fn rule_10_fencing_a_late_write_changes_no_row() {
    let world = World::new().await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1000.0))])]).await;
    let late = || world.batch(vec![put("b", None, vec![insert(world.record_id(), workout(0, 1.0))])]);
    let assert_lost = async |what: &str| {
        let before = snapshot(&world).await;
        let run = late().run;
        for error in [
            world.store.commit(&world.lease, late()).await.unwrap_err(),
            Runs::record(&world.store, &world.lease, &run).await.unwrap_err(),
            world.store.renew(&world.lease).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::LeaseLost, "{what}");
        }
        assert_eq!(before, snapshot(&world).await, "{what}");
    };
    let expire = "UPDATE leases SET expires_at = 0";
    sqlx::query(expire).execute(&mut world.raw().await).await.unwrap();
    assert_lost("expired").await;
    let second = claim(&world.store, world.connection).await;
    assert_eq!(second.epoch, world.lease.epoch + 1);
    assert_lost("claimed anew").await;
    world.store.release(&world.lease).await.unwrap();
    world.store.renew(&second).await.expect("an old holder cannot give back a newer lease");
    world.store.release(&second).await.unwrap();
    assert_lost("given back").await;
    let third = claim(&world.store, world.connection).await;
    world.store.disconnect(world.connection).await.unwrap();
    assert_eq!(world.store.renew(&third).await.unwrap_err().kind(), ErrorKind::LeaseLost);
    assert_lost("disconnected").await;
    let error = world.store.claim(world.connection).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn rule_10_a_commit_renews_the_lease() {
    let world = World::new().await;
    let soon = "UPDATE leases SET expires_at = expires_at - 20000000";
    sqlx::query(soon).execute(&mut world.raw().await).await.unwrap();
    let before = world.number("SELECT expires_at FROM leases").await;
    world.commit(vec![]).await;
    assert!(world.number("SELECT expires_at FROM leases").await >= before + 19_000_000);
}

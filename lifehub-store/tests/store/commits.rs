//! What a commit does to the rows of the file. What every store promises of it is in the suite of stores.

use lifehub_core::ErrorKind;
use lifehub_core::clock::Zone;
use lifehub_core::engine::{Leases, Runs, Seen, SyncStore};

use crate::world::{World, claim, insert, instant, put, update, workout};

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

/// That it stays deleted is a case of the suite; here: nothing of it stays in the file, and it is nobody else's to delete.
#[tokio::test]
async fn what_the_user_deleted_is_empty_and_no_strangers_to_delete() {
    let world = World::new().await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1000.0))])]).await;
    let record = world.records_of("a").await.remove(0);
    let stranger = world.store.create_user("eve@example.com", &Zone::utc()).await.unwrap();
    let error = world.store.delete_record(stranger, record.record).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    world.store.delete_record(world.user, record.record).await.unwrap();
    let feed = world.store.changes(world.user, 0, 10).await.unwrap();
    assert_eq!((feed.items[0].seq, feed.items[0].deleted, feed.items[0].body.get()), (2, true, "{}"));
    assert_eq!(world.number("SELECT count(*) FROM rollups").await, 0);
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

//! Listings: keyset pages that are complete under ties, filters, and the JSON form of a record.

use lifehub_core::ErrorKind;
use lifehub_core::clock::{Offset, Zone};
use lifehub_core::record::datasets::Workout;
use lifehub_core::record::{Moment, Record, When};
use lifehub_store::{ConnectionFilter, RecordQuery};

use crate::world::{World, insert, instant, put, workout};

async fn walk(world: &World, query: RecordQuery) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = world.store.records(world.user, &RecordQuery { cursor, ..query.clone() }).await.unwrap();
        ids.extend(page.items.into_iter().map(|record| record.external_id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return ids;
        }
    }
}

#[tokio::test]
async fn pages_are_complete_under_ties() {
    let world = World::new().await;
    // Three instants, all ids shuffled over them.
    let puts =
        (0..97).map(|n| put(&n.to_string(), None, vec![insert(world.record_id(), workout(n * 7 % 3, 1.0))]));
    world.commit(puts.collect()).await;
    let whole = walk(&world, RecordQuery::default()).await;
    assert_eq!(whole.len(), 97);
    for limit in [1, 2, 5, 32, 97, 98] {
        let forward = walk(&world, RecordQuery { limit, ..RecordQuery::default() }).await;
        assert_eq!(forward, whole, "{limit}");
        let mut back =
            walk(&world, RecordQuery { limit, newest_first: true, ..RecordQuery::default() }).await;
        back.reverse();
        assert_eq!(back, whole, "{limit} backwards");
        let later =
            RecordQuery { limit, from: Some(instant(1)), to: Some(instant(2)), ..RecordQuery::default() };
        let later = walk(&world, later).await;
        assert_eq!(later.len(), 32, "{limit}");
        let mut back = walk(
            &world,
            RecordQuery {
                limit,
                from: Some(instant(1)),
                to: Some(instant(2)),
                newest_first: true,
                ..RecordQuery::default()
            },
        )
        .await;
        back.reverse();
        assert_eq!(back, later, "{limit}");
    }
}

#[tokio::test]
async fn filters_narrow_and_strangers_see_nothing() {
    let world = World::new().await;
    world.commit(vec![put("a", None, vec![insert(world.record_id(), workout(0, 1.0))])]).await;
    let hits = async |query: RecordQuery| world.store.records(world.user, &query).await.unwrap().items.len();
    let query = RecordQuery::default;
    assert_eq!(hits(RecordQuery { dataset: Some("workout".into()), ..query() }).await, 1);
    assert_eq!(hits(RecordQuery { dataset: Some("sleep".into()), ..query() }).await, 0);
    assert_eq!(hits(RecordQuery { provider: Some("strava".into()), ..query() }).await, 1);
    assert_eq!(hits(RecordQuery { provider: Some("oura".into()), ..query() }).await, 0);
    assert_eq!(hits(RecordQuery { connection: Some(world.connection), ..query() }).await, 1);
    let other = world.store.create_user("eve@example.com", &Zone::utc()).await.unwrap();
    assert!(world.store.records(other, &query()).await.unwrap().items.is_empty());
    assert!(world.store.changes(other, 0, 10).await.unwrap().items.is_empty());
    assert!(world.store.counts(other).await.unwrap().is_empty());
    assert!(world.store.connections(ConnectionFilter::of_user(other)).await.unwrap().is_empty());
    let id = world.all(false).await[0].id;
    assert_eq!(world.store.record(other, id).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(world.store.record(world.user, id).await.unwrap().external_id, "a");
    let bad = RecordQuery { cursor: Some("nonsense".into()), ..query() };
    assert_eq!(world.store.records(world.user, &bad).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_record_as_json() {
    let world = World::new().await;
    let body =
        Workout { sport: "Run".into(), name: Some("Ärger \"am\" Morgen".into()), ..Workout::default() };
    let rome: Zone = "Europe/Rome".parse().unwrap();
    let span = When::Span {
        start: Moment::in_zone(instant(0), rome.clone()),
        end: Moment::in_zone(instant(1800), rome),
    };
    let half = Moment::with_offset(instant(10), Offset::from_seconds(-9000).unwrap());
    let day = When::Day("2026-01-05".parse().unwrap());
    for (id, when) in
        [("span", span), ("utc", When::At(Moment::utc(instant(5)))), ("half", When::At(half)), ("day", day)]
    {
        let record = Record::new(when, &body).unwrap().key("k");
        world.commit(vec![put(id, None, vec![insert(world.record_id(), record)])]).await;
    }
    let records = world.all(false).await;
    let first = serde_json::to_string(&records[0]).unwrap();
    let (id, connection) = (records[0].id, world.connection);
    assert_eq!(
        first,
        format!(
            r#"{{"id":"{id}","connection":"{connection}","provider":"strava","stream":"activities","external_id":"span","key":"k","dataset":"workout","start":"2026-01-01T01:00:00+01:00","end":"2026-01-01T01:30:00+01:00","zone":"Europe/Rome","day":"2026-01-01","body":{{"sport":"Run","name":"Ärger \"am\" Morgen"}},"seq":1,"changed_at":"2026-01-01T00:00:00Z","deleted":false}}"#
        )
    );
    let times: Vec<_> = records[1..]
        .iter()
        .map(|r| (r.start.as_deref(), r.end.as_deref(), r.zone.as_deref(), r.day.to_string()))
        .collect();
    assert_eq!(
        times,
        [
            (Some("2026-01-01T00:00:05Z"), None, None, "2026-01-01".to_owned()),
            (Some("2025-12-31T21:30:10-02:30"), None, None, "2025-12-31".to_owned()),
            (None, None, None, "2026-01-05".to_owned()),
        ]
    );
}

//! The user's zone decides the day of what the provider tells no offset for.

use lifehub_core::clock::{Offset, Zone};
use lifehub_core::record::datasets::Workout;
use lifehub_core::record::{Moment, Record, When};

use crate::world::{World, insert, instant, put, update, workout};

#[tokio::test]
async fn rule_15_changing_the_zone_re_rolls() {
    let world = World::new().await;
    let auckland: Zone = "Pacific/Auckland".parse().unwrap();
    let body = Workout { sport: "Run".into(), ..Workout::default() };
    let offset = Offset::from_seconds(0).unwrap();
    let late = instant(20 * 3600);
    let records = [
        ("moves", workout(20 * 3600, 1.0)),
        ("stays", workout(2 * 3600, 1.0)),
        ("tells its offset", Record::new(When::At(Moment::with_offset(late, offset)), &body).unwrap()),
        ("is a day", Record::new(When::Day(Zone::utc().day_at(late)), &body).unwrap()),
        ("a span", {
            let span = When::Span { start: Moment::utc(late), end: Moment::utc(instant(21 * 3600)) };
            Record::new(span, &body).unwrap()
        }),
    ];
    let put_all = |records: &[(&str, Record)]| {
        let one =
            |(id, record): &(&str, Record)| put(id, None, vec![insert(world.record_id(), record.clone())]);
        records.iter().map(one).collect::<Vec<_>>()
    };
    world.commit(put_all(&records)).await;
    assert_eq!(world.store.changes(world.user, 0, 10).await.unwrap().next, 5);

    world.store.set_zone(world.user, &auckland).await.unwrap();
    let feed = world.store.changes(world.user, 5, 10).await.unwrap();
    let mut moved: Vec<_> = feed.items.iter().map(|record| record.external_id.as_str()).collect();
    moved.sort_unstable();
    assert_eq!(moved, ["a span", "moves"]);
    assert!(feed.items.iter().all(|record| record.day.to_string() == "2026-01-02"));
    // What is stored is what a commit under the new zone would have stored.
    for (id, record) in &records {
        let known = world.records_of(id).await.remove(0);
        let day = record.day(&auckland);
        assert_eq!((known.day, known.digest), (day, record.digest(day)), "{id}");
    }
    world.assert_sound().await;

    world.store.set_zone(world.user, &Zone::utc()).await.unwrap();
    assert_eq!(world.store.changes(world.user, 7, 10).await.unwrap().items.len(), 2);
    world.assert_sound().await;
}

#[tokio::test]
async fn rule_15_the_zone_at_commit_decides() {
    let world = World::new().await;
    let before = world.batch(vec![put("a", None, vec![insert(world.record_id(), workout(20 * 3600, 1.0))])]);
    world.store.set_zone(world.user, &"Pacific/Auckland".parse().unwrap()).await.unwrap();
    lifehub_core::engine::SyncStore::commit(&world.store, &world.lease, before).await.unwrap();
    assert_eq!(world.all(false).await[0].day.to_string(), "2026-01-02");
    // The same news again, with the day of the old zone: the days of the database count.
    let (item, mut known) = (world.known("a").await.item, world.records_of("a").await.remove(0));
    known.day = "2026-01-01".parse().unwrap();
    world.commit(vec![put("a", Some(item), vec![update(&known, workout(20 * 3600, 2.0))])]).await;
    world.assert_sound().await;
}

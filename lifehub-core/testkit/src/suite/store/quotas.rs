//! Rule 11: counts that several workers share.

use std::time::Duration;

use lifehub_core::http::{Pace, QuotaKey};
use tokio::task::JoinSet;

use super::world::{World, equal, instant};
use super::{Outcome, Subject, Verdict};

fn key(scope: &str) -> QuotaKey {
    QuotaKey::new("example", "quarter", scope)
}

/// However many draw at once, together they get what the window holds, and no unit more.
pub(super) async fn a_window_is_spent_once(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let mut drawing = JoinSet::new();
    for _ in 0..16 {
        let storage = world.storage.clone();
        drawing.spawn(async move {
            let mut granted = 0;
            for _ in 0..3 {
                granted += storage.draw(&key("app"), instant(0), 5, 100).await?;
            }
            Ok::<_, lifehub_core::Error>(granted)
        });
    }
    let mut granted = 0;
    for drawn in drawing.join_all().await {
        granted += drawn?;
    }
    equal(granted, 100, "the units that 16 workers got of 100")?;
    let storage = &world.storage;
    equal(storage.draw(&key("app"), instant(0), 1, 100).await?, 0, "a unit of a window that is spent")?;
    equal(storage.draw(&key("app"), instant(900), 5, 100).await?, 5, "units of the next window")?;
    equal(storage.draw(&key("other"), instant(0), 5, 100).await?, 5, "units of another scope")?;
    let other = QuotaKey::new("example", "day", "app");
    equal(storage.draw(&other, instant(0), 5, 100).await?, 5, "units of another quota")?;
    equal(storage.draw(&key("app"), instant(0), 5, 103).await?, 3, "units after the limit was raised")?;
    equal(storage.draw(&key("app"), instant(0), 5, 50).await?, 0, "units after the limit was lowered")?;
    Ok(Outcome::Passed)
}

/// A count rises to the provider's figure and never falls.
pub(super) async fn counts_rise_to_the_providers_figure(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let storage = &world.storage;
    equal(storage.draw(&key("app"), instant(0), 10, 100).await?, 10, "the first units")?;
    storage.used(&key("app"), instant(0), 95).await?;
    storage.used(&key("app"), instant(0), 20).await?;
    equal(storage.draw(&key("app"), instant(0), 10, 100).await?, 5, "units left of 100 when 95 are used")?;
    storage.used(&key("fresh"), instant(0), 100).await?;
    equal(
        storage.draw(&key("fresh"), instant(0), 1, 100).await?,
        0,
        "a unit of what the provider says is spent",
    )?;
    Ok(Outcome::Passed)
}

/// A clock that is set back finds its window as it was left: more than the latest one is remembered.
pub(super) async fn a_clock_set_back_finds_its_window(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let storage = &world.storage;
    equal(storage.draw(&key("app"), instant(900), 60, 100).await?, 60, "units of a window")?;
    equal(storage.draw(&key("app"), instant(0), 100, 100).await?, 100, "units of the window before it")?;
    equal(storage.draw(&key("app"), instant(900), 60, 100).await?, 40, "units left of the later window")?;
    equal(storage.draw(&key("app"), instant(0), 1, 100).await?, 0, "units left of the earlier window")?;
    Ok(Outcome::Passed)
}

/// Two units a minute apart at first, then one for each minute: the pace of the cases below.
fn pace() -> Pace {
    Pace::new(Duration::from_secs(60), 2)
}

/// However many take at once, together they get the burst; then a unit comes back for each `every` that passes.
pub(super) async fn a_pace_is_kept_by_all(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let mut taking = JoinSet::new();
    for _ in 0..16 {
        let storage = world.storage.clone();
        taking.spawn(async move { storage.take(&key("app"), instant(0), 1, pace()).await });
    }
    let mut granted = 0;
    for taken in taking.join_all().await {
        granted += u32::from(taken?.is_none());
    }
    equal(granted, 2, "the units that 16 workers got of a burst of 2")?;
    let take = async |key: &QuotaKey, seconds: i64, units: u32| {
        let wait = world.storage.take(key, instant(seconds), units, pace()).await;
        wait.map(|wait| wait.map(|wait| wait.as_secs()))
    };
    let app = key("app");
    equal(take(&app, 0, 1).await?, Some(60), "the wait for a unit of a burst that is spent")?;
    equal(take(&app, 0, 2).await?, Some(120), "the wait for two")?;
    equal(take(&app, 59, 1).await?, Some(1), "the wait a second before a unit is back")?;
    equal(take(&app, 60, 1).await?, None, "the wait for a unit that is back")?;
    equal(take(&app, 60, 1).await?, Some(60), "the wait for the next")?;
    equal(take(&app, 179, 2).await?, Some(1), "the wait a second before two are back")?;
    equal(take(&app, 180, 2).await?, None, "the wait for two that are back")?;
    equal(take(&key("other"), 180, 2).await?, None, "the wait in another scope")?;
    equal(take(&QuotaKey::new("example", "day", "app"), 180, 2).await?, None, "the wait for another quota")?;
    Ok(Outcome::Passed)
}

/// A clock that is set back by years does not lock a pace for years: a burst, a unit and a minute are waited for, no more.
pub(super) async fn a_clock_set_back_does_not_stop_a_pace(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let (storage, app) = (&world.storage, key("app"));
    let year = Duration::from_secs(365 * 86_400);
    equal(storage.take(&app, instant(0) + year, 2, pace()).await?, None, "the wait before the clock is set")?;
    let wait = storage.take(&app, instant(0), 1, pace()).await?;
    equal(wait.map(|wait| wait.as_secs()), Some(180), "the wait after the clock was set back")?;
    let later = instant(0) + Duration::from_secs(180);
    equal(storage.take(&app, later, 1, pace()).await?, None, "the wait when that time has passed")?;
    Ok(Outcome::Passed)
}

/// What a request leaves for more urgent ones is there for them.
pub(super) async fn a_reserve_is_left_to_the_urgent(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let (storage, app) = (&world.storage, key("app"));
    let patient = pace().reserving(1);
    equal(storage.take(&app, instant(0), 1, patient).await?, None, "the wait for the first unit")?;
    let wait = storage.take(&app, instant(0), 1, patient).await?;
    equal(wait.map(|wait| wait.as_secs()), Some(60), "the wait of whoever leaves a unit")?;
    equal(storage.take(&app, instant(0), 1, pace()).await?, None, "the wait of whoever takes it")?;
    Ok(Outcome::Passed)
}

/// A gate that is closed opens when the longest request said so, for its key alone.
pub(super) async fn a_gate_opens_no_earlier(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    let gate = QuotaKey::new("example", "", "app");
    let until = async || world.storage.blocked_until(&gate).await;
    equal(until().await?, None, "a gate that was never closed")?;
    let minute = Duration::from_secs(60);
    for (close, expected) in [(10, 10), (1, 10), (11, 11), (5, 11)] {
        world.storage.block(&gate, instant(0) + minute * close).await?;
        let expected = Some(instant(0) + minute * expected);
        equal(
            until().await?,
            expected,
            format!("until when it is closed after {close} minutes were asked for"),
        )?;
    }
    equal(world.storage.blocked_until(&key("app")).await?, None, "the gate of another key")?;
    Ok(Outcome::Passed)
}

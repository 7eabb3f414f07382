//! Rule 11: counts that several workers share.

use std::time::Duration;

use lifehub_core::http::QuotaKey;
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

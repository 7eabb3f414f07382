//! Rule 6: the marks by which a sweep knows what a pass did not see.

use lifehub_core::clock::Timestamp;
use lifehub_core::engine::{CoverageCount, ItemPut, ItemState, Missing, PartitionKey};
use lifehub_core::page::Coverage;

use super::world::{Check, World, equal, gone, instant, put};
use super::{Outcome, Subject, Verdict};

fn at(n: i64) -> ItemPut {
    let mut put = put(&n.to_string(), None, vec![]);
    put.sighting.at = Some(instant(n));
    put
}

fn span(from: i64, to: i64) -> Coverage {
    Coverage::Span { from: instant(from), to: instant(to) }
}

/// Eight items at one second each, one without an instant, one that is gone; the fourth was seen by generation 2.
async fn shelf(subject: &Subject) -> Check<World> {
    let world = World::open(subject).await?;
    let mut timeless = put("timeless", None, vec![]);
    timeless.sighting.at = None;
    world.commit((0..8).map(at).chain([timeless, at(99)]).collect()).await?;
    let item = world.known("99").await?.item;
    let mut left = gone("99", item, vec![]);
    left.sighting.at = Some(instant(4));
    world.commit(vec![left]).await?;
    world.see(vec![world.known("3").await?.item], 2, instant(5)).await?;
    Ok(world)
}

async fn count(world: &World, covers: Coverage, generation: u64) -> Check<CoverageCount> {
    Ok(world.storage.count(&world.key(), Missing { covers, generation }).await?)
}

fn counted(covered: u64, missing: u64, held: u64) -> CoverageCount {
    CoverageCount { covered, missing, held }
}

async fn missing(
    world: &World,
    key: &PartitionKey,
    covers: Coverage,
    only_held: bool,
    limit: u32,
) -> Check<Vec<String>> {
    let missing = Missing { covers, generation: 2 };
    let found = world.storage.missing(key, missing, only_held, limit).await?;
    let mut ids: Vec<_> = found.into_iter().map(|known| known.sighting.id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Seen items get the generation, are observed later but never earlier, and lose the held mark; others stay.
pub(super) async fn seen_items_are_stamped(subject: &Subject) -> Verdict {
    let world = World::open(subject).await?;
    world.commit(vec![at(1), at(2)]).await?;
    world.hold(Missing { covers: Coverage::Whole, generation: 2 }).await?;
    let before = world.known("2").await?;
    let item = world.known("1").await?.item;
    let mut last = None;
    for (generation, observed, expected) in [(3, 50, 50), (4, 20, 50), (7, 51, 51)] {
        world.see(vec![item], generation, instant(observed)).await?;
        let known = world.known("1").await?;
        equal(known.sighting.generation, generation, "the generation of what was seen")?;
        equal(known.sighting.observed, instant(expected), "when it was observed")?;
        equal(known.held, false, "whether what was seen is held")?;
        last = Some(known.sighting);
    }
    equal(world.known("2").await?, before, "the item beside it")?;
    world.see(vec![], 9, instant(99)).await?;
    equal(Some(world.known("1").await?.sighting), last, "an item after nothing was seen")?;
    Ok(Outcome::Passed)
}

/// Covered is what lies strictly inside; missing is what an older generation saw last; held is counted among them.
pub(super) async fn count_is_strictly_inside_what_is_covered(subject: &Subject) -> Verdict {
    let world = shelf(subject).await?;
    let just_inside = Coverage::Span {
        from: Timestamp::from_micros(instant(1).as_micros() - 1),
        to: Timestamp::from_micros(instant(6).as_micros() + 1),
    };
    for (what, covers, generation, expected) in [
        ("a span without its borders", span(1, 6), 2, counted(4, 3, 0)),
        ("a span a microsecond wider", just_inside, 2, counted(6, 5, 0)),
        ("everything", Coverage::Whole, 2, counted(9, 8, 0)),
        ("everything, by the generation that was there first", Coverage::Whole, 1, counted(9, 0, 0)),
        ("everything, by a later generation", Coverage::Whole, 3, counted(9, 9, 0)),
        ("nothing", Coverage::Nothing, 9, counted(0, 0, 0)),
        ("an empty span", span(4, 4), 9, counted(0, 0, 0)),
        ("a span the wrong way round", span(6, 1), 9, counted(0, 0, 0)),
    ] {
        equal(count(&world, covers, generation).await?, expected, format!("what {what} counts"))?;
    }
    let nowhere = world.key_of("never", "synced");
    let missing = Missing { covers: Coverage::Whole, generation: 9 };
    equal(world.storage.count(&nowhere, missing).await?, counted(0, 0, 0), "a partition without items")?;
    Ok(Outcome::Passed)
}

/// The missing items, those among them that are held, and no more than asked for.
pub(super) async fn missing_lists_what_a_pass_did_not_see(subject: &Subject) -> Verdict {
    let world = shelf(subject).await?;
    let key = world.key();
    world.hold(Missing { covers: span(1, 6), generation: 2 }).await?;
    let all = ["0", "1", "2", "4", "5", "6", "7", "timeless"];
    equal(missing(&world, &key, Coverage::Whole, false, 100).await?, all, "all that is missing")?;
    equal(missing(&world, &key, Coverage::Whole, true, 100).await?, ["2", "4", "5"], "what of it is held")?;
    equal(missing(&world, &key, span(3, 7), false, 100).await?, ["4", "5", "6"], "what a span misses")?;
    equal(missing(&world, &key, span(3, 7), true, 100).await?, ["4", "5"], "what of that is held")?;
    for nothing in [Coverage::Nothing, span(4, 4)] {
        equal(missing(&world, &key, nothing, false, 100).await?.len(), 0, "what nothing misses")?;
    }
    for limit in [0, 1, 3, 8] {
        let found = missing(&world, &key, Coverage::Whole, false, limit).await?.len();
        equal(found, limit as usize, format!("how many of at most {limit}"))?;
    }
    let nowhere = world.key_of("never", "synced");
    equal(missing(&world, &nowhere, Coverage::Whole, false, 9).await?.len(), 0, "a partition without items")?;
    Ok(Outcome::Passed)
}

/// A held sweep marks exactly what it misses; a put, a stamp or a deletion takes the mark away.
pub(super) async fn a_held_sweep_marks_what_it_misses(subject: &Subject) -> Verdict {
    let world = shelf(subject).await?;
    world.hold(Missing { covers: span(1, 6), generation: 2 }).await?;
    let held = async |id: &str| Ok::<_, crate::suite::Failure>(world.known(id).await?.held);
    for (id, expected) in [("1", false), ("2", true), ("3", false), ("4", true), ("5", true), ("6", false)] {
        equal(held(id).await?, expected, format!("whether the item {id} is held"))?;
    }
    for id in ["timeless", "99"] {
        equal(held(id).await?, false, format!("whether the item {id:?} is held"))?;
    }
    equal(count(&world, Coverage::Whole, 2).await?, counted(9, 8, 3), "what is counted after the sweep")?;
    // Another held sweep adds its own.
    world.hold(Missing { covers: span(5, 8), generation: 2 }).await?;
    equal(count(&world, Coverage::Whole, 2).await?, counted(9, 8, 5), "what is counted after another sweep")?;

    world.see(vec![world.known("2").await?.item], 3, instant(6)).await?;
    let mut again = at(4);
    again.item = Some(world.known("4").await?.item);
    world.commit(vec![again]).await?;
    for id in ["2", "4"] {
        equal(held(id).await?, false, format!("whether the item {id} is held after it was seen"))?;
    }
    let item = world.known("5").await?.item;
    world.commit(vec![gone("5", item, vec![])]).await?;
    equal(world.known("5").await?.sighting.state, ItemState::Gone, "the item that went")?;
    equal(count(&world, Coverage::Whole, 2).await?, counted(8, 6, 2), "what is counted at the end")?;
    Ok(Outcome::Passed)
}

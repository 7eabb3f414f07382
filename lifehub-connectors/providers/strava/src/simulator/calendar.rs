//! Two years of a life: on which days, and at which seconds, something was done.
//!
//! Weekdays have their habits, seasons change them, illness leaves gaps, every August has a fortnight overseas. The
//! number of activities may be set; their distribution over the days stays the same.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Place, Seeded};

use super::sport::{Sport, habits};

/// An activity of which only time, place and sport are settled.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) start: Timestamp,
    pub(super) place: Place,
    pub(super) sport: &'static Sport,
    /// From what its other members are drawn.
    pub(super) label: u64,
}

/// The drafts of so many days up to the day before `now`, sorted by start; `count` of them, or as many as the habits
/// expect.
pub(super) fn drafts(seed: u64, now: Timestamp, days: u16, count: Option<usize>) -> Vec<Draft> {
    let root = Seeded::new(seed);
    let plan = plan(&root, now, i32::from(days));
    let total: f64 = plan.iter().map(|(_, _, weight)| weight).sum();
    let count = count.unwrap_or_else(|| total.round() as usize);
    let mut drafts = Vec::with_capacity(count);
    let (mut slot, mut passed) = (0, 0.0);
    for i in 0..count {
        let mut dice = root.fork(1_000 + i as u64);
        // One draw in each of `count` equal parts of the plan: the count is exact, the days still vary.
        let target = (i as f64 + dice.fraction(0.0, 1.0)) / count as f64 * total;
        while slot + 1 < plan.len() && passed + plan[slot].2 < target {
            passed += plan[slot].2;
            slot += 1;
        }
        let Some(&(day, sport, _)) = plan.get(slot) else { break };
        let place = place_on(day);
        let second = dice.whole(sport.hours.0 * 3_600, (sport.hours.1 + 1) * 3_600 - 1);
        drafts.push(Draft { start: place.instant(day, second), place, sport, label: i as u64 });
    }
    drafts.sort_by_key(|draft| draft.start);
    drafts
}

/// Each day's habits with how often they are followed.
fn plan(root: &Seeded, now: Timestamp, days: i32) -> Vec<(Day, &'static Sport, f64)> {
    let today = i32::try_from(now.as_seconds().div_euclid(86_400)).unwrap_or(0);
    let gaps = gaps(root, today, days);
    let mut plan = Vec::new();
    for number in today - days..today {
        if gaps.iter().any(|(first, last)| (first..=last).contains(&&number)) {
            continue;
        }
        // 1970-01-01 was a Thursday.
        let weekday = i64::from(number + 3).rem_euclid(7);
        // Mid-January is day 14 of the year, and a year is 365.2425 days.
        let season = (f64::from(number) - 14.0) / 365.2425 * std::f64::consts::TAU;
        let summer = (1.0 - season.cos()) / 2.0;
        let day = Day::from_number(number);
        plan.extend(habits(weekday, summer).into_iter().map(|(sport, weight)| (day, sport, weight)));
    }
    plan
}

/// First and last days without anything: illness, an injury, a fortnight of no mood.
fn gaps(root: &Seeded, today: i32, days: i32) -> Vec<(i32, i32)> {
    let mut dice = root.fork(1);
    // A few weeks have none.
    (0..if days < 730 { 0 } else { 4 })
        .map(|quarter| {
            let begin = today - days + quarter * days / 4;
            let first = begin + dice.whole(10, 150) as i32;
            (first, first + dice.whole(5, 16) as i32)
        })
        .collect()
}

/// Home, except from the 8th to the 21st of August.
fn place_on(day: Day) -> Place {
    let text = day.to_string();
    let month_and_day = text.get(text.len() - 5..).unwrap_or("");
    if ("08-08".."08-22").contains(&month_and_day) { Place::NewYork } else { Place::Rome }
}

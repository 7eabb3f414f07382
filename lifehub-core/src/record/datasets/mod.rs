//! The datasets, one file each.

mod activity;
mod balance;
mod contribution;
mod custom;
mod decimal;
mod entry;
mod event;
mod focus;
mod journal;
mod play;
mod productivity;
mod readiness;
mod sleep;
mod task;
mod trade;
mod transaction;
mod vital;
mod weather;
mod workout;

pub use activity::Activity;
pub use balance::{AccountKind, Balance};
pub use contribution::{Contribution, ContributionKind};
pub use custom::{Custom, CustomValue};
pub use decimal::Decimal;
pub use entry::{Entry, EntryValue};
pub use event::{Attendee, AttendeeResponse, Event, EventStatus};
pub use focus::{Focus, FocusKind};
pub use journal::Journal;
pub use play::Play;
pub use productivity::Productivity;
pub use readiness::Readiness;
pub use sleep::{Sleep, SleepKind};
pub use task::{Priority, Task};
pub use trade::{Trade, TradeSide};
pub use transaction::Transaction;
pub use vital::{Vital, VitalKind};
pub use weather::Weather;
pub use workout::Workout;

use super::When;
use super::dataset::{DatasetInfo, Point};

/// Every dataset, in the order of the documentation.
pub fn all() -> &'static [DatasetInfo] {
    const ALL: &[DatasetInfo] = &[
        DatasetInfo::of::<Play>(),
        DatasetInfo::of::<Workout>(),
        DatasetInfo::of::<Event>(),
        DatasetInfo::of::<Sleep>(),
        DatasetInfo::of::<Readiness>(),
        DatasetInfo::of::<Activity>(),
        DatasetInfo::of::<Vital>(),
        DatasetInfo::of::<Focus>(),
        DatasetInfo::of::<Productivity>(),
        DatasetInfo::of::<Transaction>(),
        DatasetInfo::of::<Balance>(),
        DatasetInfo::of::<Trade>(),
        DatasetInfo::of::<Weather>(),
        DatasetInfo::of::<Journal>(),
        DatasetInfo::of::<Entry>(),
        DatasetInfo::of::<Contribution>(),
        DatasetInfo::of::<Task>(),
        DatasetInfo::of::<Custom>(),
    ];
    ALL
}

/// A point for each value that is known.
fn known<const N: usize>(values: [(&'static str, Option<f64>); N]) -> Vec<Point> {
    values.into_iter().filter_map(|(metric, value)| value.map(|value| Point::new(metric, value))).collect()
}

/// The length of a span, in seconds; nothing else has one.
fn span_s(when: &When) -> Option<f64> {
    when.end().zip(when.start()).map(|(end, start)| end.at.since(start.at).as_secs_f64())
}

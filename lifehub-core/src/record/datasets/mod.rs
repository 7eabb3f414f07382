//! The datasets, one file each.

mod workout;

pub use workout::Workout;

use super::dataset::DatasetInfo;

/// Every dataset, in the order of the documentation.
pub fn all() -> &'static [DatasetInfo] {
    const ALL: &[DatasetInfo] = &[DatasetInfo::of::<Workout>()];
    ALL
}

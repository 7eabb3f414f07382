//! Activities as Strava lists them, 200 a page.

use lifehub_core::clock::Timestamp;
use lifehub_core::page::{RawItem, RawJson};
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_strava::simulator::{World, WorldOptions};

pub(crate) const PER_PAGE: usize = 200;

/// The pages of an account, oldest first.
pub(crate) fn pages(count: usize) -> Result<Vec<Vec<RawItem>>> {
    let now: Timestamp = "2026-08-10T12:00:00Z".parse()?;
    let world = World::seeded(1, now, WorldOptions::default().activities(count * PER_PAGE));
    let items: Vec<RawItem> = world.truth().into_iter().map(item).collect::<Result<_>>()?;
    Ok(items.chunks(PER_PAGE).map(<[_]>::to_vec).collect())
}

fn item(truth: lifehub_strava::simulator::Truth) -> Result<RawItem> {
    let body = RawJson::new(truth.body)?;
    Ok(RawItem { id: truth.id.to_string(), at: Some(truth.start), version: None, body })
}

/// The error of an environment that a benchmark cannot run in.
pub(crate) fn broken(what: impl ToString) -> Error {
    Error::new(ErrorKind::Internal, what.to_string())
}

//! The count of what a program has stored, after it has ended, so that a broken run cannot look fast and counting is
//! no part of what is measured.

use lifehub_store::ConnectionFilter;
use sqlx::Row as _;

use crate::cli::{CountArgs, Program};
use crate::{Outcome, floor, runtime, sync};

/// Fails unless every item is there once.
pub(crate) fn run(args: &CountArgs) -> Outcome<()> {
    let stored = runtime()?.block_on(async {
        match args.program {
            Program::Lifehub => records(args).await,
            Program::Floor => rows(args).await,
        }
    })?;
    if stored == args.items {
        return Ok(());
    }
    Err(format!("{:?} stored {stored} of {} items", args.program, args.items).into())
}

async fn records(args: &CountArgs) -> Outcome<u64> {
    let store = sync::open(&args.dir).await?;
    let mut stored = 0;
    for info in store.connections(ConnectionFilter::default()).await? {
        stored += store.counts(info.connection.user).await?.iter().map(|count| count.records).sum::<u64>();
    }
    store.close().await?;
    Ok(stored)
}

async fn rows(args: &CountArgs) -> Outcome<u64> {
    let mut database = floor::open(&args.dir).await?;
    let row = sqlx::query("SELECT count(*) FROM activities").fetch_one(&mut database).await?;
    Ok(u64::try_from(row.try_get::<i64, _>(0)?)?)
}

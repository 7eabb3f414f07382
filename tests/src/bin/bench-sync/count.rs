//! The count of what a program has stored, after it has ended, so that a broken run cannot look fast and counting is
//! no part of what is measured.

use lifehub_store::ConnectionFilter;

use crate::cli::{CountArgs, Program};
use crate::{Outcome, floor, runtime, sync};

/// Fails unless every item is there once.
pub(crate) fn run(args: &CountArgs) -> Outcome<()> {
    let stored = runtime()?.block_on(async {
        match args.program {
            Program::Lifehub => records(args).await,
            Program::Floor => floor::count(&args.place).await,
        }
    })?;
    if stored == args.items {
        return Ok(());
    }
    Err(format!("{:?} stored {stored} of {} items", args.program, args.items).into())
}

async fn records(args: &CountArgs) -> Outcome<u64> {
    let store = sync::open(&args.place).await?;
    let mut stored = 0;
    for info in store.connections(ConnectionFilter::default()).await? {
        stored += store.counts(info.connection.user).await?.iter().map(|count| count.records).sum::<u64>();
    }
    store.close().await?;
    Ok(stored)
}

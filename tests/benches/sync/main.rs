//! The two halves of a page, each by itself: from the answer to records, and into SQLite.
//!
//! `cargo bench -p lifehub-tests`, with a part of a name behind it for some of them. What a whole sync costs is
//! `bench-sync`'s to say.

mod activities;
mod commit;
mod page;

use criterion::Criterion;
use lifehub_core::Result;

fn main() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    page::measure(&mut criterion)?;
    commit::measure(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

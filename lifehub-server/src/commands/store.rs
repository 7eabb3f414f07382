//! `lifehub store`: the database as a whole.

use std::time::Instant;

use lifehub_store::{CopiedTable, CopyReport, CopyStep};
use serde::Serialize;

use crate::app::App;
use crate::cli::{StoreCommand, StoreCopyArgs};
use crate::failure::{Exit, Outcome};
use crate::progress::Count;
use crate::table::{Table, grouped};

/// What a copy came to, as JSON.
#[derive(Serialize)]
struct Told<'a> {
    rows: u64,
    resumed: u64,
    seconds: f64,
    tables: &'a [CopiedTable],
}

fn label(step: CopyStep) -> &'static str {
    match step {
        CopyStep::Checking => "checking rows",
        _ => "copying rows",
    }
}

pub(crate) async fn run(app: &App, command: StoreCommand) -> Outcome {
    let StoreCommand::Copy(StoreCopyArgs { from, to, json }) = command;
    let begun = Instant::now();
    let copied = {
        let mut shown: Option<(CopyStep, Count<'_>)> = None;
        let progress = |step, done, all| {
            let same = shown.take().filter(|(before, _)| *before == step);
            let (_, count) = shown.insert(same.unwrap_or_else(|| (step, Count::new(&app.out, label(step)))));
            count.show(done, all);
        };
        Box::pin(lifehub_store::copy(&from, &to, app.place.options(), progress)).await
    };
    let report = copied?;
    let (rows, seconds) = (report.rows(), begun.elapsed().as_secs_f64());
    let CopyReport { tables, resumed, .. } = report;
    if json.json {
        app.out.json(&Told { rows, resumed, seconds, tables: &tables })?;
    } else {
        let mut shown = Table::new(&["TABLE", "#ROWS"]);
        for table in tables {
            shown.row([table.name.to_owned(), grouped(table.rows)]);
        }
        app.out.print(&shown.to_string())?;
        let before = match resumed {
            0 => String::new(),
            rows => format!(", {} of them before it was stopped", grouped(rows)),
        };
        app.out.print(&format!(
            "{} rows copied{before}, and all of them read back and found equal, in {seconds:.1} s",
            grouped(rows)
        ))?;
    }
    app.out.hint(
        "set LIFEHUB_DATABASE_URL, or database_url in lifehub.toml, to the new store, and start everything with it; \
         the master key stays the same",
    );
    Ok(Exit::Done)
}

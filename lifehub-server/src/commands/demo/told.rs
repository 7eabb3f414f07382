//! What a demo tells a person: what is stored, where, and what to do with it.

use lifehub_core::Result;
use lifehub_core::record::UserId;
use lifehub_store::{RecordQuery, Store};

use super::world::World;
use crate::app::App;
use crate::commands::simulate::shell;
use crate::progress::figures;
use crate::report::Summary;
use crate::table::{Table, grouped};

/// What a user has of each provider's datasets, with the first and the last day.
pub(super) async fn stored(store: &Store, user: UserId) -> Result<Table> {
    let mut table = Table::new(&["PROVIDER", "DATASET", "#RECORDS", "FROM", "TO"]);
    for count in store.counts(user).await? {
        let day = async |newest_first| {
            let query = RecordQuery {
                dataset: Some(count.dataset.clone()),
                provider: Some(count.provider.clone()),
                limit: 1,
                newest_first,
                ..RecordQuery::default()
            };
            let found = store.records(user, &query).await.map(|page| page.items);
            found.map(|found| found.first().map(|record| record.day.to_string()).unwrap_or_default())
        };
        let (from, to) = (day(false).await?, day(true).await?);
        table.row([count.provider, count.dataset, grouped(count.records), from, to]);
    }
    Ok(table)
}

/// All of it as text.
pub(super) fn text(app: &App, world: World, stored: &Table, summary: &Summary) -> String {
    let dir = app.place.dir().display();
    let mut lines = vec![stored.to_string(), String::new()];
    lines.push(format!("this run        {}", figures(&summary.totals())));
    lines.push(format!("data directory  {dir}"));
    if let Some(database) = app.place.database() {
        let database = std::path::absolute(&database).unwrap_or(database);
        lines.push(format!("database        {}", database.display()));
    } else if let Some(server) = app.place.server() {
        lines.push(format!("database        PostgreSQL at {server}"));
    }
    lines.push(format!("made up as of   {}, also when it runs on another day", world.instant));
    lines.push(String::new());
    lines.push("Try next:".into());
    let flags = flags(app);
    let commands = [
        ("connections", "", "the accounts, connected while a demo runs"),
        ("export", " | head -n 3", "the records as JSON Lines"),
        ("doctor", "", "whether all is sound"),
        ("demo", "", "sync again: nothing changes"),
    ];
    let program = shell::program();
    let command = |(name, rest, _): &(&str, &str, &str)| format!("  {program} {name}{flags}{rest}");
    let width = commands.iter().map(|parts| command(parts).chars().count()).max().unwrap_or(0);
    for parts in &commands {
        lines.push(format!("{:<width$}  # {}", command(parts), parts.2));
    }
    lines.push(String::new());
    lines.push(
        "Your own data goes into another directory (--data-dir), or here once you deleted this one.".into(),
    );
    lines.join("\n")
}

/// The flags with which another command finds the same data.
fn flags(app: &App) -> String {
    let mut flags = String::new();
    if app.configuration.data_dir.is_some() {
        flags.push_str(&format!(" --data-dir {}", shell::word(&app.place.dir().display().to_string())));
    }
    if let Some(file) = &app.configuration.file {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        flags.push_str(&format!(" --config {}", shell::word(&file.display().to_string())));
    }
    flags
}

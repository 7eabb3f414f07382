//! The same program over a database on a PostgreSQL server.

use lifehub_scratch::Scratch;

use crate::home::{ACTIVITIES, EMAIL, Home, strava};

/// What only reads makes nothing there; what connects makes the schema, the key and the data directory.
#[test]
fn a_database_on_a_server_is_made_by_who_connects() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Some(scratch) = runtime.block_on(Scratch::new()) else { return };
    let (server, _) = strava();
    let home = Home::beside(&server).with("LIFEHUB_DATABASE_URL", &scratch.url());

    home.run(&["export"]).exits(1).says(&["no data yet"]);
    home.run(&["connections"]).exits(1).says(&["no data yet"]);
    let run = home.run(&["doctor"]).exits(0);
    assert!(run.out.contains("PostgreSQL at ") && run.out.contains("it is empty"), "{run:#?}");
    assert!(home.is_untouched() && runtime.block_on(scratch.contents()).is_empty());

    home.connect();
    let run = home.run(&["sync", "--all", "--json"]).exits(0);
    assert_eq!(run.json()["connections"][0]["status"], "ok");
    let run = home.run(&["export", "--user", EMAIL, "--format", "jsonl"]).exits(0);
    assert_eq!(run.out.lines().count(), ACTIVITIES);
    let run = home.run(&["doctor"]).exits(0);
    assert!(!run.out.contains("warn") && !run.out.contains("fail"), "{run:#?}");
    // Who comes without the key is told so.
    std::fs::remove_file(home.data().join("master.key")).unwrap();
    home.run(&["sync", "--all"]).exits(2).says(&["the master key of this database is missing"]);
}

//! A whole store is copied, and what may not be copied or written over is refused without a password in what is said.

use crate::home::{EMAIL, Home, strava};

#[test]
fn a_store_is_copied_and_used() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    let connection = home.connect();
    home.run(&["sync", "--all"]).exits(0);
    let from = home.data().join("lifehub.db").to_str().unwrap().to_owned();
    let run = home.run(&["store", "copy", "--from", &from, "--to", "sqlite://new.db", "--json"]).exits(0);
    let told = run.json();
    let rows = |name: &str| {
        let table = told["tables"].as_array().unwrap().iter().find(|table| table["name"] == name).unwrap();
        table["rows"].as_u64().unwrap()
    };
    assert_eq!((rows("users"), rows("credentials"), rows("connections")), (1, 1, 1));
    assert!(rows("records") > 50 && rows("records") < told["rows"].as_u64().unwrap(), "{told}");
    assert!(told["resumed"] == 0 && told["seconds"].is_f64(), "{told}");
    assert!(run.err.contains("hint: set LIFEHUB_DATABASE_URL"), "{run:#?}");

    let export = home.run(&["export"]).exits(0).out;
    let home = home.with("LIFEHUB_DATABASE_URL", "sqlite://new.db");
    assert_eq!(home.run(&["export"]).exits(0).out, export);
    assert!(home.run(&["connections"]).exits(0).out.contains(&connection));
    let synced = home.run(&["sync", "--all", "--json"]).exits(0).json();
    assert_eq!(synced["totals"]["inserted"], 0, "it goes on where the old store stood");
    home.run(&["doctor"]).exits(0);

    let run = home.run(&["store", "copy", "--from", "sqlite://new.db", "--to", "third.db"]).exits(0);
    assert!(run.out.starts_with("TABLE") && run.out.contains("\nrecords "), "{run:#?}");
    assert!(run.out.contains(" rows copied, and all of them read back and found equal, in "), "{run:#?}");
    home.run(&["store", "copy", "--from", &from, "--to", "third.db"]).exits(2).says(&[
        "the target is not empty",
        "left untouched",
        "hint: name an empty database",
    ]);
}

#[test]
fn what_cannot_be_copied_is_told() {
    let home = Home::new();
    home.run(&["store", "copy", "--from", "none.db", "--to", "new.db"])
        .exits(1)
        .says(&["there is no database to copy", "none.db"]);
    assert!(home.is_untouched());
    home.run(&["user", "add", EMAIL]).exits(0);
    let from = home.data().join("lifehub.db").to_str().unwrap().to_owned();
    home.run(&["store", "copy", "--from", &from, "--to", "sqlite::memory:"]).exits(2).says(&["in memory"]);
    home.run(&["store", "copy", "--to", "new.db"]).exits(2).says(&["--from <URL>"]);
}

#[test]
fn no_password_is_repeated() {
    let home = Home::new();
    home.run(&["user", "add", EMAIL]).exits(0);
    let from = home.data().join("lifehub.db").to_str().unwrap().to_owned();
    let url = "postgres://u:hunter2@127.0.0.1:1/d";
    for args in [
        &["store", "copy", "--from", &from, "--to", url][..],
        &["-vvv", "store", "copy", "--from", url, "--to", "new.db"],
        &["store", "copy", "--from", &from, url],
        &["store", "copy", url],
        &["store", url],
        &["store", "copy", "--from", &from, "--too", url],
        &["store", "copy", "--from", &from, &format!("--too={url}")],
    ] {
        let run = home.run(args);
        assert_ne!(run.code, 0, "{args:?}: {run:#?}");
        assert!(!run.err.contains("hunter2") && !run.out.contains("hunter2"), "{args:?}: {run:#?}");
    }
}

//! Configuration and places that cannot be used: refused by name, with the next step, and nothing made.

use crate::home::{EMAIL, Home};

#[test]
fn unknown_keys_are_refused_by_every_command() {
    let home = Home::new().with("LIFEHUB_DATABSE_URL", "hunter2");
    for args in [&["connectors", "list"][..], &["sync", "--all"], &["export"], &["user", "list"]] {
        let run = home.run(args).exits(2);
        run.says(&["no configuration key \"databse_url\"", "LIFEHUB_DATABSE_URL", "database_url"]);
        assert!(!run.err.contains("hunter2"));
    }
    assert!(home.is_untouched());
}

#[test]
fn the_file_beside_is_read() {
    let home = Home::new();
    std::fs::write(
        home.path().join("lifehub.toml"),
        "data_dir = \"own\"\n[providers.strava]\nbaseurl = \"x\"\n",
    )
    .unwrap();
    home.run(&["user", "list"]).exits(2).says(&["\"providers.strava.baseurl\"", "base_url", "lifehub.toml"]);
    std::fs::write(home.path().join("lifehub.toml"), "data_dir = \"own\"\n").unwrap();
    home.run(&["user", "add", EMAIL]).exits(0);
    assert!(home.path().join("own/lifehub.db").exists() && !home.data().exists());
    home.run(&["user", "list", "--config", "other.toml"]).exits(2).says(&["does not exist", "other.toml"]);
    std::fs::write(home.path().join("other.toml"), "data_dir = \"third\"\n").unwrap();
    home.run(&["user", "add", EMAIL, "--config", "other.toml"]).exits(0);
    assert!(home.path().join("third/lifehub.db").exists());
    // A flag outranks both.
    home.run(&["--data-dir", "fourth", "user", "add", EMAIL]).exits(0);
    assert!(home.path().join("fourth/lifehub.db").exists());
}

#[test]
fn a_database_elsewhere_is_used() {
    let home = Home::new().with("LIFEHUB_DATABASE_URL", "sqlite://elsewhere.db");
    home.run(&["export"]).exits(1).says(&["no data yet"]);
    home.run(&["user", "add", EMAIL]).exits(0);
    assert!(home.path().join("elsewhere.db").exists());
    assert!(home.run(&["user", "list"]).exits(0).out.contains(EMAIL));
    // Nobody listens there.
    let home = Home::new().with("LIFEHUB_DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/db");
    let run = home.run(&["user", "add", EMAIL]).exits(1);
    run.says(&["database cannot be reached", "is it running"]);
    assert!(!run.err.contains("hunter2"), "{run:#?}");
}

#[test]
fn a_file_in_place_of_the_directory_is_told() {
    let home = Home::new();
    std::fs::write(home.path().join("data"), "").unwrap();
    let args = ["--data-dir", "data", "user", "add", EMAIL];
    home.run(&args).exits(1).says(&["the data directory is not a directory", "--data-dir"]);
    let inside = ["--data-dir", "data/inside", "user", "add", EMAIL];
    home.run(&inside).exits(1).says(&["error: the data directory", "--data-dir"]);
    home.run(&["--data-dir", "data", "export"]).exits(1).says(&["no data yet"]);
    assert_eq!(std::fs::read(home.path().join("data")).unwrap(), b"");
}

#[test]
fn a_directory_that_cannot_be_written_is_told() {
    // Not even root can make a directory there.
    let run = Home::new().run(&["--data-dir", "/proc/lifehub", "user", "add", EMAIL]).exits(1);
    run.says(&["error: the data directory cannot be used", "hint: name a directory"]);
}

#[test]
fn without_a_home_the_data_directory_must_be_named() {
    let home = Home::new();
    let mut command = home.command(&["user", "list"]);
    command.env("HOME", "relative");
    crate::home::finished(command).exits(2).says(&["neither XDG_DATA_HOME nor HOME", "--data-dir"]);
    let mut command = home.command(&["user", "add", EMAIL]);
    command.env("XDG_DATA_HOME", home.path().join("xdg"));
    crate::home::finished(command).exits(0);
    assert!(home.path().join("xdg/lifehub/lifehub.db").exists());
}

#[test]
fn the_master_key_may_come_from_the_environment() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let home = Home::new().with("LIFEHUB_MASTER_KEY", key);
    home.run(&["connect", "strava", "--user", EMAIL, "--no-check", "--secret", "access_token=x"]).exits(0);
    assert!(!home.data().join("master.key").exists());
    let mut command = home.command(&["connections"]);
    command.env("LIFEHUB_MASTER_KEY", "hunter2");
    let run = crate::home::finished(command).exits(2);
    run.says(&["master key", "32 bytes"]);
    assert!(!run.err.contains("hunter2"), "{run:#?}");
}

#[test]
fn a_log_filter_that_is_none_is_told() {
    let home = Home::new().with("LIFEHUB_LOG", "lifehub=loud");
    home.run(&["user", "list"]).exits(2).says(&["the log filter is not valid", "hint: a filter is"]);
}

#[test]
fn unknown_names_are_answered_with_those_that_exist() {
    let home = Home::new();
    home.run(&["connectors", "show", "stravva"]).exits(2).says(&[
        "error: there is no provider \"stravva\"",
        "hint: the providers are: ",
        "strava",
    ]);
    home.run(&["snyc"]).exits(2).says(&["unrecognized subcommand 'snyc'", "sync"]);
    home.run(&["export", "--usr", EMAIL]).exits(2).says(&["--usr", "--user"]);
    assert!(home.is_untouched());
}

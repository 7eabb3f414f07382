//! Every command explains itself.

use crate::home::Home;

const COMMANDS: &[&[&str]] = &[
    &[],
    #[cfg(feature = "simulator")]
    &["demo"],
    &["connect"],
    &["disconnect"],
    &["sync"],
    &["worker"],
    &["export"],
    &["connections"],
    &["connectors"],
    &["connectors", "list"],
    &["connectors", "show"],
    &["user"],
    &["user", "add"],
    &["user", "list"],
    &["user", "zone"],
    &["keys"],
    &["keys", "rotate"],
    &["store"],
    &["store", "copy"],
    &["replay"],
    &["doctor"],
    #[cfg(feature = "simulator")]
    &["simulate"],
];

#[test]
fn every_command_has_help_with_examples() {
    let home = Home::new();
    for command in COMMANDS {
        let run = home.run(&[*command, &["--help"]].concat()).exits(0);
        assert!(
            run.out.contains("EXAMPLES:\n  ") && run.out.contains("Usage: lifehub"),
            "{command:?}: {run:#?}"
        );
        assert_eq!(run.err, "");
        let widest = run.out.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(110), "{command:?}: a line of {widest:?} characters");
    }
    assert!(home.is_untouched());
}

#[test]
fn the_help_names_every_command() {
    let help = Home::new().run(&["--help"]).exits(0).out;
    for command in COMMANDS.iter().filter_map(|command| command.first()) {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is missing in {help}");
    }
}

#[test]
fn the_version_is_told() {
    let run = Home::new().run(&["--version"]).exits(0);
    assert_eq!(run.out, format!("lifehub {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_command_there_is_help_and_a_code_of_wrong_use() {
    let run = Home::new().run(&[]).exits(2);
    run.says(&["Usage: lifehub", "EXAMPLES:"]);
}

#[test]
fn providers_are_listed_and_shown() {
    let home = Home::new();
    let list = home.run(&["connectors", "list"]).exits(0).out;
    assert!(list.contains("strava") && list.contains("Strava") && list.contains("oauth2"), "{list}");
    let manifests = home.run(&["connectors", "list", "--json"]).exits(0).json();
    let ids: Vec<_> = manifests.as_array().unwrap().iter().map(|manifest| &manifest["id"]).collect();
    assert!(ids.contains(&&"strava".into()), "{ids:?}");

    let show = home.run(&["connectors", "show", "strava"]).exits(0).out;
    for part in [
        "STREAMS\n  activities:",
        "CREDENTIALS (oauth2)\n  a consent in the browser to read, activity:read_all, or\n  access_token: Access token, required",
        "SETTINGS\n  none",
        "quarter: 100 requests in every 15 min of the clock, for all connections together",
        "language models may not read it",
        "next: lifehub connect strava --user EMAIL",
    ] {
        assert!(show.contains(part), "{part:?} is not in {show}");
    }
    let manifest = home.run(&["connectors", "show", "strava", "--json"]).exits(0).json();
    assert_eq!(manifest["streams"][0]["name"], "activities");
    assert!(home.is_untouched());
}

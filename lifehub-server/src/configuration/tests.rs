//! What is read, in which order, and what is refused.

use super::*;

const PROVIDERS: [&str; 2] = ["google-calendar", "strava"];

struct Given<'a> {
    file: &'a str,
    variables: &'a [(&'a str, &'a str)],
}

fn load(given: &Given<'_>) -> Result<Configuration> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("given.toml");
    std::fs::write(&path, given.file).unwrap();
    let global = Global { config: Some(path), ..Global::default() };
    let variables = given.variables.iter().map(|(name, value)| (name.into(), value.into()));
    Configuration::load(&global, variables, &PROVIDERS)
}

fn read(file: &str, variables: &[(&str, &str)]) -> Configuration {
    load(&Given { file, variables }).unwrap()
}

#[track_caller]
fn refused(file: &str, variables: &[(&str, &str)], parts: &[&str]) {
    let error = load(&Given { file, variables }).unwrap_err();
    let text = format!("{error:?}");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_environment_outranks_the_file_and_a_flag_both() {
    let file = "data_dir = \"a\"\nlog = \"info\"\n[providers.strava]\nbase_url = \"http://one.example\"\nenabled = false\n";
    let read = read(
        file,
        &[("LIFEHUB_DATA_DIR", "b"), ("LIFEHUB_PROVIDERS__STRAVA__BASE_URL", "http://two.example")],
    );
    assert_eq!(read.data_dir.as_deref(), Some(Path::new("b")));
    assert_eq!(read.log.as_deref(), Some("info"));
    let strava = read.operator.of("strava");
    assert_eq!(strava.base_url.unwrap().as_str(), "http://two.example/");
    assert!(!strava.enabled);

    let global = Global { data_dir: Some("c".into()), ..Global::default() };
    let variables = [("LIFEHUB_DATA_DIR".into(), "b".into())];
    let loaded = Configuration::load(&global, variables, &PROVIDERS).unwrap();
    assert_eq!(loaded.data_dir.as_deref(), Some(Path::new("c")));
}

#[test]
fn values_of_the_environment_are_text_until_their_key_is_known() {
    let read = read(
        "",
        &[
            ("LIFEHUB_MASTER_KEY", "0123"),
            ("LIFEHUB_LOG", "true"),
            ("LIFEHUB_PROVIDERS__STRAVA__CLIENT_SECRET", "0042"),
            ("LIFEHUB_PROVIDERS__STRAVA__CLIENT_ID", "1e5"),
            ("LIFEHUB_PROVIDERS__STRAVA__WEBHOOK_TOKEN", "0815"),
            ("LIFEHUB_PROVIDERS__STRAVA__ENABLED", "false"),
            ("LIFEHUB_PROVIDERS__STRAVA__QUOTAS", "off"),
            ("LIFEHUB_PROVIDERS__STRAVA__INTERVAL", "15m"),
            ("LIFEHUB_PROVIDERS__STRAVA__LOOKBACK", "90"),
        ],
    );
    assert_eq!(read.master_key.unwrap().expose(), "0123");
    assert_eq!(read.log.as_deref(), Some("true"));
    let strava = read.operator.of("strava");
    assert_eq!(strava.client_secret.unwrap().expose(), "0042");
    assert_eq!(strava.client_id.as_deref(), Some("1e5"));
    assert_eq!(strava.webhook_token.unwrap().expose(), "0815");
    assert!(!strava.enabled);
    assert!(strava.quotas.is_some());
    assert_eq!(strava.interval.unwrap().as_secs(), 900);
    assert_eq!(strava.lookback.unwrap().as_secs(), 90);
}

#[test]
fn durations_are_written_with_a_unit() {
    for (text, millis) in
        [("500ms", 500), ("30s", 30_000), ("2 m", 120_000), ("1h", 3_600_000), ("100ms", 100)]
    {
        assert_eq!(read("", &[("LIFEHUB_LEASE", text)]).lease, Some(Duration::from_millis(millis)), "{text}");
    }
    assert_eq!(read("lease = 45", &[]).lease, Some(Duration::from_secs(45)));
    assert_eq!(read("", &[]).lease, None);
    let strava = read("[providers.strava]\ninterval = \"250ms\"", &[]).operator.of("strava");
    assert_eq!(strava.interval, Some(Duration::from_millis(250)));
    for wrong in ["99ms", "0", "61m", "2h", "1w", "s", "-1s", "1.5s", "hunter2"] {
        refused("", &[("LIFEHUB_LEASE", wrong)], &["\"lease\"", "LIFEHUB_LEASE", "for example 30s"]);
    }
}

#[test]
fn a_provider_with_a_dash_is_reached_with_an_underscore() {
    let read = read(
        "[providers.google-calendar]\nclient_id = \"x\"\n",
        &[("LIFEHUB_PROVIDERS__GOOGLE_CALENDAR__ENABLED", "no")],
    );
    let calendar = read.operator.of("google-calendar");
    assert_eq!((calendar.client_id.as_deref(), calendar.enabled), (Some("x"), false));
}

#[test]
fn what_is_empty_or_not_ours_is_passed_over() {
    let read = read(
        "",
        &[
            ("LIFEHUB_DATA_DIR", ""),
            ("LIFEHUBX", "1"),
            ("HOME", "/x"),
            ("LIFEHUB_SERVICE_HOST", "10.0.0.1"),
            ("LIFEHUB_SERVICE_PORT_HTTP", "80"),
            ("LIFEHUB_PORT", "tcp://10.0.0.1:80"),
            ("LIFEHUB_PORT_80_TCP_ADDR", "10.0.0.1"),
        ],
    );
    assert!(read.data_dir.is_none());
}

#[test]
fn unknown_keys_are_refused_by_name() {
    refused(
        "databse_url = \"hunter2\"",
        &[],
        &["\"databse_url\"", "data_dir, database_url, master_key", "given.toml"],
    );
    refused(
        "",
        &[("LIFEHUB_DATABSE_URL", "hunter2")],
        &["\"databse_url\"", "LIFEHUB_DATABSE_URL", "database_url"],
    );
    refused(
        "[providers.strava]\nclientid = \"hunter2\"",
        &[],
        &["\"providers.strava.clientid\"", "client_id", "base_url", "given.toml"],
    );
    refused(
        "",
        &[("LIFEHUB_PROVIDERS__STRAVA__TOKEN", "hunter2")],
        &["\"providers.strava.token\"", "LIFEHUB_PROVIDERS__STRAVA__TOKEN"],
    );
    refused("[providers.stravva]\n", &[], &["no provider \"stravva\"", "google-calendar, strava"]);
    refused(
        "",
        &[("LIFEHUB_PROVIDERS__STRAVVA__ENABLED", "1")],
        &["\"stravva\"", "LIFEHUB_PROVIDERS__STRAVVA__ENABLED"],
    );
}

#[test]
fn wrong_values_are_told_without_the_value() {
    refused(
        "[providers.strava]\nenabled = \"hunter2\"",
        &[],
        &["\"providers.strava.enabled\"", "a boolean", "true or false"],
    );
    refused(
        "",
        &[("LIFEHUB_PROVIDERS__STRAVA__BASE_URL", "hunter2")],
        &["providers.strava.base_url", "an address"],
    );
    refused("", &[("LIFEHUB_PROVIDERS__STRAVA__INTERVAL", "hunter2")], &["providers.strava.interval", "15m"]);
    refused("[providers.strava]\nquotas = \"hunter2\"", &[], &["providers.strava.quotas", "off"]);
    refused("providers = \"hunter2\"", &[], &["providers"]);
    refused("", &[("LIFEHUB_PROVIDERS__STRAVA", "hunter2")], &["providers.strava"]);
}

#[test]
fn a_line_that_is_no_toml_is_not_repeated() {
    refused("log = \"x\"\nmaster_key = \"hunter2\nlog = 1", &[], &["line 2", "not valid TOML", "given.toml"]);
    refused("master_key = hunter2", &[], &["line 1"]);
}

#[test]
fn a_named_file_must_be_there() {
    let global = Global { config: Some("no-such.toml".into()), ..Global::default() };
    let error = Configuration::load(&global, [], &PROVIDERS).unwrap_err();
    assert!(
        error.to_string().contains("does not exist") && error.to_string().contains("no-such.toml"),
        "{error}"
    );
}

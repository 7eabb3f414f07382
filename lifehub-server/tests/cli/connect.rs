//! Connecting an account: what is checked, what is saved, what is never said.

use lifehub_connectors::strava::simulator::StravaSimulator;
use lifehub_testkit::{Server, SimRequest, SimResponse, Simulator};

use crate::home::{EMAIL, Home, strava};

const TOKEN: &str = StravaSimulator::TOKEN;

#[test]
fn connecting_makes_the_user_and_tells_the_next_command() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    let secret = format!("access_token={TOKEN}");
    let run = home.run(&["connect", "strava", "--user", EMAIL, "--secret", &secret]).exits(0);
    assert!(run.err.contains("made the user ada@example.org, in the time zone UTC"), "{run:#?}");
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines[0], "connected Strava: sample_athlete (account 900001234)");
    let id = lines[1].strip_prefix("connection ").unwrap();
    assert_eq!(lines[2], format!("next: lifehub sync --connection {id}"));

    let again = home.run(&["connect", "strava", "--user", "ADA@example.org", "--secret", &secret]).exits(0);
    assert!(again.out.starts_with("renewed the connection to Strava: sample_athlete"), "{again:#?}");
    assert!(again.out.contains(id) && again.err.is_empty(), "{again:#?}");

    let list = home.run(&["connections", "--json"]).exits(0).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(
        list[0],
        serde_json::json!({
            "id": id, "user": EMAIL, "provider": "strava", "account": "900001234", "status": "active", "last_run": null, "next_at": null,
        })
    );
    let table = home.run(&["connections", "--user", EMAIL]).exits(0).out;
    assert!(table.contains(id) && table.contains("never"), "{table}");
}

#[test]
fn what_was_made_is_for_its_owner_alone() {
    use std::os::unix::fs::MetadataExt;
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&home.data()), 0o700);
    assert_eq!(mode(&home.data().join("master.key")), 0o600);
    assert_eq!(mode(&home.data().join("lifehub.db")), 0o600);
}

#[test]
fn credentials_come_from_files_and_standard_input() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    std::fs::write(home.path().join("token"), format!("{TOKEN}\r\n")).unwrap();
    let connect = |secret: &str| {
        vec!["connect", "strava", "--user", EMAIL, "--json", "--secret"]
            .into_iter()
            .chain([secret])
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let file = connect("access_token=@token");
    let file: Vec<&str> = file.iter().map(String::as_str).collect();
    assert_eq!(home.run(&file).exits(0).json()["checked"], true);

    let stdin = connect("access_token=-");
    let stdin: Vec<&str> = stdin.iter().map(String::as_str).collect();
    let run = home.run_with_input(&stdin, &format!("{TOKEN}\n")).exits(0);
    assert_eq!(run.json()["created"], false);
    assert_eq!(run.json()["title"], "sample_athlete");
}

#[test]
fn a_refusal_saves_nothing() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    let run = home.run(&["connect", "strava", "--user", EMAIL, "--secret", "access_token=hunter2"]).exits(1);
    run.says(&["error: Strava did not confirm the account, nothing was saved", "hint: "]);
    assert!(!run.err.contains("hunter2"), "{run:#?}");
    assert!(home.is_untouched());

    // Beside data that is there, nothing changes either.
    home.connect();
    let before = home.run(&["connections", "--json"]).out;
    home.run(&["connect", "strava", "--user", "b@example.org", "--secret", "access_token=hunter2"]).exits(1);
    assert_eq!(home.run(&["connections", "--json"]).out, before);
    assert_eq!(home.run(&["user", "list", "--json"]).json().as_array().unwrap().len(), 1);
}

#[test]
fn a_provider_out_of_reach_saves_nothing_unless_it_is_not_asked() {
    // A port that was free a moment ago, and on which nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let home = Home::new().with("LIFEHUB_PROVIDERS__STRAVA__BASE_URL", &format!("http://127.0.0.1:{port}"));
    let connect = ["connect", "strava", "--user", EMAIL, "--secret", "access_token=x"];
    home.run(&connect).exits(1).says(&["nothing was saved", "--no-check saves without asking"]);
    assert!(home.is_untouched());
    let run = home.run(&[&connect[..], &["--no-check"]].concat()).exits(0);
    assert!(run.out.starts_with("connected Strava, unchecked"), "{run:#?}");
}

/// A server that knows no route at all, or answers with something else.
struct Bare(u16, &'static str);

impl Simulator for Bare {
    fn handle(&self, _: &SimRequest) -> SimResponse {
        SimResponse::html(self.0, self.1)
    }
}

#[test]
fn a_server_without_the_question_is_saved_with_a_warning() {
    let server = Server::start(Bare(404, "nothing here")).unwrap();
    let home = Home::beside(&server);
    let run = home.run(&["connect", "strava", "--user", EMAIL, "--secret", "access_token=x"]).exits(0);
    assert!(run.err.contains("warning: the account could not be checked"), "{run:#?}");
    assert!(run.out.contains("connected Strava, unchecked"), "{run:#?}");
}

#[test]
fn an_answer_that_is_none_saves_nothing() {
    let server = Server::start(Bare(200, "<html>welcome to the hotel</html>")).unwrap();
    let home = Home::beside(&server);
    let run = home.run(&["connect", "strava", "--user", EMAIL, "--secret", "access_token=x"]).exits(1);
    run.says(&["nothing was saved"]);
    assert!(home.is_untouched());
}

#[test]
fn wrong_input_is_refused_before_anything_is_made_or_asked() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    std::fs::write(home.path().join("empty"), "\n").unwrap();
    let secret = "access_token=hunter2";
    let token: &[&str] = &["--secret", secret];
    let check = |args: &[&str], parts: &[&str]| {
        let run = home.run(&[&["connect"], args].concat()).exits(2);
        run.says(parts);
        assert!(!run.err.contains("hunter2"), "{args:?}: {run:#?}");
    };
    let user: &[&str] = &["--user", EMAIL];
    let strava: &[&str] = &["strava"];
    check(
        &[&["stravva"], user, token].concat(),
        &["error: there is no provider \"stravva\"", "hint: the providers are: ", "strava"],
    );
    check(&[strava, &["--user", "ada"], token].concat(), &["that is no e-mail address", "name@example.org"]);
    check(
        &[strava, user].concat(),
        &["no app is configured for Strava", "providers.strava.client_id", "--secret access_token"],
    );
    check(
        &[strava, user, &["--secret", "refresh_token=hunter2"]].concat(),
        &["Strava needs the credential access_token", "--secret access_token=@FILE"],
    );
    check(
        &[strava, user, &["--secret", "acess_token=hunter2"]].concat(),
        &["Strava has no credential \"acess_token\"", "access_token, refresh_token, expires_at"],
    );
    for lost in ["hunter2", "hunter2=", "hunter2=="] {
        check(&[strava, user, &["--secret", lost]].concat(), &["Strava has no credential\n", "access_token"]);
    }
    check(&[strava, user, token, &["--secret", "access_token=x"]].concat(), &["access_token is given twice"]);
    check(&[strava, user, &["--secret", "access_token="]].concat(), &["access_token is empty"]);
    check(&[strava, user, &["--secret", "access_token=@empty"]].concat(), &["access_token is empty"]);
    check(
        &[strava, user, &["--secret", "access_token=@hunter2"]].concat(),
        &["cannot be read", "behind @ stands"],
    );
    check(&[strava, user, &["--secret", "access_token=@/"]].concat(), &["access_token cannot be read"]);
    check(&[strava, user, &["--secret", "access_token"]].concat(), &["no terminal", "access_token=@FILE"]);
    check(
        &[strava, user, &["--secret", "access_token=-", "--secret", "refresh_token=-"]].concat(),
        &["only one credential can come from standard input"],
    );
    check(
        &[strava, user, token, &["--secret", "expires_at=tomorrow"]].concat(),
        &["expires_at is not an instant", "RFC 3339"],
    );
    check(
        &[strava, user, token, &["--set", "colour=hunter2"]].concat(),
        &["no setting \"colour\"", "no settings"],
    );
    check(&[strava, user, token, &["--set", "hunter2"]].concat(), &["--set takes NAME=VALUE"]);
    check(&[strava, user, &["--set", secret]].concat(), &["access_token is a credential, not a setting"]);
    // What clap refuses, it refuses without the words.
    check(
        &[strava, user, &["--secret", "access_token=", "hunter2"]].concat(),
        &["unexpected argument", "Usage"],
    );
    check(&[strava, user, &[secret]].concat(), &["unexpected argument"]);
    check(&[strava, user, &["--secrets=hunter2"]].concat(), &["unexpected argument", "--secrets"]);
    check(&[strava, token].concat(), &["--user <EMAIL>"]);
    assert_eq!(server.request_count(), 0);
    assert!(!home.data().exists());
}

#[test]
fn a_provider_that_is_switched_off_is_not_connected() {
    let home = Home::new().with("LIFEHUB_PROVIDERS__STRAVA__ENABLED", "false");
    let run = home
        .run(&["connect", "strava", "--user", EMAIL, "--no-check", "--secret", "access_token=x"])
        .exits(2);
    run.says(&["\"strava\" is switched off", "providers.strava.enabled"]);
    assert!(home.is_untouched());
}

#[test]
fn no_log_line_holds_a_token() {
    let (server, _) = strava();
    let home = Home::beside(&server).with("LIFEHUB_LOG", "trace");
    let secret = format!("access_token={TOKEN}");
    let run = home.run(&["connect", "strava", "--user", EMAIL, "--secret", &secret]).exits(0);
    assert!(!run.err.contains(TOKEN) && !run.out.contains(TOKEN), "{run:#?}");
    let run = home.run(&["sync", "--all", "-vvv"]).exits(0);
    assert!(!run.err.contains(TOKEN) && !run.err.contains("per_page"), "{run:#?}");
}

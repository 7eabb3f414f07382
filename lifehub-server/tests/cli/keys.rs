//! The master key is rotated, and everything opens before, meanwhile and after.

use crate::home::{EMAIL, Home, strava};

/// 32 bytes as base64: of zeros, of ones.
const TEXTS: [&str; 2] =
    ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="];

#[test]
fn the_key_file_is_rotated() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    let key = home.data().join("master.key");
    let old = std::fs::read(&key).unwrap();
    let run = home.run(&["keys", "rotate", "--json"]).exits(0);
    let told = run.json();
    let name = told["key"].as_str().unwrap();
    assert_eq!(told, serde_json::json!({ "rewrapped": 1, "key": name }));
    assert!(name.len() == 32 && name.chars().all(|c| c.is_ascii_hexdigit()), "{name}");
    assert!(run.err.contains(&format!("back up the new key file, {}", key.display())), "{run:#?}");
    let new = std::fs::read(&key).unwrap();
    assert!(new.len() == 32 && new != old);
    home.run(&["sync", "--all"]).exits(0);
    home.run(&["doctor"]).exits(0);

    let run = home.run(&["keys", "rotate"]).exits(0);
    assert!(run.out.starts_with("the credentials of 1 connection came under the new key, "), "{run:#?}");
    std::fs::write(&key, old).unwrap();
    home.run(&["sync", "--all"]).exits(2).says(&["not the master key", "restore the key"]);
}

#[test]
fn a_rotation_that_was_stopped_is_a_finding() {
    let (server, _) = strava();
    let home = Home::beside(&server);
    home.connect();
    let key = home.data().join("master.key");
    let old = std::fs::read(&key).unwrap();
    let new = vec![9; 32];
    std::fs::write(&key, [&new[..], &old].concat()).unwrap();
    home.run(&["sync", "--all"]).exits(0);
    let run = home.run(&["doctor", "--json"]).exits(0);
    let checks = run.json()["checks"].as_array().unwrap().clone();
    let check = checks.iter().find(|check| check["check"] == "key file").unwrap();
    assert_eq!((&check["status"], &check["hint"]), (&"warn".into(), &"`lifehub keys rotate` ends it".into()));
    home.run(&["keys", "rotate"]).exits(0);
    assert_eq!(std::fs::read(&key).unwrap(), new);
    let text = home.run(&["doctor"]).exits(0).out;
    assert!(text.contains("ok    key file") && text.contains("ok    credentials"), "{text}");
}

#[test]
fn a_key_in_the_environment_rotates_to_the_first_of_several() {
    let (server, _) = strava();
    let [old, new] = TEXTS;
    let home = Home::beside(&server).with("LIFEHUB_MASTER_KEY", old);
    home.connect();
    home.run(&["keys", "rotate"]).exits(2).says(&["no new master key", "openssl rand -base64 32", "NEW,OLD"]);
    let with = |keys: &str, args: &[&str]| {
        let mut command = home.command(args);
        command.env("LIFEHUB_MASTER_KEY", keys);
        crate::home::finished(command)
    };
    let both = format!("{new},{old}");
    with(&both, &["sync", "--all"]).exits(0);
    let run = with(&both, &["keys", "rotate", "--json"]).exits(0);
    assert_eq!(run.json()["rewrapped"], 1);
    assert!(run.err.contains("the others can be dropped"), "{run:#?}");
    with(new, &["sync", "--all"]).exits(0);
    with(old, &["sync", "--all"]).exits(2).says(&["not the master key"]);
    assert!(!home.data().join("master.key").exists());
}

#[test]
fn without_data_there_is_no_key() {
    let home = Home::new();
    home.run(&["keys", "rotate"]).exits(1).says(&["no data yet", "lifehub connect"]);
    assert!(home.is_untouched());
    home.run(&["user", "add", EMAIL]).exits(0);
    assert_eq!(home.run(&["keys", "rotate", "--json"]).exits(0).json()["rewrapped"], 0);
}

//! Every request of every connector is one that the provider's own API description allows: its path, its parameters,
//! their values.
//!
//! The descriptions are not part of the project. `LIFEHUB_SPECS` names a folder with them, by the names of [`KNOWN`];
//! without it, the test says that it was skipped. The tests of the checker itself always run.
#![cfg(test)]

mod description;
mod record;
mod schema;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use description::Description;

/// The providers with descriptions: the files, and by what the path of a request begins on a simulated server, and in the
/// descriptions.
const KNOWN: &[(&str, &[&str], &str, &str)] = &[
    ("google-calendar", &["google-calendar.json"], "", "/calendar/v3"),
    ("google-sheets", &["google-sheets.json"], "", ""),
    ("open-meteo", &["open-meteo-forecast.yaml", "open-meteo-historical-weather.yaml"], "", ""),
    ("oura", &["oura.json"], "", ""),
    ("spotify", &["spotify.yaml"], "/v1", ""),
    ("strava", &["strava.json"], "/api/v3", ""),
    ("trading212", &["trading212.yaml"], "", ""),
    ("ynab", &["ynab.yaml"], "/v1", ""),
];

/// What a connector asks and its description does not have: the provider, what the checker says, and the words by which
/// the connector's README gives the reason.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("google-calendar", "userinfo is no operation", "OpenID Connect"),
    ("google-sheets", "userinfo is no operation", "is not in the description"),
    ("open-meteo", "\"temperature_2m_mean\" is none of the values", "lacks `temperature_2m_mean`"),
];

fn folder() -> Option<PathBuf> {
    std::env::var_os("LIFEHUB_SPECS").map(PathBuf::from)
}

#[test]
fn every_request_is_valid_by_the_providers_description() {
    let Some(folder) = folder() else {
        println!("SKIPPED: LIFEHUB_SPECS names no folder with API descriptions");
        return;
    };
    let mut found = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (provider, files, from, to) in KNOWN {
        let read = |file: &&str| {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            Description::read(&text).unwrap_or_else(|e| panic!("{file}: {e}"))
        };
        let descriptions: Vec<Description> = files.iter().map(read).collect();
        let requests = record::requests(provider);
        assert!(requests.len() > 2, "{provider}: {} requests are too few to show anything", requests.len());
        let operations: usize = descriptions.iter().map(Description::len).sum();
        println!("{provider}: {} requests, {operations} operations described", requests.len());
        for request in requests {
            let path = request.path.strip_prefix(from).unwrap_or(&request.path);
            let path = format!("{to}{path}");
            // Of the descriptions, the one that knows the path.
            let checked = descriptions.iter().map(|d| d.check(&request.method, &path, &request.query));
            let known = |faults: &Vec<String>| !faults.iter().any(|fault| fault.ends_with("is no operation"));
            let all: Vec<_> = checked.collect();
            let faults = all.iter().find(|faults| known(faults)).or(all.first()).cloned().unwrap_or_default();
            for fault in faults {
                match DIFFERENCES.iter().find(|(id, what, _)| id == provider && fault.contains(what)) {
                    Some(difference) => _ = used.insert(*difference),
                    None => _ = found.insert(format!("{provider}: {fault}")),
                }
            }
        }
    }
    assert!(found.is_empty(), "not as described:\n{}", found.into_iter().collect::<Vec<_>>().join("\n"));
    let unused: Vec<_> = DIFFERENCES.iter().filter(|difference| !used.contains(*difference)).collect();
    assert!(unused.is_empty(), "these differences are gone: {unused:?}");
}

#[test]
fn each_difference_is_explained_in_the_connectors_readme() {
    for (provider, what, words) in DIFFERENCES {
        let readme = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../lifehub-connectors/providers")
            .join(provider)
            .join("README.md");
        let text = std::fs::read_to_string(&readme).unwrap();
        assert!(text.contains(words), "{provider}: the README does not say {words:?} on {what:?}");
    }
}

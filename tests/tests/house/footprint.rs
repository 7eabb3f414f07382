//! What an embedder does not ask for is not built: core without its feature `reqwest` has no TLS and no HTTP
//! client, and a connector as it comes has neither these nor a server.

use crate::tree::{breaks, hold};
use crate::workspace::{cargo, members};

const CLIENT: [&str; 8] =
    ["reqwest", "hyper", "hyper-util", "rustls", "aws-lc-rs", "ring", "native-tls", "openssl"];
const SERVER: [&str; 6] = ["axum", "tower-http", "wiremock", "sqlx", "libsqlite3-sys", "lifehub-testkit"];

/// The forbidden crates in what `cargo tree --prefix none --format {p}` prints.
fn violations(root: &str, printed: &str, forbidden: &[&str]) -> Vec<String> {
    let names = printed.lines().filter_map(|line| line.split_whitespace().next());
    let mut found: Vec<String> =
        names.filter(|name| forbidden.contains(name)).map(|name| format!("{root} pulls in {name}")).collect();
    found.sort();
    found.dedup();
    found
}

fn tree(package: &str, options: &[&str]) -> String {
    let fixed = ["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let printed = cargo(&[fixed.as_slice(), options].concat());
    assert!(printed.starts_with(package), "cargo tree prints something else: {printed}");
    printed
}

const REMEDY: &str =
    "`cargo tree --package CRATE --edges normal --invert UNWANTED` shows the way in: put it behind a feature";

#[test]
fn core_without_features_has_no_http_client() {
    hold(REMEDY, &violations("lifehub-core", &tree("lifehub-core", &["--no-default-features"]), &CLIENT));
}

#[test]
fn connectors_pull_in_no_client_and_no_server() {
    let forbidden = [CLIENT.as_slice(), &SERVER].concat();
    let mut found = Vec::new();
    for member in members().iter().filter(|member| member.folder().starts_with("lifehub-connectors")) {
        found.extend(violations(&member.name, &tree(&member.name, &[]), &forbidden));
    }
    hold(REMEDY, &found);
}

#[test]
fn an_unwanted_crate_is_found() {
    let printed =
        "lifehub-x v0.1.0 (/x)\nhttp v1.4.0\nhyper-rustls v0.27.0\nrustls v0.23.46\nrustls v0.23.46 (*)\n";
    breaks(&violations("lifehub-x", printed, &CLIENT), &["lifehub-x pulls in rustls"]);
}

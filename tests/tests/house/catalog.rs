//! The catalog is complete: each provider's folder is a crate with its three files, and the catalog has its feature,
//! its line and its simulated provider.

use crate::source::{tokens, without_tests};
use crate::tree::{breaks, folders, hold, root};
use crate::workspace::{Package, members};

const PROVIDERS: &str = "lifehub-connectors/providers";

const REMEDY: &str = "A provider `x` is the crate `lifehub-x` in providers/x; in lifehub-connectors it is \
    an optional dependency, a feature `x` with `dep:lifehub-x`, `lifehub-x?/simulator` in the feature `simulator`, \
    and a line in lib.rs";

fn violations(providers: &[String], members: &[Package], catalog_source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Some(catalog) = members.iter().find(|member| member.folder() == "lifehub-connectors") else {
        return vec!["lifehub-connectors is no member of the workspace".to_owned()];
    };
    let tokens = without_tests(&tokens(catalog_source));
    let enables = |feature: &str, entry: &str| {
        catalog.features.get(feature).is_some_and(|f| f.iter().any(|e| e == entry))
    };
    for id in providers {
        let name = format!("lifehub-{id}");
        let folder = format!("{PROVIDERS}/{id}");
        let Some(package) = members.iter().find(|member| member.folder() == folder) else {
            found.push(format!("{id}: no member of the workspace"));
            continue;
        };
        if package.name != name {
            found.push(format!("{id}: the crate is called {}, not {name}", package.name));
        }
        if !package.features.contains_key("simulator") {
            found.push(format!("{id}: {name} has no feature `simulator`"));
        }
        if !enables(id, &format!("dep:{name}")) {
            found.push(format!("{id}: the catalog has no feature `{id}` with `dep:{name}`"));
        }
        if !enables("simulator", &format!("{name}?/simulator")) {
            found.push(format!("{id}: the catalog's feature `simulator` lacks `{name}?/simulator`"));
        }
        if !tokens.iter().any(|token| token.text == name.replace('-', "_")) {
            found.push(format!("{id}: the catalog's lib.rs does not name {}", name.replace('-', "_")));
        }
    }
    found
}

/// Connectors that no simulated provider stands for, and simulated providers of no connector.
fn unsimulated(connectors: &[&str], simulated: &[&str]) -> Vec<String> {
    let without = connectors.iter().filter(|id| !simulated.contains(id));
    let mut found: Vec<String> = without.map(|id| format!("{id}: no line in `simulators()`")).collect();
    for (i, id) in simulated.iter().enumerate() {
        if !connectors.contains(id) {
            found.push(format!("{id}: a simulated provider without a connector"));
        }
        if simulated[..i].contains(id) {
            found.push(format!("{id}: more than one line in `simulators()`"));
        }
    }
    found
}

#[test]
fn the_catalog_is_complete() {
    let source =
        std::fs::read_to_string(root().join("lifehub-connectors/src/lib.rs")).expect("the catalog's lib.rs");
    hold(REMEDY, &violations(&folders(PROVIDERS), &members(), &source));
}

#[test]
fn each_provider_crate_has_its_files() {
    let mut found = Vec::new();
    for id in folders(PROVIDERS) {
        let source = root().join(PROVIDERS).join(&id).join("src");
        for module in ["lib", "normalize", "simulator"] {
            if !source.join(format!("{module}.rs")).exists() && !source.join(module).join("mod.rs").exists() {
                found.push(format!("{id}: no {module}.rs"));
            }
        }
        let suite = root().join(PROVIDERS).join(&id).join("tests/conformance.rs");
        if !std::fs::read_to_string(suite).is_ok_and(|text| runs_the_suite(&text)) {
            found.push(format!("{id}: no tests/conformance.rs with `connector_suite!`"));
        }
    }
    let remedy = "A provider crate is lib.rs (manifest and pages), normalize.rs and simulator.rs, and its \
                  tests/conformance.rs runs every case of the suite";
    hold(remedy, &found);
}

fn runs_the_suite(source: &str) -> bool {
    tokens(source).windows(2).any(|pair| [pair[0].text, pair[1].text] == ["connector_suite", "!"])
}

#[test]
fn a_suite_that_is_only_mentioned_is_found() {
    assert!(runs_the_suite("lifehub_testkit::connector_suite! { connector: X, account: y }"));
    assert!(!runs_the_suite("// lifehub_testkit::connector_suite! { connector: X, account: y }"));
}

#[test]
fn each_connector_has_a_simulated_provider() {
    let registry = lifehub_connectors::registry();
    let connectors: Vec<&str> = registry.manifests().map(|manifest| manifest.id).collect();
    let simulated: Vec<&str> = lifehub_connectors::simulators().into_iter().map(|(id, _)| id).collect();
    let remedy = "Suites and the demo reach a simulated provider through `simulators()` in lifehub-connectors' \
                  lib.rs: give the provider its line there";
    hold(remedy, &unsimulated(&connectors, &simulated));
}

#[test]
fn a_connector_without_a_simulated_provider_is_found() {
    let check = |connectors: &[&str], simulated: &[&str], expected: &[&str]| {
        breaks(&unsimulated(connectors, simulated), expected);
    };
    check(&["my-feed", "oura"], &["oura", "my-feed"], &[]);
    check(&["my-feed", "oura"], &["oura"], &["my-feed: no line"]);
    check(&["oura"], &["oura", "my-feed"], &["my-feed: a simulated provider without"]);
    check(&["oura"], &["oura", "oura"], &["oura: more than one"]);
}

#[test]
fn a_gap_in_the_catalog_is_found() {
    let provider =
        |name: &str| Package::made_up(name, "lifehub-connectors/providers/my-feed").feature("simulator", &[]);
    let catalog = || {
        Package::made_up("lifehub-connectors", "lifehub-connectors")
            .feature("my-feed", &["dep:lifehub-my-feed"])
            .feature("simulator", &["lifehub-my-feed?/simulator"])
    };
    let line = "registry.with(lifehub_my_feed::connector())";
    let check = |members: &[Package], source: &str, expected: &[&str]| {
        breaks(&violations(&["my-feed".to_owned()], members, source), expected);
    };
    check(&[catalog(), provider("lifehub-my-feed")], line, &[]);
    check(&[catalog(), provider("lifehub-my-feed")], "// lifehub_my_feed", &["does not name"]);
    check(&[catalog(), provider("feed")], line, &["is called feed"]);
    check(&[catalog().feature("my-feed", &[]), provider("lifehub-my-feed")], line, &["no feature `my-feed`"]);
    check(&[catalog().feature("simulator", &[]), provider("lifehub-my-feed")], line, &["lacks"]);
    check(&[catalog()], line, &["no member"]);
    check(&[], line, &["lifehub-connectors is no member"]);
}

//! The catalog is complete: each provider's folder is a crate with its three files, and the catalog has its feature
//! and its line.

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
    }
    hold("A provider crate is lib.rs (manifest and pages), normalize.rs and simulator.rs", &found);
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

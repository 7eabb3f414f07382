//! A simulator is written from the provider's documentation and knows nothing of its connector, so that it catches
//! the connector's errors instead of repeating them.

use crate::paths::{module_of, references};
use crate::source::tokens;
use crate::tree::{File, breaks, files, hold};

const PROVIDERS: &str = "lifehub-connectors/providers";

/// What several of them share.
const SHARED: &str = "lifehub-connectors/shared";

const REMEDY: &str = "A simulator imports nothing of its own crate outside `simulator`: write the wire format \
    down again, from the provider's documentation";

/// The module of a file of a provider crate, from its path below the crate's `src`.
fn module(path: &str) -> Vec<String> {
    path.split_once("/src/").map(|(_, inner)| module_of(inner)).unwrap_or_default()
}

fn violations(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let module = module(&file.path);
        let tokens = tokens(&file.text);
        if module.first().is_none_or(|first| first != "simulator") {
            continue;
        }
        for reference in references(&module, &tokens) {
            if reference.target.first().is_none_or(|first| first != "simulator") || reference.target.len() < 2
            {
                let target = reference.target.join("::");
                found.push(format!(
                    "{}:{}: the simulator imports `crate::{target}`",
                    file.path, reference.line
                ));
            }
        }
        for pair in tokens.windows(2) {
            if matches!([pair[0].text, pair[1].text], ["include", "!"] | ["[", "path"]) {
                found
                    .push(format!("{}:{}: the simulator includes a file of source", file.path, pair[0].line));
            }
        }
    }
    found
}

/// Where a connector lifts the lints that keep it from the world. Its tests may, for a temporary file.
fn lifted(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path.contains("/src/")) {
        for token in crate::source::without_tests(&tokens(&file.text)) {
            if matches!(token.text, "disallowed_types" | "disallowed_methods") {
                found.push(format!("{}:{}: lifts `{}`", file.path, token.line, token.text));
            }
        }
    }
    found
}

#[test]
fn simulators_know_nothing_of_their_connectors() {
    hold(REMEDY, &violations(&files(PROVIDERS, "rs")));
    hold(REMEDY, &violations(&files(SHARED, "rs")));
}

#[test]
fn connectors_keep_to_their_context() {
    let remedy = "lifehub-connectors/clippy.toml holds for all connectors: extend the context instead of lifting a lint";
    hold(remedy, &lifted(&files(PROVIDERS, "rs")));
    hold(remedy, &lifted(&files(SHARED, "rs")));
}

#[test]
fn a_simulator_that_reads_its_connector_is_found() {
    let check = |path: &str, text: &str, expected: &[&str]| {
        breaks(&violations(&[File::new(&format!("{PROVIDERS}/oura/src/{path}"), text)]), expected);
    };
    check("simulator.rs", "use lifehub_testkit::Server; pub(crate) struct World;", &[]);
    check("simulator/pages.rs", "use super::World; use crate::simulator::World;", &[]);
    check("simulator.rs", "#[cfg(test)] mod tests { use super::*; }", &[]);
    check("simulator.rs", "use crate::Sleep;", &["`crate::Sleep`"]);
    check("simulator.rs", "use super::*;", &["`crate::*`"]);
    check("simulator/pages.rs", "use super::super::normalize::sleep;", &["`crate::normalize::sleep`"]);
    check(
        "simulator.rs",
        "include!(\"normalize.rs\"); #[path = \"lib.rs\"] mod x;",
        &["includes", "includes"],
    );
    check("normalize.rs", "use crate::Sleep;", &[]);
}

#[test]
fn a_lifted_lint_is_found() {
    let lift = "#[expect(clippy::disallowed_methods, reason = \"fast\")] fn f() {}";
    let check = |path: &str, text: &str, expected: &[&str]| {
        breaks(&lifted(&[File::new(&format!("{PROVIDERS}/oura/{path}"), text)]), expected);
    };
    check("src/lib.rs", lift, &["lifts `disallowed_methods`"]);
    check("src/lib.rs", &format!("#[cfg(test)] mod tests {{ {lift} }}"), &[]);
    check("tests/import.rs", lift, &[]);
}

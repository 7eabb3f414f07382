//! docs/architecture.md lists the rules that always hold, each with the test that shows it: every such test exists.

use std::collections::HashSet;

use crate::source::{attribute, tokens};
use crate::tree::{File, breaks, files, hold, root};

const DOCUMENT: &str = "docs/architecture.md";
const HEADING: &str = "Rules and their tests";

const REMEDY: &str = "Under the heading `Rules and their tests`, the last cell of every row names the tests in \
    backticks, as they are called in the code: write the test, or correct the name";

fn violations(document: &str, tests: &HashSet<String>) -> Vec<String> {
    let mut lines = document.lines().enumerate();
    if !lines.any(|(_, line)| line.starts_with('#') && line.trim_start_matches('#').trim() == HEADING) {
        return vec![format!("{DOCUMENT}: no heading `{HEADING}`")];
    }
    let table = lines
        .take_while(|(_, line)| !line.starts_with('#'))
        .filter(|(_, line)| line.trim_start().starts_with('|'));
    // The first two lines are the heads of the columns and the rule below them.
    let rows: Vec<_> = table.skip(2).collect();
    let mut found = Vec::new();
    if rows.is_empty() {
        found.push(format!("{DOCUMENT}: no table under `{HEADING}`"));
    }
    for (i, row) in rows {
        let last = row.trim().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let names: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            found.push(format!("{DOCUMENT}:{}: a rule without a test", i + 1));
        }
        for name in names {
            if !tests.contains(name.rsplit("::").next().unwrap_or(name)) {
                found.push(format!("{DOCUMENT}:{}: there is no test `{name}`", i + 1));
            }
        }
    }
    found
}

/// The names of all tests: functions with a `test` attribute (`#[test]`, `#[tokio::test]`), and the checks of the
/// testkit's suites, which are public functions that a macro turns into tests of each store and each connector.
fn tests(files: &[File]) -> HashSet<String> {
    let mut names = HashSet::new();
    for file in files {
        let tokens = tokens(&file.text);
        let in_suite = file.path.starts_with("lifehub-core/testkit/src/");
        let (mut is_test, mut is_public) = (false, false);
        let mut at = 0;
        while at < tokens.len() {
            if let Some((end, inside)) = attribute(&tokens, at) {
                let words = &tokens[inside];
                is_test |= words[0].text != "cfg" && words.iter().any(|t| t.text == "test");
                at = end;
                continue;
            }
            match tokens[at].text {
                "pub" => is_public = true,
                "fn" => {
                    if let Some(name) = tokens.get(at + 1).filter(|_| is_test || in_suite && is_public) {
                        names.insert(name.text.to_owned());
                    }
                    (is_test, is_public) = (false, false);
                }
                ";" | "{" | "}" => (is_test, is_public) = (false, false),
                _ => {}
            }
            at += 1;
        }
    }
    names
}

#[test]
fn every_rule_in_the_architecture_has_its_test() {
    match std::fs::read_to_string(root().join(DOCUMENT)) {
        Ok(document) => hold(REMEDY, &violations(&document, &tests(&files("", "rs")))),
        // Before the first README there is no documentation at all; from then on, this page belongs to it.
        Err(_) => assert!(!root().join("README.md").exists(), "{DOCUMENT} is missing. {REMEDY}"),
    }
}

#[test]
fn a_rule_without_its_test_is_found() {
    let tests = HashSet::from(["page_atomic".to_owned()]);
    let check = |rows: &str, expected: &[&str]| {
        let document = format!(
            "# A\n\n## {HEADING}\n\nWhy.\n\n| rule | test |\n|---|---|\n{rows}\n## Next\n| x | y |\n"
        );
        breaks(&violations(&document, &tests), expected);
    };
    check("| `a` | `page_atomic`, `store::page_atomic` |\n", &[]);
    check("| 1 | `page_atomic` |\n| 2 | `other` |\n", &["architecture.md:10: there is no test `other`"]);
    check("| 1 | later |\n", &["a rule without a test"]);
    check("", &["no table"]);
    breaks(&violations("# Rules\n", &tests), &["no heading"]);
}

#[test]
fn only_tests_count_as_tests() {
    let source = "#[test] #[cfg(unix)] fn a() {} #[tokio::test(flavor = \"x\")] async fn b() {} fn c() {} \
                  #[cfg(test)] fn d() {} pub async fn e() {}";
    let sorted = |path: &str| {
        let mut names: Vec<_> = tests(&[File::new(path, source)]).into_iter().collect();
        names.sort();
        names.concat()
    };
    assert_eq!(sorted("lifehub-core/src/page.rs"), "ab");
    assert_eq!(sorted("lifehub-core/testkit/src/store.rs"), "abe");
}

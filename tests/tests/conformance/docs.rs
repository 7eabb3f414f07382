//! docs/connectors.md lists the cases as the code has them. With `LIFEHUB_DOCS=write` in the environment the lists are
//! written instead of compared.

use std::path::Path;

use lifehub_testkit::suite::{connector, store, to_markdown};

/// The text with what stands between the mark and the next end replaced.
fn with_section(text: &str, mark: &str, section: &str) -> String {
    let begin = format!("<!-- {mark}: made from the code -->\n");
    let (before, rest) =
        text.split_once(&begin).unwrap_or_else(|| panic!("docs/connectors.md lacks {begin}"));
    let (_, after) = rest.split_once("<!-- end -->").expect("an end");
    format!("{before}{begin}{section}<!-- end -->{after}")
}

#[test]
fn the_documentation_lists_every_case_with_its_double() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/connectors.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let made = with_section(&text, "connector cases", &to_markdown(connector::CASES));
    let made = with_section(&made, "store cases", &to_markdown(store::CASES));
    if std::env::var_os("LIFEHUB_DOCS").is_some_and(|value| value == "write") {
        std::fs::write(&path, made).unwrap();
    } else {
        assert!(made == text, "docs/connectors.md is behind the code: run this test with LIFEHUB_DOCS=write");
    }
}

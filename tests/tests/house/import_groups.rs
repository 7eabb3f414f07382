//! Imports stand in three groups, each apart from the next by an empty line: std, other crates, the own crate.
//! rustfmt sorts inside a group.

use std::collections::HashSet;

use crate::source::{Token, matching, tokens};
use crate::tree::{File, breaks, files, hold};

const REMEDY: &str = "Order imports as std, other crates, own crate (`crate`, `super`, `self`), with one empty \
    line between the groups and none within them";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Std,
    External,
    Own,
}

#[derive(Debug)]
struct Import {
    group: Group,
    first_line: usize,
    last_line: usize,
}

fn violations(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let lines: Vec<&str> = file.text.lines().collect();
        let empty_between = |a: &Import, b: &Import| {
            lines[a.last_line..b.first_line - 1].iter().any(|line| line.trim().is_empty())
        };
        for scope in scopes(&tokens(&file.text)) {
            for pair in scope.windows(2) {
                let place = format!("{}:{}", file.path, pair[1].first_line);
                if pair[1].group < pair[0].group {
                    found.push(format!("{place}: {:?} after {:?}", pair[1].group, pair[0].group));
                } else if pair[1].group == pair[0].group && empty_between(&pair[0], &pair[1]) {
                    found.push(format!("{place}: apart from its group"));
                } else if pair[1].group != pair[0].group && !empty_between(&pair[0], &pair[1]) {
                    found.push(format!("{place}: no empty line before {:?}", pair[1].group));
                }
            }
        }
    }
    found
}

/// The imports of the file's module and of each module inside it. A re-export (`pub use`) is part of the interface,
/// an import inside a function serves that function, and `use Kind::{A, B}` shortens the names of a type at hand:
/// none of these is looked at.
fn scopes(tokens: &[Token<'_>]) -> Vec<Vec<Import>> {
    let mut done = Vec::new();
    collect(tokens, &mut done);
    done
}

fn collect(tokens: &[Token<'_>], done: &mut Vec<Vec<Import>>) {
    let text = |i: usize| tokens.get(i).map_or("", |t| t.text);
    let local: HashSet<&str> = tokens.windows(2).filter(|w| w[0].text == "mod").map(|w| w[1].text).collect();
    let mut imports = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = at == 0 || matches!(text(at - 1), ";" | "}" | "]" | "{");
        match text(at) {
            "use" if begins => {
                let first = if text(at + 1) == "::" { text(at + 2) } else { text(at + 1) };
                if first.starts_with(char::is_uppercase) {
                    at += 1;
                    continue;
                }
                let end = (at..tokens.len()).find(|i| text(*i) == ";").unwrap_or(tokens.len() - 1);
                let group = match first {
                    "std" | "core" | "alloc" => Group::Std,
                    "crate" | "super" | "self" => Group::Own,
                    name if local.contains(name) => Group::Own,
                    _ => Group::External,
                };
                imports.push(Import { group, first_line: tokens[at].line, last_line: tokens[end].line });
                at = end;
            }
            "{" => {
                let close = matching(tokens, at).unwrap_or(tokens.len() - 1);
                if at > 1 && text(at - 2) == "mod" {
                    collect(&tokens[at + 1..close], done);
                }
                at = close;
            }
            _ => {}
        }
        at += 1;
    }
    done.push(imports);
}

#[test]
fn imports_stand_in_groups() {
    hold(REMEDY, &violations(&files("", "rs")));
}

#[test]
fn imports_out_of_order_are_found() {
    let check = |text: &str, expected: &[&str]| breaks(&violations(&[File::new("a.rs", text)]), expected);
    check(
        "use std::fmt;\nuse std::io;\n\nuse serde::{\n    Deserialize,\n};\n\nuse crate::page::Page;\nuse super::X;\n",
        &[],
    );
    check("mod a;\n\npub use a::A;\n\nuse std::fmt;\n\nuse a::B;\n", &[]);
    check("use serde::X;\n\nuse std::fmt;\n", &["a.rs:3: Std after External"]);
    check("use std::fmt;\nuse serde::X;\n", &["a.rs:2: no empty line before External"]);
    check("use std::fmt;\n\nuse std::io;\n", &["a.rs:3: apart from its group"]);
    check("mod tests {\n    use super::*;\n\n    use std::fmt;\n}\n", &["a.rs:4: Std after Own"]);
    check("use std::fmt;\n\nenum Kind { A }\nuse Kind::A;\n", &[]);
    check("fn f() -> impl Iterator + use<'_> {\n    use crate::A;\n    use std::fmt;\n}\n", &[]);
}

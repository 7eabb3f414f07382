//! The paths that a file names inside its own crate, each resolved to its place from the crate's root.

use crate::source::Token;

/// A path that begins with `crate` or `super`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) line: usize,
    /// From the crate's root; empty, or beginning with `*`, for the root itself.
    pub(crate) target: Vec<String>,
}

/// The module that a file holds, from its path below `src`: `http/mod.rs` is `["http"]`, `lib.rs` is `[]`.
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// All references in the tokens of the file that holds `module`.
pub(crate) fn references(module: &[String], tokens: &[Token<'_>]) -> Vec<Reference> {
    let mut found = Vec::new();
    // The modules that are open at this point, each with its depth of braces.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        let before = |n: usize| i.checked_sub(n).map_or("", |i| tokens[i].text);
        match token.text {
            "{" => {
                depth += 1;
                if before(2) == "mod" {
                    inline.push((before(1).to_owned(), depth));
                }
            }
            "}" => {
                inline.pop_if(|(_, opened)| *opened == depth);
                depth -= 1;
            }
            "crate" | "super" if before(1) != "::" && tokens.get(i + 1).is_some_and(|t| t.text == "::") => {
                let mut here: Vec<String> = module.to_vec();
                here.extend(inline.iter().map(|(name, _)| name.clone()));
                for path in tree(tokens, &mut i.clone(), &[]) {
                    found.push(Reference { line: token.line, target: resolve(&here, &path) });
                }
            }
            _ => {}
        }
    }
    found
}

/// The paths that begin at `at`: more than one if the path ends in `{…}`.
fn tree(tokens: &[Token<'_>], at: &mut usize, prefix: &[String]) -> Vec<Vec<String>> {
    let text = |i: usize| tokens.get(i).map_or("", |t| t.text);
    let mut path = prefix.to_vec();
    loop {
        match text(*at) {
            "{" => {
                let mut paths = Vec::new();
                *at += 1;
                while !matches!(text(*at), "}" | "") {
                    if text(*at) == "," {
                        *at += 1;
                    } else {
                        paths.extend(tree(tokens, at, &path));
                    }
                }
                *at += 1;
                return paths;
            }
            word if word == "*" || word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                path.push(word.to_owned());
                *at += 1;
            }
            // A turbofish, a closing mark: the path is over. Step on, so that a malformed tree cannot hold us here.
            _ => {
                *at += 1;
                return vec![path];
            }
        }
        if text(*at) == "as" {
            *at += 2;
        }
        if text(*at) != "::" {
            return vec![path];
        }
        *at += 1;
    }
}

fn resolve(here: &[String], path: &[String]) -> Vec<String> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    let (base, rest) = match path[0].as_str() {
        "crate" => (&here[..0], &path[1..]),
        _ => (&here[..here.len().saturating_sub(ups)], &path[ups..]),
    };
    base.iter().chain(rest).filter(|part| *part != "self").cloned().collect()
}

#[test]
fn paths_resolve_to_the_root() {
    let check = |path: &str, source: &str, expected: &[&str]| {
        let references = references(&module_of(path), &crate::source::tokens(source));
        let found: Vec<_> = references.iter().map(|r| r.target.join("::")).collect();
        assert_eq!(found, expected, "{source}");
    };
    check("page.rs", "use crate::clock::Timestamp; pub(crate) fn f() {}", &["clock::Timestamp"]);
    check("page.rs", "use crate::{a::{self, B as C}, d::*};", &["a", "a::B", "d::*"]);
    check("http/mod.rs", "super::error::fail(); super::super::far();", &["error::fail", "far"]);
    check("http/retry.rs", "use super::quota::Q; use super::super::error;", &["http::quota::Q", "error"]);
    check("http/retry.rs", "mod inner { use super::X; } use super::Y;", &["http::retry::X", "http::Y"]);
    check("page.rs", "crate::engine::run::<u8>(x); $crate::memory::M", &["engine::run", "memory::M"]);
    check("page.rs", "use crate::*; use super::*;", &["*", "*"]);
}

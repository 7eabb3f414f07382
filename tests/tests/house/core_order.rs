//! Inside lifehub-core, a module imports only those that stand left of it: the crate can be read from one end to
//! the other.

use crate::paths::{module_of, references};
use crate::source::{tokens, without_tests};
use crate::tree::{File, breaks, files, hold};

/// From left to right; modules on one level may import each other. `error` and `clock` share a level because an
/// error carries the time at which a retry makes sense, and a time that cannot be parsed is an error; `page` and `normalize`,
/// because what the engine must know of an entry is read of its members as its records are.
const ORDER: [&[&str]; 13] = [
    &["error", "clock"],
    &["secret"],
    &["record"],
    &["page", "normalize"],
    &["http"],
    &["paginate"],
    &["oauth"],
    &["connector"],
    &["registry"],
    &["engine"],
    &["schedule"],
    &["memory"],
    &["prelude"],
];

const SOURCE: &str = "lifehub-core/src/";

const REMEDY: &str = "A module of lifehub-core imports only modules that stand left of it in ORDER, by their own \
    names and outside of tests: move what is shared to the left, or pass it in from the right";

fn level(module: &str) -> Option<usize> {
    ORDER.iter().position(|level| level.contains(&module))
}

fn violations(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let module = module_of(file.path.strip_prefix(SOURCE).unwrap_or(&file.path));
        // The root re-exports whatever it likes, and a file of tests may use everything.
        let Some(own) = module.first() else { continue };
        if module.iter().any(|part| part == "tests") {
            continue;
        }
        let Some(own_level) = level(own) else {
            found.push(format!("{}: `{own}` has no place in ORDER", file.path));
            continue;
        };
        for reference in references(&module, &without_tests(&tokens(&file.text))) {
            let place = format!("{}:{}", file.path, reference.line);
            match reference.target.first().map(String::as_str) {
                Some(target) if target == own => {}
                Some(target) => match level(target) {
                    Some(target_level) if target_level <= own_level => {}
                    Some(_) => {
                        found.push(format!("{place}: `{own}` imports `{target}`, which stands right of it"))
                    }
                    None => found.push(format!("{place}: `crate::{target}` names no module of ORDER")),
                },
                None => found.push(format!("{place}: names the crate's root")),
            }
        }
    }
    found
}

#[test]
fn core_modules_import_only_leftwards() {
    let files = files(SOURCE, "rs");
    assert!(!files.is_empty(), "{SOURCE} holds no source");
    hold(REMEDY, &violations(&files));
}

#[test]
fn an_import_to_the_right_is_found() {
    let check = |path: &str, text: &str, expected: &[&str]| {
        breaks(&violations(&[File::new(&format!("{SOURCE}{path}"), text)]), expected);
    };
    check("page.rs", "use crate::{error::Error, record::Record};", &[]);
    check("error.rs", "use crate::clock::Timestamp;", &[]);
    check("http/retry.rs", "use super::quota::Quota; use crate::http::Request;", &[]);
    check("page.rs", "use crate::{error::Error, engine::Engine};", &["`page` imports `engine`"]);
    check("http/retry.rs", "fn f() { super::super::memory::new() }", &["`http` imports `memory`"]);
    check("page.rs", "use crate::Error;", &["`crate::Error` names no module"]);
    check("page.rs", "use super::*;", &["`crate::*`"]);
    check("stray.rs", "", &["no place in ORDER"]);
    check("page.rs", "//! [x](crate::engine)\n#[cfg(test)] mod tests { use crate::engine::Engine; }", &[]);
    check("engine/tests.rs", "use crate::memory::Memory;", &[]);
    check("lib.rs", "pub use crate::engine::Engine;", &[]);
}

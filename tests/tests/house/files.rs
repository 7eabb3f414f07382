//! Single files: their sizes, their names, and words that must not be left behind.

use crate::source::{attribute, tokens};
use crate::tree::{File, breaks, files, hold};

const LONGEST: usize = 500;
const VAGUE: [&str; 8] = ["util", "utils", "helper", "helpers", "manager", "common", "misc", "miscellaneous"];

fn too_long(files: &[File]) -> Vec<String> {
    let lines = |file: &File| file.text.lines().count();
    files.iter().filter(|f| lines(f) > LONGEST).map(|f| format!("{}: {} lines", f.path, lines(f))).collect()
}

fn vague_names(files: &[File]) -> Vec<String> {
    let vague = |name: &str| name.split(['_', '-']).any(|word| VAGUE.contains(&word));
    let mut found = Vec::new();
    for file in files {
        if file.path.trim_end_matches(".rs").split('/').any(vague) {
            found.push(format!("{}: a vague name", file.path));
        }
        for pair in tokens(&file.text).windows(2) {
            if pair[0].text == "mod" && vague(pair[1].text) {
                found.push(format!("{}:{}: `mod {}`", file.path, pair[1].line, pair[1].text));
            }
        }
    }
    found
}

fn unfinished(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let tokens = tokens(&file.text);
        for (i, token) in tokens.iter().enumerate() {
            let place = format!("{}:{}", file.path, token.line);
            if matches!(token.text, "todo" | "unimplemented")
                && tokens.get(i + 1).is_some_and(|t| t.text == "!")
            {
                found.push(format!("{place}: `{}!`", token.text));
            }
            let Some((_, inside)) = attribute(&tokens, i) else { continue };
            let words: Vec<_> = tokens[inside].iter().map(|t| t.text).collect();
            if words.first() == Some(&"ignore")
                || words.first() == Some(&"cfg_attr") && words.contains(&"ignore")
            {
                found.push(format!("{place}: an ignored test"));
            }
        }
        for (i, line) in file.text.lines().enumerate() {
            let comment =
                line.trim_start().strip_prefix("///").or_else(|| line.trim_start().strip_prefix("//!"));
            if comment
                .and_then(|c| c.trim_start().strip_prefix("```"))
                .is_some_and(|info| info.contains("ignore"))
            {
                found.push(format!("{}:{}: an example that nobody compiles", file.path, i + 1));
            }
        }
    }
    found
}

#[test]
fn no_source_file_is_longer_than_500_lines() {
    hold("Split the file along its meaning: one file, one idea", &too_long(&files("", "rs")));
}

#[test]
fn names_say_what_is_inside() {
    hold("Name the module after what it is about, in the words of the field", &vague_names(&files("", "rs")));
}

#[test]
fn nothing_is_left_unfinished() {
    let remedy = "Finish it, return an error that says what is not supported, or take it out";
    hold(remedy, &unfinished(&files("", "rs")));
}

#[test]
fn a_long_file_is_found() {
    breaks(
        &too_long(&[File::new("a.rs", &"\n".repeat(500)), File::new("b.rs", &"\n".repeat(501))]),
        &["b.rs: 501"],
    );
}

#[test]
fn a_vague_name_is_found() {
    let check =
        |path: &str, text: &str, expected: &[&str]| breaks(&vague_names(&[File::new(path, text)]), expected);
    check("a/src/commons.rs", "mod utility;", &[]);
    check("a/src/http_utils.rs", "", &["http_utils.rs"]);
    check("a/tests/common/mod.rs", "", &["common/mod.rs"]);
    check("a/src/lib.rs", "// mod misc\nmod helpers;", &["lib.rs:2: `mod helpers`"]);
}

#[test]
fn unfinished_work_is_found() {
    let check = |text: &str, expected: &[&str]| breaks(&unfinished(&[File::new("a.rs", text)]), expected);
    check("// todo!()\nlet todo = \"todo!()\"; #[serde(skip)] struct Ignore;", &[]);
    check(
        "fn f() { todo!() }\nfn g() { unimplemented!(\"x\") }",
        &["a.rs:1: `todo!`", "a.rs:2: `unimplemented!`"],
    );
    check("#[test]\n#[ignore = \"slow\"]\nfn f() {}", &["a.rs:2: an ignored test"]);
    check("#[cfg_attr(windows, ignore)] fn f() {}", &["an ignored test"]);
    check("/// ```rust,no_run\n/// ```\n//! ```ignore", &["a.rs:3: an example"]);
}

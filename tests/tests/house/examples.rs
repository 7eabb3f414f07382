//! Examples run with the tests: one that nobody runs is one that has stopped working.

use crate::tree::{File, breaks, files, folders, hold};

fn not_run(examples: &[String], files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for name in examples {
        let below = |folder: &str| {
            let folder = format!("examples/{name}/{folder}");
            files.iter().filter(move |file| file.path.starts_with(&folder))
        };
        if below("tests/").next().is_none() {
            found.push(format!("examples/{name}: no test"));
        } else if below("src/main.rs").next().is_some()
            && !below("tests/").any(|file| file.text.contains(&format!("CARGO_BIN_EXE_{name}")))
        {
            found.push(format!("examples/{name}: no test runs its program"));
        }
    }
    found
}

#[test]
fn every_example_is_run() {
    let remedy = "Write a test in `tests/` of the example that does what its reader does; a program is run by \
                  `env!(\"CARGO_BIN_EXE_name\")`";
    hold(remedy, &not_run(&folders("examples"), &files("examples", "rs")));
}

#[test]
fn an_example_that_nobody_runs_is_found() {
    let check = |sources: &[(&str, &str)], expected: &[&str]| {
        let files: Vec<File> = sources.iter().map(|(path, text)| File::new(path, text)).collect();
        breaks(&not_run(&["embed".to_owned()], &files), expected);
    };
    let main = ("examples/embed/src/main.rs", "");
    check(&[("examples/embed/src/lib.rs", ""), ("examples/embed/tests/suite.rs", "")], &[]);
    check(&[main, ("examples/embed/tests/run.rs", "env!(\"CARGO_BIN_EXE_embed\")")], &[]);
    check(&[main, ("examples/embed/tests/run.rs", "")], &["examples/embed: no test runs its program"]);
    check(&[main, ("examples/embedded/tests/run.rs", "")], &["examples/embed: no test"]);
}

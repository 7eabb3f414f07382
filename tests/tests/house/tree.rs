//! The files of the repository, and how a broken rule is told.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file: where it is, counted from the repository's root with `/` between its parts, and what it says.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// A made-up file, for the tests of the rules.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_owned()
}

/// Every file below `folder` (counted from the root) whose name ends in `.extension`, sorted by path.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    collect(&root, &root.join(folder), extension, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(root: &Path, folder: &Path, extension: &str, found: &mut Vec<File>) {
    // A build directory, wherever it was put, carries this tag. What npm installs is not of this house either.
    if folder.join("CACHEDIR.TAG").exists() || folder.ends_with(".git") || folder.ends_with("node_modules") {
        return;
    }
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            found.push(File { path: relative(root, &path), text });
        }
    }
}

/// The folders directly below `folder`, by name.
pub(crate) fn folders(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("a readable folder"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// `path` counted from `root`, with `/` between its parts.
pub(crate) fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).expect("inside the repository");
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Fails with all violations of a rule, if there are any; `remedy` says what to do.
#[track_caller]
pub(crate) fn hold(remedy: &str, violations: &[String]) {
    assert!(
        violations.is_empty(),
        "{} violations. {remedy}\n\n  {}\n",
        violations.len(),
        violations.join("\n  ")
    );
}

/// Fails unless `violations` are as many as `expected`, and each holds the expected text.
#[track_caller]
pub(crate) fn breaks(violations: &[String], expected: &[&str]) {
    assert_eq!(violations.len(), expected.len(), "{violations:#?}");
    for (violation, part) in violations.iter().zip(expected) {
        assert!(violation.contains(part), "{violation:?} does not hold {part:?}");
    }
}

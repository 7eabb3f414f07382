//! The members of the workspace as `cargo metadata` tells them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::tree::{relative, root};

/// One crate of the workspace.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

/// One dependency that a manifest declares.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Nothing for a normal dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    pub(crate) optional: bool,
}

impl Package {
    /// The folder of its manifest, counted from the root.
    pub(crate) fn folder(&self) -> String {
        match Path::new(&self.manifest_path).parent() {
            Some(folder) if folder.is_absolute() => relative(&root(), folder),
            folder => folder.unwrap_or(Path::new("")).to_string_lossy().into_owned(),
        }
    }

    /// A made-up crate, for the tests of the rules.
    pub(crate) fn made_up(name: &str, folder: &str) -> Self {
        let manifest_path = format!("{folder}/Cargo.toml");
        Self { name: name.to_owned(), manifest_path, dependencies: Vec::new(), features: BTreeMap::new() }
    }

    /// With one more dependency.
    pub(crate) fn with(mut self, name: &str, kind: Option<&str>, optional: bool) -> Self {
        let kind = kind.map(str::to_owned);
        self.dependencies.push(Dependency { name: name.to_owned(), kind, optional });
        self
    }

    /// With one more feature.
    pub(crate) fn feature(mut self, name: &str, enables: &[&str]) -> Self {
        self.features.insert(name.to_owned(), enables.iter().map(|&f| f.to_owned()).collect());
        self
    }
}

/// What `cargo` prints for `arguments`. Offline and locked: the build that made this test has fetched and resolved
/// everything.
pub(crate) fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

/// The crates of the workspace.
pub(crate) fn members() -> Vec<Package> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let printed = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    serde_json::from_str::<Metadata>(&printed).expect("cargo metadata as documented").packages
}

//! Who may import whom between the crates of the workspace, and what each manifest inherits.

use std::collections::HashMap;

use crate::tree::{breaks, files, hold};
use crate::workspace::{Package, members};

/// What a crate is to the others, told by its place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Core,
    Testkit,
    /// What several providers of one company share.
    Shared,
    Provider,
    Catalog,
    Store,
    Server,
    /// Databases for tests, of which every crate's tests may be.
    Scratch,
    /// Tests and examples stand above the house and may import anything.
    Above,
}

use Role::{Above, Catalog, Core, Provider, Scratch, Server, Shared, Store, Testkit};

fn role(folder: &str) -> Option<Role> {
    Some(match folder {
        "lifehub-core" => Core,
        "lifehub-core/testkit" => Testkit,
        "lifehub-connectors" => Catalog,
        "lifehub-store" => Store,
        "lifehub-server" => Server,
        "tests" => Above,
        "tests/scratch" => Scratch,
        _ if folder.starts_with("examples/") => Above,
        _ if folder.starts_with("lifehub-connectors/providers/") => Provider,
        _ if folder.starts_with("lifehub-connectors/shared/") => Shared,
        _ => return None,
    })
}

/// What a crate may import in what it ships. The testkit is not among them: see `violations`.
fn may_import(role: Role) -> &'static [Role] {
    match role {
        Core | Scratch => &[],
        Testkit | Shared | Store => &[Core],
        Provider => &[Core, Shared],
        Catalog => &[Core, Provider],
        Server => &[Core, Catalog, Store],
        Above => &[Core, Testkit, Scratch, Provider, Catalog, Store, Server, Above],
    }
}

fn violations(members: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    let mut roles = HashMap::new();
    for member in members {
        match role(&member.folder()) {
            Some(role) => _ = roles.insert(member.name.as_str(), role),
            None => found.push(format!("{}: `{}` has no role in the house", member.name, member.folder())),
        }
    }
    for member in members {
        let Some(&own) = roles.get(member.name.as_str()) else { continue };
        for dependency in &member.dependencies {
            let Some(&target) = roles.get(dependency.name.as_str()) else { continue };
            let (from, to) = (&member.name, &dependency.name);
            let is_dev = dependency.kind.as_deref() == Some("dev");
            if may_import(own).contains(&target) || matches!(target, Testkit | Scratch) && is_dev {
                continue;
            }
            // A simulator is shipped behind its feature, and brings the testkit with it.
            let may_simulate = matches!(own, Shared | Provider | Catalog | Server);
            if target != Testkit || !may_simulate {
                found.push(format!("{from} ({own:?}) imports {to} ({target:?})"));
            } else if !dependency.optional {
                found.push(format!("{from} imports {to}, but not as an optional dependency"));
            } else {
                let other = member.features.iter().filter(|(name, _)| *name != "simulator");
                for (name, _) in other.filter(|(_, enables)| enables.iter().any(|e| activates(e, to))) {
                    found.push(format!("{from} imports {to} behind `{name}`, not only behind `simulator`"));
                }
            }
        }
    }
    found
}

/// Whether an entry of a feature switches the optional dependency on (`dep:name`, `name/feature`; `name?/feature`
/// does not).
fn activates(entry: &str, dependency: &str) -> bool {
    entry.strip_prefix("dep:") == Some(dependency)
        || entry.split_once('/').is_some_and(|(name, _)| name == dependency)
}

/// What each manifest takes from the workspace instead of saying it again.
const INHERITED: [(&str, &str); 6] = [
    ("package", "version"),
    ("package", "edition"),
    ("package", "rust-version"),
    ("package", "license"),
    ("package", "publish"),
    ("lints", ""),
];

fn not_inherited(manifest: &str) -> Vec<String> {
    let mut section = "";
    let mut inherits = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            continue;
        }
        let line: String = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        let key = line
            .strip_suffix("workspace=true")
            .or_else(|| line.strip_suffix("workspace=true}"))
            .map(|key| key.trim_end_matches(['.', '{', '=']).to_owned());
        inherits.extend(key.map(|key| (section, key)));
    }
    let missing =
        INHERITED.iter().filter(|(section, key)| !inherits.iter().any(|(s, k)| s == section && k == key));
    missing.map(|(section, key)| format!("[{section}] {key}")).collect()
}

#[test]
fn crates_import_only_what_they_may() {
    let remedy = "core ← shared ← provider ← catalog; core ← store; core, catalog, store ← server; the testkit only as a \
                  dev-dependency or behind the feature `simulator`: move the code to the crate that may hold it";
    hold(remedy, &violations(&members()));
}

#[test]
fn manifests_inherit_from_the_workspace() {
    let folders: Vec<String> =
        members().iter().map(|member| format!("{}/Cargo.toml", member.folder())).collect();
    let mut found = Vec::new();
    for manifest in files("", "toml").iter().filter(|file| folders.contains(&file.path)) {
        found.extend(not_inherited(&manifest.text).iter().map(|key| format!("{}: {key}", manifest.path)));
    }
    hold("Write `KEY.workspace = true` under the section", &found);
}

#[test]
fn a_forbidden_import_is_found() {
    let core = || Package::made_up("core", "lifehub-core");
    let kit = || Package::made_up("kit", "lifehub-core/testkit");
    let provider = || Package::made_up("oura", "lifehub-connectors/providers/oura");
    let shared = || Package::made_up("google", "lifehub-connectors/shared/google");
    let store = || Package::made_up("store", "lifehub-store");
    let check = |members: &[Package], expected: &[&str]| breaks(&violations(members), expected);

    check(&[core(), kit().with("core", None, false), provider().with("core", None, false)], &[]);
    check(&[kit(), provider().with("kit", None, true).feature("simulator", &["dep:kit"])], &[]);
    check(&[kit(), store().with("kit", Some("dev"), false)], &[]);
    check(&[shared(), provider().with("google", None, false)], &[]);
    check(&[shared().with("oura", None, false), provider()], &["google (Shared) imports oura (Provider)"]);
    check(&[core().with("store", None, false), store()], &["core (Core) imports store (Store)"]);
    check(&[provider().with("store", Some("dev"), false), store()], &["imports store"]);
    check(&[kit(), provider().with("kit", None, false)], &["not as an optional"]);
    check(&[kit(), provider().with("kit", None, true).feature("fast", &["kit/x"])], &["behind `fast`"]);
    check(
        &[kit(), store().with("kit", None, true).feature("simulator", &["dep:kit"])],
        &["store (Store) imports kit"],
    );
    check(&[Package::made_up("stray", "stray")], &["no role"]);
}

#[test]
fn a_manifest_that_repeats_itself_is_found() {
    let good = "[package]\nname = \"x\"\nversion.workspace = true\nedition = { workspace = true }\n\
                rust-version.workspace = true\nlicense.workspace=true # why\npublish.workspace = true\n\n\
                [lints]\nworkspace = true\n";
    breaks(&not_inherited(good), &[]);
    breaks(
        &not_inherited(&good.replace("edition = { workspace = true }", "edition = \"2024\"")),
        &["[package] edition"],
    );
    breaks(&not_inherited(&good.replace("[lints]", "[badges]")), &["[lints]"]);
    breaks(
        &not_inherited(&good.replace("version.workspace = true\ned", "# version.workspace = true\ned")),
        &["version"],
    );
}

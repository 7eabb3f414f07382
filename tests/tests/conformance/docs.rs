//! docs/connectors.md lists the cases as the code has them, and how long each connector is. With `LIFEHUB_DOCS=write` in
//! the environment the lists are written instead of compared.

use std::path::{Path, PathBuf};

use lifehub_core::connector::Manifest;
use lifehub_testkit::suite::{connector, store, to_markdown};

/// The text with what stands between the mark and the next end replaced.
fn with_section(text: &str, mark: &str, section: &str) -> String {
    let begin = format!("<!-- {mark}: made from the code -->\n");
    let (before, rest) =
        text.split_once(&begin).unwrap_or_else(|| panic!("docs/connectors.md lacks {begin}"));
    let (_, after) = rest.split_once("<!-- end -->").expect("an end");
    format!("{before}{begin}{section}<!-- end -->{after}")
}

/// What a connector takes to write.
struct Size {
    id: &'static str,
    streams: usize,
    /// Lines of code of the connector, and of its simulated provider.
    connector: usize,
    simulator: usize,
}

/// How long each connector is: lines with code in them below `src`, neither blank nor a comment alone. What it shares with
/// others of its company counts in each.
fn sizes() -> Vec<Size> {
    let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lifehub-connectors");
    let registry = lifehub_connectors::registry();
    let size = |manifest: &Manifest| {
        let provider = connectors.join("providers").join(manifest.id);
        let crates = std::fs::read_to_string(provider.join("Cargo.toml")).unwrap();
        let shared = std::fs::read_dir(connectors.join("shared")).unwrap().map(|entry| entry.unwrap().path());
        let shared = shared.filter(|folder| {
            let name = folder.file_name().unwrap().to_string_lossy();
            crates.contains(&format!("lifehub-{name}.workspace"))
        });
        let mut size = Size { id: manifest.id, streams: manifest.streams.len(), connector: 0, simulator: 0 };
        for folder in shared.chain([provider.clone()]) {
            let source = folder.join("src");
            for file in sources(&source) {
                let path = file.strip_prefix(&source).unwrap();
                let part = match path.starts_with("simulator") || path == Path::new("simulator.rs") {
                    true => &mut size.simulator,
                    false => &mut size.connector,
                };
                *part += code_lines(&file);
            }
        }
        size
    };
    registry.manifests().map(size).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn code_lines(file: &Path) -> usize {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// The middle one, or the mean of both.
fn median(mut figures: Vec<usize>) -> usize {
    figures.sort_unstable();
    let half = figures.len() / 2;
    match figures.len() % 2 {
        1 => figures[half],
        _ => (figures[half - 1] + figures[half]).div_ceil(2),
    }
}

fn sizes_table(sizes: &[Size]) -> String {
    let mut table = String::from("| connector | streams | lines | its simulator |\n|---|---|---|---|\n");
    for Size { id, streams, connector, simulator } in sizes {
        table.push_str(&format!("| `{id}` | {streams} | {connector} | {simulator} |\n"));
    }
    let middle = median(sizes.iter().map(|size| size.connector).collect());
    let simulators = median(sizes.iter().map(|size| size.simulator).collect());
    table.push_str(&format!("| median | | {middle} | {simulators} |\n"));
    table
}

/// Half of the connectors have no more lines than this.
const MEDIAN: usize = 300;

#[test]
fn half_of_the_connectors_are_short() {
    let sizes = sizes();
    let middle = median(sizes.iter().map(|size| size.connector).collect());
    assert!(sizes.len() > 2 && middle <= MEDIAN, "the median is {middle}:\n{}", sizes_table(&sizes));
    assert_eq!((median(vec![5, 1, 3]), median(vec![4, 1, 9, 6])), (3, 5));
}

#[test]
fn the_documentation_lists_every_case_with_its_double() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/connectors.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let made = with_section(&text, "connector cases", &to_markdown(connector::CASES));
    let made = with_section(&made, "store cases", &to_markdown(store::CASES));
    let made = with_section(&made, "connector sizes", &sizes_table(&sizes()));
    if std::env::var_os("LIFEHUB_DOCS").is_some_and(|value| value == "write") {
        std::fs::write(&path, made).unwrap();
    } else {
        assert!(made == text, "docs/connectors.md is behind the code: run this test with LIFEHUB_DOCS=write");
    }
}

//! Every relative link of every Markdown file leads somewhere: to a file, and to a heading of it if it names one.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::tree::{File, breaks, files, hold, root};

/// The links of a text with their lines, and the anchors that its headings make.
#[derive(Debug, Default)]
struct Document {
    links: Vec<(usize, String)>,
    anchors: Vec<String>,
}

fn read(text: &str) -> Document {
    let mut document = Document::default();
    let mut slugs: HashMap<String, usize> = HashMap::new();
    let mut fence: Option<&str> = None;
    for (i, line) in text.lines().enumerate() {
        let start = line.trim_start();
        if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark)) {
            fence = match fence {
                None => Some(mark),
                Some(open) if open == mark => None,
                open => open,
            };
            continue;
        }
        if fence.is_some() {
            continue;
        }
        let heading = start.trim_start_matches('#');
        if (1..=6).contains(&(start.len() - heading.len())) && heading.starts_with(' ') {
            let slug = slug(heading);
            let seen = slugs.entry(slug.clone()).or_default();
            document.anchors.push(if *seen == 0 { slug } else { format!("{slug}-{seen}") });
            *seen += 1;
        }
        let prose = without_code(line);
        for (opening, closing) in [("](", ")"), ("src=\"", "\""), ("href=\"", "\""), ("srcset=\"", "\"")] {
            for part in prose.split(opening).skip(1) {
                let target = part.split(closing).next().unwrap_or_default();
                // A title may follow: [text](target "title").
                let target = target.split_whitespace().next().unwrap_or_default();
                document.links.push((i + 1, target.trim_matches(['<', '>']).to_owned()));
            }
        }
        if let Some((_, target)) = prose.split_once("]: ").filter(|(label, _)| label.starts_with('[')) {
            document.links.push((i + 1, target.split_whitespace().next().unwrap_or_default().to_owned()));
        }
        for attribute in ["id=\"", "name=\""] {
            let anchors = prose.split(attribute).skip(1).filter_map(|part| part.split('"').next());
            document.anchors.extend(anchors.map(str::to_owned));
        }
    }
    document
}

/// The line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// The anchor that GitHub makes of a heading: lower case, spaces as hyphens, without marks and without the targets
/// of links.
fn slug(heading: &str) -> String {
    let mut words = String::new();
    for (i, part) in heading.trim().split("](").enumerate() {
        words.push_str(if i == 0 { part } else { part.split_once(')').map_or("", |(_, after)| after) });
    }
    let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn violations(documents: &[File], exists: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let read: HashMap<PathBuf, Document> =
        documents.iter().map(|f| (PathBuf::from(&f.path), read(&f.text))).collect();
    let mut found = Vec::new();
    for file in documents {
        for (line, link) in &read[Path::new(&file.path)].links {
            let external = link.starts_with("//")
                || link.split_once(':').is_some_and(|(s, _)| !s.contains(['/', '#', '.']));
            if external {
                continue;
            }
            let (target, anchor) = link.split_once('#').map_or((link.as_str(), None), |(t, a)| (t, Some(a)));
            let path =
                if target.is_empty() { Some(PathBuf::from(&file.path)) } else { join(&file.path, target) };
            let problem = match path {
                None => "leads out of the repository",
                Some(path) if !exists(&path) => "leads to no file",
                Some(path) => match (anchor, read.get(&path)) {
                    (Some(anchor), Some(target)) if !target.anchors.iter().any(|a| a == anchor) => {
                        "names no heading"
                    }
                    _ => continue,
                },
            };
            found.push(format!("{}:{line}: `{link}` {problem}", file.path));
        }
    }
    found
}

/// `target` as seen from the file `from`, counted from the root; `None` if it leaves the repository.
fn join(from: &str, target: &str) -> Option<PathBuf> {
    let mut path = match target.strip_prefix('/') {
        Some(_) => PathBuf::new(),
        None => Path::new(from).parent().map(Path::to_owned).unwrap_or_default(),
    };
    for part in Path::new(target.trim_start_matches('/')).components() {
        match part {
            Component::ParentDir if !path.pop() => return None,
            Component::Normal(part) => path.push(part),
            _ => {}
        }
    }
    Some(path)
}

#[test]
fn relative_links_lead_somewhere() {
    let root = root();
    let remedy = "Correct the link, or write what it promises";
    hold(remedy, &violations(&files("", "md"), &|path| root.join(path).exists()));
}

#[test]
fn a_dead_link_is_found() {
    let check = |text: &str, expected: &[&str]| {
        let documents =
            [File::new("docs/a.md", text), File::new("README.md", "# Two *words*, `x`\n## Two words x\n")];
        let present = ["docs/a.md", "README.md", "docs/picture.svg"];
        let exists = |path: &Path| present.iter().any(|p| Path::new(p) == path);
        breaks(&violations(&documents, &exists), expected);
    };
    check(
        "[a](../README.md) ![b](picture.svg \"title\") [c](https://example.org/x) [d](mailto:a@example.org)",
        &[],
    );
    check("[a](../README.md#two-words-x) [b](/README.md#two-words-x-1) [c](#here)\n# Here", &[]);
    check("`[a](gone.md)`\n```\n[a](gone.md)\n```\n", &[]);
    check("[a](gone.md)", &["docs/a.md:1: `gone.md` leads to no file"]);
    check("text\n[a]: gone.md", &["docs/a.md:2: `gone.md`"]);
    check("<img src=\"gone.svg\">", &["`gone.svg`"]);
    check("[a](../README.md#three-words)", &["names no heading"]);
    check("[a](../../x.md)", &["leads out of the repository"]);
}

//! Rust source as a list of words and marks: comments and literals are gone, so that a rule cannot be fooled by
//! either.

use std::ops::Range;

/// A word, `::` or another single mark, and the line it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// The tokens of `source`.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < source.len() {
        let rest = &source[at..];
        let (length, is_token) = next(rest);
        if is_token {
            found.push(Token { text: &rest[..length], line });
        }
        line += rest[..length].matches('\n').count();
        at += length;
    }
    found
}

/// The length of what `rest` begins with, and whether it is a token.
fn next(rest: &str) -> (usize, bool) {
    let first = rest.chars().next().expect("not at the end");
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), false);
    }
    if rest.starts_with("::") {
        return (2, true);
    }
    match first {
        '"' => (quoted(rest, 1), false),
        '\'' => (character_or_lifetime(rest), false),
        _ if first.is_alphanumeric() || first == '_' => word(rest),
        _ => (first.len_utf8(), !first.is_whitespace()),
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The end of a literal whose closing quote is the byte at `opened - 1`, minding escapes.
fn quoted(rest: &str, opened: usize) -> usize {
    let bytes = rest.as_bytes();
    let quote = bytes[opened - 1];
    let mut at = opened;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn character_or_lifetime(rest: &str) -> usize {
    let mut after = rest[1..].chars();
    match (after.next(), after.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(rest, 1),
        _ => {
            1 + rest[1..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .map(char::len_utf8)
                .sum::<usize>()
        }
    }
}

/// A word, a number, or a literal with a prefix (`r#"…"#`, `b'x'`, `c"…"`).
fn word(rest: &str) -> (usize, bool) {
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let after = &rest[length..];
    match &rest[..length] {
        prefix @ ("r" | "br" | "cr") => {
            let hashes = after.bytes().take_while(|b| *b == b'#').count();
            if after[hashes..].starts_with('"') {
                let closing = format!("\"{}", "#".repeat(hashes));
                let from = prefix.len() + hashes + 1;
                return (
                    rest[from..].find(&closing).map_or(rest.len(), |end| from + end + closing.len()),
                    false,
                );
            }
            (length, true)
        }
        "b" | "c" if after.starts_with('"') => (quoted(rest, 2), false),
        "b" if after.starts_with('\'') => (quoted(rest, 2), false),
        _ => (length, true),
    }
}

/// Where the attribute that begins at `at` (a `#`) ends, and the range of what its brackets hold.
pub(crate) fn attribute(tokens: &[Token<'_>], at: usize) -> Option<(usize, Range<usize>)> {
    let text = |i: usize| tokens.get(i).map(|t| t.text);
    if text(at) != Some("#") {
        return None;
    }
    let open = if text(at + 1) == Some("!") { at + 2 } else { at + 1 };
    if text(open) != Some("[") {
        return None;
    }
    let close = matching(tokens, open)?;
    Some((close + 1, open + 1..close))
}

/// The index of the mark that closes the one at `open`.
pub(crate) fn matching(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(i);
        }
    }
    None
}

/// The tokens without the items that only tests compile.
pub(crate) fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match attribute(tokens, at) {
            Some((end, inside)) if only_tests(&tokens[inside.clone()]) => {
                // An inner attribute (`#![cfg(test)]`) speaks of all that follows.
                if tokens[at + 1].text == "!" {
                    return kept;
                }
                at = item_end(tokens, end);
            }
            _ => {
                kept.push(tokens[at]);
                at += 1;
            }
        }
    }
    kept
}

fn only_tests(attribute: &[Token<'_>]) -> bool {
    attribute[0].text == "cfg"
        && attribute.iter().any(|t| t.text == "test")
        && !attribute.iter().any(|t| matches!(t.text, "not" | "any"))
}

/// The end of the item at `at`: its `;`, or the brace that closes its body.
fn item_end(tokens: &[Token<'_>], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at].text {
            ";" => return at + 1,
            "{" => return matching(tokens, at).map_or(tokens.len(), |close| close + 1),
            "(" | "[" => at = matching(tokens, at).map_or(tokens.len(), |close| close + 1),
            "}" => return at,
            _ => at += 1,
        }
    }
    at
}

fn words(source: &str) -> Vec<&str> {
    tokens(source).iter().map(|t| t.text).collect()
}

#[test]
fn comments_and_literals_are_no_tokens() {
    let check = |source: &str, expected: &[&str]| assert_eq!(words(source), expected, "{source}");
    check("a // b\n/// c\nd", &["a", "d"]);
    check("a /* b /* c */ d */ e::f", &["a", "e", "::", "f"]);
    check(r##"a "b \" c" r#"d " e"# b"f" c"g" br"h" i"##, &["a", "i"]);
    check(r"a 'b' '\'' b'c' '\u{1f}' '{' d", &["a", "d"]);
    check("a<'b, 'static> r#type", &["a", "<", ",", ">", "r", "#", "type"]);
}

#[test]
fn a_token_knows_its_line() {
    let source = "/* one\n two */ three\n\"four\nfive\" five";
    let lines: Vec<_> = tokens(source).iter().map(|t| (t.text, t.line)).collect();
    assert_eq!(lines, [("three", 2), ("five", 4)]);
}

#[test]
fn what_only_tests_compile_is_left_out() {
    let check = |source: &str, expected: &[&str]| {
        let kept: Vec<_> = without_tests(&tokens(source)).iter().map(|t| t.text).collect();
        assert_eq!(kept, expected, "{source}");
    };
    check("a; #[cfg(test)] mod b { c { } } d", &["a", ";", "d"]);
    check("#[cfg(test)] #[x] fn a([u8; 2]) { b } c", &["c"]);
    check("#[cfg(all(test, unix))] use a::b; c", &["c"]);
    check("a #![cfg(test)] b", &["a"]);
    check("#[cfg(not(test))] a", &["#", "[", "cfg", "(", "not", "(", "test", ")", ")", "]", "a"]);
}

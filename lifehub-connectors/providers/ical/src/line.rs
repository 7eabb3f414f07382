//! Content lines (RFC 5545, section 3.1): unfolding, names, parameters, and the escapes of a text.

/// The logical lines of a calendar. Folds are undone in bytes, because one may split a character; both line ends
/// are taken, and a byte order mark.
pub(crate) fn unfold(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in bytes.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.split_first(), lines.last_mut()) {
            (Some((b' ' | b'\t', rest)), Some(last)) => last.extend_from_slice(rest),
            (Some(_), _) => lines.push(line.to_vec()),
            (None, _) => {}
        }
    }
    lines.into_iter().map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
}

/// One property: `NAME;PARAMETER=value:value`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    parameters: &'a str,
    pub(crate) value: &'a str,
}

impl<'a> Line<'a> {
    /// Splits a line at the first colon that stands in no quotes. `None` if there is none.
    pub(crate) fn read(line: &'a str) -> Option<Self> {
        let colon = outside_quotes(line, b':')?;
        let (head, value) = (&line[..colon], &line[colon + 1..]);
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        Some(Self { name: name.trim(), parameters, value })
    }

    /// Whether it is the property of this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of a parameter, without its quotes.
    pub(crate) fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.parameters;
        while !rest.is_empty() {
            let end = outside_quotes(rest, b';').unwrap_or(rest.len());
            if let Some((key, value)) = rest[..end].split_once('=')
                && key.trim().eq_ignore_ascii_case(name)
            {
                return Some(value.trim().trim_matches('"'));
            }
            rest = rest.get(end + 1..).unwrap_or("");
        }
        None
    }

    /// The value as a text, its escapes undone; `None` if nothing is left.
    pub(crate) fn text(&self) -> Option<String> {
        let mut text = String::with_capacity(self.value.len());
        let mut chars = self.value.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some('n' | 'N') => text.push('\n'),
                    Some(escaped) => text.push(escaped),
                    None => text.push('\\'),
                },
                _ => text.push(c),
            }
        }
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

/// Where a mark first stands outside of quotes. A quote that is never closed quotes nothing.
fn outside_quotes(text: &str, mark: u8) -> Option<usize> {
    let mut quoted = false;
    let found = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == mark && !quoted
    });
    found.or_else(|| if quoted { text.bytes().position(|byte| byte == mark) } else { None })
}

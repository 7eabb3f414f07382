//! The `Link` header of RFC 8288, as far as paging needs it.

use http::{HeaderMap, header::LINK};

/// The target of the first link with this relation, as the provider wrote it.
pub(super) fn target(headers: &HeaderMap, relation: &str) -> Option<String> {
    let mut values = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    values.find_map(|value| in_value(value, relation))
}

fn in_value(mut rest: &str, relation: &str) -> Option<String> {
    // `<target>; name=token; name="quoted, text", <target> …`
    while let Some((_, after)) = rest.split_once('<') {
        let (target, parameters) = after.split_once('>')?;
        let (parameters, next) = split_unquoted(parameters, b',');
        if has_relation(parameters, relation) {
            return Some(target.trim().to_owned());
        }
        rest = next;
    }
    None
}

fn has_relation(mut parameters: &str, relation: &str) -> bool {
    while !parameters.is_empty() {
        let (parameter, next) = split_unquoted(parameters, b';');
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("rel")
        {
            let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
            return relations.any(|r| r.eq_ignore_ascii_case(relation));
        }
        parameters = next;
    }
    false
}

/// What stands before and after the first separator outside of quotes.
fn split_unquoted(text: &str, separator: u8) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::in_value;

    #[test]
    fn next_is_found_among_other_relations_quotes_and_commas() {
        let check = |header: &str, expected: Option<&str>| {
            assert_eq!(in_value(header, "next").as_deref(), expected, "{header}");
        };
        check(r#"<https://api.test/x?page=2>; rel="next""#, Some("https://api.test/x?page=2"));
        check(
            r#"<https://a.test/?p=1>; rel="prev", <https://a.test/?p=3,4>; rel="next""#,
            Some("https://a.test/?p=3,4"),
        );
        check("</x?page=2>;rel=next", Some("/x?page=2"));
        check(r#"</x>; title="a, b; c"; rel="last NEXT""#, Some("/x"));
        check(r#"</x>; title="; rel=next"; rel=last"#, None);
        check(r#"</x>; rel="last""#, None);
        check(r#"</x>; rel="nextish""#, None);
        check("", None);
        check("</unclosed; rel=next", None);
    }
}

//! The pages that a browser shows when it comes back: whole in themselves, and they load nothing.

use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use lifehub_core::Error;

const HEADERS: [(HeaderName, &str); 5] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    // The address holds what the provider sent: it stays out of caches and of what other servers are told.
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// A page: a heading and some lines.
#[derive(Debug)]
pub(super) struct Page {
    status: StatusCode,
    heading: String,
    lines: Vec<String>,
}

impl Page {
    fn new(status: StatusCode, heading: &str, lines: &[&str]) -> Self {
        Self {
            status,
            heading: heading.to_owned(),
            lines: lines.iter().map(|&line| line.to_owned()).collect(),
        }
    }

    pub(super) fn connected(account: &str) -> Self {
        Self::new(StatusCode::OK, "Connected", &[account, "You can close this window."])
    }

    pub(super) fn not_connected(error: &Error) -> Self {
        let lines =
            [error.message(), "Nothing was saved. You can close this window; the terminal says more."];
        Self::new(StatusCode::BAD_REQUEST, "Not connected", &lines)
    }

    /// For a visit that is not the one that is waited for.
    pub(super) fn foreign(error: &Error) -> Self {
        let lines = [
            error.message(),
            "Lifehub still waits: open the address that it shows in the terminal, and agree there.",
        ];
        Self::new(StatusCode::BAD_REQUEST, "Not what Lifehub waits for", &lines)
    }

    pub(super) fn over() -> Self {
        Self::new(
            StatusCode::GONE,
            "This is over",
            &["Lifehub waits for nothing more here.", "You can close this window."],
        )
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing here", &[])
    }

    pub(super) fn not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "This address is only to be visited", &[])
    }

    pub(super) fn response(&self) -> Response<String> {
        let heading = escaped(&self.heading);
        let lines: String = self.lines.iter().map(|line| format!("<p>{}</p>\n", escaped(line))).collect();
        let mut response = Response::new(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{heading} · Lifehub</title>\n\
             <style>body {{ font: 1.1rem/1.5 sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem }}</style>\n\
             </head>\n<body>\n<h1>{heading}</h1>\n{lines}</body>\n</html>\n"
        ));
        *response.status_mut() = self.status;
        for (name, value) in HEADERS {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        }
        response
    }
}

/// The text as it may stand in HTML: parts of it come from providers.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_says_is_text() {
        let page = Page::connected("<script>alert('\"&')</script>").response();
        assert!(page.body().contains("<p>&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;</p>"));
        assert!(!page.body().contains("<script"));
    }
}

//! The user's browser: it follows redirects, with cookies, up to the app's own address.

use std::collections::BTreeMap;

use lifehub_testkit::{Probe, Reply};
use url::Url;

/// Where the server sends users back to. Nobody listens there.
pub(crate) const BACK: &str = "http://127.0.0.1:8080/back";

/// Visits the consent page as this user, without a session from before, and comes back with this query.
pub(crate) fn visit(page: &Url, login: &str) -> String {
    let mut cookies = BTreeMap::new();
    let mut at = page.clone();
    at.query_pairs_mut().append_pair("login_hint", login);
    for _ in 0..10 {
        let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let reply = Probe::get(at.as_str()).header("cookie", &jar.join("; ")).send().unwrap();
        keep(&reply, &mut cookies);
        let text = || String::from_utf8_lossy(&reply.body).into_owned();
        assert!(matches!(reply.status, 302 | 303), "{} of {}: {}", reply.status, at.path(), text());
        at = at.join(reply.header("location").unwrap()).unwrap();
        if at.as_str().starts_with(BACK) {
            return at.query().unwrap().to_owned();
        }
    }
    panic!("the server never sends the user back");
}

fn keep(reply: &Reply, cookies: &mut BTreeMap<String, String>) {
    for (_, cookie) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        match value {
            "" => cookies.remove(name),
            value => cookies.insert(name.to_owned(), value.to_owned()),
        };
    }
}

/// What a parameter of the query says.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    let all: Url = format!("{BACK}?{query}").parse().unwrap();
    all.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// The query with another value of that parameter.
pub(crate) fn altered(query: &str, name: &str, value: &str) -> String {
    let all: Url = format!("{BACK}?{query}").parse().unwrap();
    let mut new = all.clone();
    let pairs = all.query_pairs().map(|(n, v)| if n == name { (n, value.into()) } else { (n, v) });
    new.query_pairs_mut().clear().extend_pairs(pairs);
    new.query().unwrap().to_owned()
}

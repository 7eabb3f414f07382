//! Credentials: where they stand, where they may travel, and where they never appear.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use lifehub_core::http::{Answer, AuthScheme, CredentialSource, Http, Part, StaticCredentials};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_core::{Error, ErrorKind, Result};

use crate::script::{Reply, Script, clock, error, json, status};

const TOKEN: &str = "s3cr3t-t0ken";

fn credentials() -> Credentials {
    Credentials::none().with("token", Secret::new(TOKEN)).with("user", Secret::new("me"))
}

fn fixed() -> Arc<StaticCredentials> {
    Arc::new(StaticCredentials::new(credentials()))
}

fn redirect(status: u16, to: &str) -> Reply {
    json(status, "").with("location", to)
}

#[tokio::test]
async fn each_scheme_puts_the_credentials_where_the_provider_wants_them() {
    let seen = async |scheme: AuthScheme, path: &str| {
        let script = Script::new(&clock(), [status(200)]);
        script.http().auth(scheme, fixed()).build().unwrap().get(path).send().await.unwrap();
        script.seen().remove(0)
    };
    let bearer = seen(AuthScheme::bearer("token"), "/x").await;
    assert_eq!(bearer.headers["authorization"], format!("Bearer {TOKEN}"));
    assert!(bearer.headers["authorization"].is_sensitive());
    let own = seen(AuthScheme::header("x-api-key", "token"), "/x").await;
    assert_eq!(own.headers["x-api-key"], TOKEN);
    assert!(own.headers["x-api-key"].is_sensitive());
    let basic = seen(AuthScheme::basic("user", "token"), "/x").await;
    assert_eq!(basic.headers["authorization"], "Basic bWU6czNjcjN0LXQwa2Vu");
    assert!(basic.headers["authorization"].is_sensitive());
    let half =
        AuthScheme::Basic { user: Part::Field("token".into()), password: Part::Word("api_token".into()) };
    assert_eq!(seen(half, "/x").await.headers["authorization"], "Basic czNjcjN0LXQwa2VuOmFwaV90b2tlbg==");
    let query = seen(AuthScheme::query("key", "token"), "/x?a=1&key=old&b=2").await;
    assert_eq!(query.url.query(), Some("a=1&b=2&key=s3cr3t-t0ken"), "a repeated key is replaced");
}

#[tokio::test]
async fn a_missing_or_unusable_credential_is_named_and_nothing_is_sent() {
    let check = async |scheme: AuthScheme, value: &str, expected: &str| {
        let script = Script::new(&clock(), [status(200)]);
        let source = StaticCredentials::new(Credentials::none().with("token", Secret::new(value)));
        let failed =
            error(script.http().auth(scheme, Arc::new(source)).build().unwrap().get("/x").send().await);
        assert_eq!((failed.kind(), script.count()), (ErrorKind::Unauthorized, 0));
        assert!(failed.message().contains(expected) && !format!("{failed:?}").contains(value), "{failed:?}");
    };
    check(AuthScheme::bearer("access_token"), TOKEN, "access_token").await;
    check(AuthScheme::bearer("token"), "with\nbreak", "characters").await;
}

#[tokio::test]
async fn rule_12_credentials_travel_only_to_named_origins() {
    let check = async |send: fn(&Http) -> lifehub_core::http::Call, reply: Reply, named: &str| {
        let script = Script::new(&clock(), [reply]);
        for scheme in [AuthScheme::bearer("token"), AuthScheme::query("key", "token"), AuthScheme::None] {
            let http = script.http().auth(scheme, fixed()).build().unwrap();
            let failed = error(send(&http).send().await);
            assert_eq!(failed.kind(), ErrorKind::ForeignOrigin, "{failed:?}");
            let text = format!("{failed:?}");
            assert!(text.contains(named) && !text.contains("leak"), "{text}");
        }
        assert!(script.seen().iter().all(|seen| seen.url.host_str() == Some("api.test")));
    };
    let ok = || status(200);
    check(|http| http.follow("https://evil.test/leak?leak"), ok(), "https://evil.test").await;
    check(|http| http.follow("//evil.test/leak"), ok(), "https://evil.test").await;
    check(|http| http.follow("http://api.test/leak"), ok(), "http://api.test").await;
    check(|http| http.follow("https://api.test:8443/leak"), ok(), "https://api.test").await;
    check(|http| http.follow("https://api.test@evil.test/leak"), ok(), "https://evil.test").await;
    check(|http| http.follow("https://api.test.evil.test/leak"), ok(), "https://api.test.evil.test").await;
    check(|http| http.follow("data:text/plain,leak"), ok(), "data:").await;
    check(|http| http.follow("file:///leak"), ok(), "file:").await;
    for status in [301, 302, 303, 307, 308] {
        check(|http| http.get("/x"), redirect(status, "https://evil.test/leak?leak"), "https://evil.test")
            .await;
        check(|http| http.get("/x"), redirect(status, "http://api.test/leak"), "http://api.test").await;
    }
}

#[tokio::test]
async fn links_and_redirects_to_named_origins_are_followed_with_credentials() {
    let replies = [redirect(302, "/v3/y?page=2"), redirect(307, "https://cdn.test/z"), json(200, "{}")];
    let script = Script::new(&clock(), replies);
    let http = script.http().auth(AuthScheme::bearer("token"), fixed());
    let http = http.origins(vec!["https://cdn.test/ignored".parse().unwrap()]).build().unwrap();
    http.get("/x").send().await.unwrap();
    http.follow("https://user:password@cdn.test/w#top").send().await.unwrap();
    let urls: Vec<String> = script.seen().iter().map(|seen| seen.url.to_string()).collect();
    let expected =
        ["https://api.test/v3/x", "https://api.test/v3/y?page=2", "https://cdn.test/z", "https://cdn.test/w"];
    assert_eq!(urls, expected);
    assert!(script.seen().iter().all(|seen| seen.headers["authorization"] == format!("Bearer {TOKEN}")));
}

#[tokio::test]
async fn redirects_are_followed_three_times_and_only_when_reading() {
    let script = Script::new(&clock(), [redirect(302, "/v3/x")]);
    let http = script.http().build().unwrap();
    assert_eq!(error(http.get("/x").send().await).kind(), ErrorKind::InvalidResponse);
    assert_eq!(script.count(), 4);
    assert_eq!(error(http.post("/x").send().await).kind(), ErrorKind::InvalidResponse);
    assert_eq!(script.count(), 5);
}

/// Hands out `stale` until it is refused, then `fresh`, as often as it has one.
struct Renewing {
    left: AtomicUsize,
    refused: AtomicUsize,
}

#[async_trait]
impl CredentialSource for Renewing {
    async fn current(&self) -> Result<Credentials> {
        Ok(Credentials::none().with("token", Secret::new("stale")))
    }

    async fn refused(&self, used: &Credentials) -> Result<Option<Credentials>> {
        assert_eq!(used.get("token").unwrap().expose(), "stale");
        self.refused.fetch_add(1, Ordering::Relaxed);
        let has =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        Ok(has.then(|| Credentials::none().with("token", Secret::new("fresh"))))
    }
}

#[tokio::test]
async fn a_refused_credential_is_renewed_once() {
    fn withings(answer: &Answer) -> Option<Error> {
        answer.body.starts_with(br#"{"status":401"#).then(|| Error::new(ErrorKind::Unauthorized, "refused"))
    }
    let check = async |fresh: usize, replies: Vec<Reply>, sent: &[&str], expected: Option<ErrorKind>| {
        let script = Script::new(&clock(), replies);
        let source = Arc::new(Renewing { left: fresh.into(), refused: 0.into() });
        let http = script.http().auth(AuthScheme::bearer("token"), source.clone()).classify(withings);
        let result = http.build().unwrap().get("/x").send().await;
        assert_eq!(result.err().map(|e| e.kind()), expected);
        let headers: Vec<String> =
            script.seen().iter().map(|seen| seen.headers["authorization"].to_str().unwrap().into()).collect();
        assert_eq!(headers, sent);
        assert_eq!(source.refused.load(Ordering::Relaxed), 1);
    };
    let no = || status(401);
    check(1, vec![no(), status(200)], &["Bearer stale", "Bearer fresh"], None).await;
    check(9, vec![no()], &["Bearer stale", "Bearer fresh"], Some(ErrorKind::Unauthorized)).await;
    check(0, vec![no()], &["Bearer stale"], Some(ErrorKind::Unauthorized)).await;
    let inside = json(200, r#"{"status":401}"#);
    check(1, vec![inside, json(200, "{}")], &["Bearer stale", "Bearer fresh"], None).await;
}

#[tokio::test]
async fn cursors_hold_paths_below_the_base_url_without_host_or_credential() {
    let check = async |link: &str, expected: Option<&str>| {
        let reply = json(200, "[]").with("link", format!("<{link}>; rel=\"next\""));
        let script = Script::new(&clock(), [reply]);
        let http = script.http().auth(AuthScheme::query("key", "token"), fixed()).build().unwrap();
        let answer = http.get("/x/y?page=1").send().await.unwrap();
        match (answer.next_path(), expected) {
            (Ok(Some(path)), Some(expected)) => {
                assert_eq!(path, expected, "{link}");
                http.get(&path).send().await.unwrap();
                let again = script.seen()[1].url.to_string();
                assert!(
                    again.starts_with("https://api.test/v3/") && again.ends_with("key=s3cr3t-t0ken"),
                    "{again}"
                );
            }
            (Err(failed), None) => assert_eq!(failed.kind(), ErrorKind::ForeignOrigin, "{failed:?}"),
            (path, _) => panic!("{path:?} for {link}"),
        }
    };
    check("https://api.test/v3/x/y?page=2", Some("/x/y?page=2")).await;
    check("https://api.test/v3/x/y?page=2&key=s3cr3t-t0ken&a=b", Some("/x/y?page=2&a=b")).await;
    check("https://api.test/v3/x/y?key=s3cr3t-t0ken", Some("/x/y")).await;
    check("?page=2", Some("/x/y?page=2")).await;
    check("/v3/z", Some("/z")).await;
    check("z?p=a%2Fb", Some("/x/z?p=a%2Fb")).await;
    check("/v4/z", None).await;
    check("/v33/z", None).await;
    check("https://evil.test/v3/x", None).await;
}

#[tokio::test]
async fn rule_12_no_secret_leaks_into_errors() {
    let body = r#"{"error":"s3cr3t-t0ken is refused for me@home.test"}"#;
    let replies = [
        json(400, body),
        json(401, body),
        json(403, body),
        json(404, body),
        json(418, body),
        json(429, body).with("retry-after", "9999"),
        json(500, body),
        json(200, body),
        json(200, "s3cr3t-t0ken"),
        Reply::Cut,
        redirect(302, "https://evil.test/?key=s3cr3t-t0ken"),
        redirect(302, "/?key=s3cr3t-t0ken"),
    ];
    for reply in replies {
        for scheme in [AuthScheme::bearer("token"), AuthScheme::query("key", "token")] {
            let script = Script::new(&clock(), [reply.clone()]);
            let http = script.http().auth(scheme, fixed()).build().unwrap();
            let call = http.get("/users/me@home.test/s").query("q", "hidden");
            let shown = format!("{http:?} {call:?}");
            let failed = error(call.json::<u8>().await);
            let text = format!("{shown} {failed} {failed:?} {:?}", failed.context());
            for secret in [TOKEN, "hidden", "me@home", "?"] {
                assert!(
                    !text.replace("log-in first?", "").replace("base_url right?", "").contains(secret),
                    "{text}"
                );
            }
        }
    }
}

#[tokio::test]
async fn rule_12_a_private_feeds_address_is_shown_as_scheme_and_host() {
    let script = Script::new(&clock(), [status(403)]);
    let call = script.http().build().unwrap().follow("https://api.test/feed/k3y.ics?x=k3y").secret_path();
    let shown = format!("{call:?}");
    let failed = error(call.send().await);
    for text in [shown, format!("{failed:?}")] {
        assert!(text.contains("https://api.test/…") && !text.contains("k3y"), "{text}");
    }
}

#[tokio::test]
async fn a_base_url_with_credentials_or_a_query_is_refused_without_showing_them() {
    for base in
        ["https://me:k3y@api.test/", "https://api.test/?k3y", "https://api.test/#k3y", "ftp://api.test/k3y"]
    {
        let script = Script::new(&clock(), [status(200)]);
        let failed = error(Http::builder(script, base.parse().unwrap()).build());
        assert_eq!(failed.kind(), ErrorKind::Invalid);
        assert!(!format!("{failed:?}").contains("k3y"), "{failed:?}");
    }
}

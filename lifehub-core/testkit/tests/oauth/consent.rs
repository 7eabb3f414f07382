//! The consent page.

use lifehub_testkit::oauth::{Consent, Redirects};
use lifehub_testkit::{Probe, Reply};

use crate::app::{BACK, app, refused, sent_back, tokens};

#[test]
fn a_stranger_is_not_sent_anywhere() {
    let app = app(|_| ());
    refused(&app.visit(&[("client_id", "other")]), 401, "invalid_client");
    refused(&app.visit(&[("redirect_uri", "")]), 400, "invalid_request");
    for address in [
        "https://evil.example.org/back",
        "http://localhost.example.org/",
        "ftp://localhost/back",
        "javascript:alert(1)",
        "/back",
    ] {
        refused(&app.visit(&[("redirect_uri", address)]), 400, "invalid_grant");
    }
    refused(&app.visit(&[("redirect_uri", &format!("{BACK}#here"))]), 400, "invalid_grant");
}

#[test]
fn an_exact_address_is_compared_letter_by_letter() {
    let app = app(|rules| rules.redirects = Redirects::Exact(vec![BACK.to_owned()]));
    sent_back(&app.visit(&[]));
    refused(&app.visit(&[("redirect_uri", "http://127.0.0.1:8080/back")]), 400, "invalid_grant");
    // An only one need not be said, neither here nor there.
    let code = &sent_back(&app.visit(&[("redirect_uri", "")]))["code"];
    tokens(&app.exchange(code, &[("redirect_uri", "")]));
}

#[test]
fn what_the_app_does_wrong_goes_back_to_it() {
    let app = app(|rules| rules.scopes = vec!["read".to_owned(), "write".to_owned()]);
    let error = |change: &[(&str, &str)]| {
        let back = sent_back(&app.visit(change));
        assert_eq!(back["state"], "a+b &c");
        assert!(!back.contains_key("code"));
        back["error"].clone()
    };
    assert_eq!(error(&[("response_type", "token")]), "unsupported_response_type");
    assert_eq!(error(&[("response_type", "")]), "invalid_request");
    assert_eq!(error(&[("scope", "read admin")]), "invalid_scope");
    app.oauth.set(|rules| rules.consent = Consent::Deny);
    assert_eq!(error(&[]), "access_denied");
    assert_eq!(sent_back(&app.visit(&[("state", "")])).len(), 1, "no state, none back");
}

#[test]
fn a_user_may_agree_to_less() {
    let app = app(|rules| rules.consent = Consent::Only(vec!["write".to_owned(), "other".to_owned()]));
    let reply = app.exchange(&app.code(), &[]);
    assert_eq!(reply.json().unwrap()["scope"], "write");
}

#[test]
fn a_page_has_two_links_that_decide() {
    let app = app(|rules| rules.consent = Consent::Ask);
    let reply = app.visit(&[("scope", "read <script>&\"x\"")]);
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let page = String::from_utf8(reply.body).unwrap();
    assert!(page.contains("<li>&lt;script&gt;&amp;&quot;x&quot;</li>"), "{page}");
    let follow = |word: &str| -> Reply {
        let link = page.split("<a href=\"").find(|part| part.contains(word)).unwrap();
        let link = link.split('"').next().unwrap().replace("&amp;", "&");
        Probe::get(app.at(&format!("/authorize{link}"))).send().unwrap()
    };
    assert_eq!(sent_back(&follow("Deny"))["error"], "access_denied");
    let back = sent_back(&follow("Approve"));
    assert_eq!(back["state"], "a+b &c");
    tokens(&app.exchange(&back["code"], &[]));
}

#[test]
fn a_decision_in_the_address_counts_on_the_page_alone() {
    let app = app(|rules| rules.consent = Consent::Deny);
    assert_eq!(sent_back(&app.visit(&[("decision", "approve")]))["error"], "access_denied");
}

//! The consent page: what the app asks for, what the user says, and the way back.

use url::Url;
use url::form_urlencoded::Serializer;

use super::State;
use super::book::Agreed;
use super::dialect::{Dialect, Refused};
use super::request::Parameters;
use super::rules::{Consent, OAuthRules, Pkce, Redirects};
use crate::message::{SimRequest, SimResponse};

/// What a visit comes to.
enum Visit {
    Agreed(Agreed),
    Ask(Vec<String>),
}

/// Answers a visit.
pub(super) fn visit(dialect: &dyn Dialect, state: &mut State, request: &SimRequest) -> SimResponse {
    let query = Parameters::of_query(request);
    // Who may not be sent back is told here: the address may be an attacker's.
    let (back, echo) = match way_back(&state.rules, &query) {
        Ok(way) => way,
        Err(refused) => return dialect.refusal(refused),
    };
    let mut pairs = match decide(&state.rules, &query) {
        Ok(Visit::Ask(scopes)) => return page(&state.rules, request, &scopes),
        Ok(Visit::Agreed(agreed)) => {
            let scope = agreed.scopes.join(&state.rules.scope_separator.to_string());
            let code = state.book.agree(agreed, request.at);
            let mut pairs = vec![("code", code)];
            pairs.extend(dialect.callback(&scope));
            pairs
        }
        Err(refused) => {
            let stays = if refused == Refused::Denied { None } else { dialect.stays(refused) };
            if let Some(answer) = stays {
                return answer;
            }
            vec![("error", refused.code().to_owned())]
        }
    };
    pairs.extend(echo.map(|state| ("state", state)));
    redirect(back, &pairs)
}

/// Where the user is sent back to, and with which `state`.
fn way_back(rules: &OAuthRules, query: &Parameters) -> Result<(Url, Option<String>), Refused> {
    if query.one("client_id")? != Some(&rules.client_id) {
        return Err(Refused::Client);
    }
    let address = match (query.one("redirect_uri")?, &rules.redirects) {
        (Some(address), _) => address,
        (None, Redirects::Exact(known)) if known.len() == 1 => &known[0],
        _ => return Err(Refused::Request("redirect_uri")),
    };
    let back = rules.redirects.allowed(address).ok_or(Refused::Redirect)?;
    Ok((back, query.one("state")?.map(str::to_owned)))
}

fn decide(rules: &OAuthRules, query: &Parameters) -> Result<Visit, Refused> {
    if query.needed("response_type")? != "code" {
        return Err(Refused::ResponseType);
    }
    let challenge = challenge(rules, query)?;
    let mut scopes = rules.split(query.one("scope")?.unwrap_or_default());
    if !rules.knows(&scopes) {
        return Err(Refused::Scope);
    }
    match (&rules.consent, query.one("decision")?) {
        (Consent::Deny, _) | (Consent::Ask, Some("deny")) => return Err(Refused::Denied),
        (Consent::Ask, Some("approve")) | (Consent::Approve, _) => (),
        (Consent::Ask, _) => return Ok(Visit::Ask(scopes)),
        (Consent::Only(ticked), _) => scopes.retain(|scope| ticked.contains(scope)),
    }
    let redirect = query.one("redirect_uri")?.map(str::to_owned);
    Ok(Visit::Agreed(Agreed { scopes, redirect, challenge }))
}

/// The challenge of a proof key. `plain`, which is also what no method means, protects nobody and is refused.
fn challenge(rules: &OAuthRules, query: &Parameters) -> Result<Option<String>, Refused> {
    let challenge = query.one("code_challenge")?;
    match (rules.pkce, challenge) {
        (Pkce::Ignored, _) | (Pkce::Optional, None) => Ok(None),
        (Pkce::Required, None) => Err(Refused::Request("code_challenge")),
        (_, Some(challenge)) => {
            if query.one("code_challenge_method")? != Some("S256") {
                return Err(Refused::Request("code_challenge_method"));
            }
            // A SHA-256 in base64url, without padding.
            let digest = challenge.len() == 43
                && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            digest.then(|| Some(challenge.to_owned())).ok_or(Refused::Request("code_challenge"))
        }
    }
}

fn redirect(mut to: Url, pairs: &[(&'static str, String)]) -> SimResponse {
    to.query_pairs_mut().extend_pairs(pairs);
    SimResponse::empty(302).header("location", to).header("cache-control", "no-store")
}

/// A page for a person: what the app wants, and two links.
fn page(rules: &OAuthRules, request: &SimRequest, scopes: &[String]) -> SimResponse {
    let link = |decision: &str| {
        let asked = request.query.iter().filter(|(name, _)| name != "decision");
        let mut query = Serializer::new(String::new());
        query.extend_pairs(asked).append_pair("decision", decision);
        format!("?{}", query.finish()).replace('&', "&amp;")
    };
    let scopes: String = scopes.iter().map(|scope| format!("<li>{}</li>", escaped(scope))).collect();
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>A simulated provider</title>\
         <h1>Let {app} read your data?</h1><p>This is a simulation: no real account is behind it.</p>\
         <ul>{scopes}</ul><p><a href=\"{approve}\">Approve</a> <a href=\"{deny}\">Deny</a></p></html>",
        app = escaped(&rules.client_id),
        approve = link("approve"),
        deny = link("deny"),
    );
    SimResponse::html(200, page).header("cache-control", "no-store")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

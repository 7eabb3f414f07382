//! Reading what a token endpoint says, as leniently as providers demand, and saying it again in the words of RFC 6749.

use http::header::{CONTENT_TYPE, DATE};
use serde_json::{Map, Value, json};

use super::bridge::Answered;
use super::refused::refused;
use super::spec::OAuthSpec;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};

/// The answer of a token call as RFC 6749, section 5.1, has it; `expires_in` counts from the moment of the request.
pub(super) fn standard(spec: &OAuthSpec, answered: &Answered) -> Result<Vec<u8>> {
    let root = parse(answered);
    let body = root.as_ref().and_then(|root| root.pointer(spec.answer_at));
    if let Some(error) = refused(spec, answered, [root.as_ref(), body]) {
        return Err(error);
    }
    let body = body.ok_or_else(|| unreadable("the token answer is not what the provider documents"))?;
    let token =
        text(&body["access_token"]).ok_or_else(|| unreadable("the token answer holds no access_token"))?;
    let mut standard = json!({ "access_token": token, "token_type": "bearer" });
    if let Some(seconds) = life(body, answered) {
        standard["expires_in"] = json!(seconds);
    }
    if let Some(token) = text(&body["refresh_token"]) {
        standard["refresh_token"] = json!(token);
    }
    if let Some(scopes) = scopes(&body["scope"], spec) {
        standard["scope"] = json!(scopes.join(" "));
    }
    Ok(standard.to_string().into_bytes())
}

/// The scopes of a text, whatever stands between them, by the names under which they are asked for.
pub(super) fn split(text: &str, spec: &OAuthSpec) -> Vec<String> {
    let parts = text.split([' ', ',', spec.scope_separator]).filter(|part| !part.is_empty());
    parts.map(|part| part.strip_prefix(spec.scope_prefix).unwrap_or(part).to_owned()).collect()
}

/// A token answer that came, but cannot be used. It is not asked for again by itself: what was sent may be spent.
pub(super) fn unreadable(what: &str) -> Error {
    Error::new(ErrorKind::InvalidResponse, what)
        .temporary(false)
        .hint("is token_url right? If the next renewal is refused, connect the account again")
}

fn parse(answered: &Answered) -> Option<Value> {
    let kind = answered.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let pairs = url::form_urlencoded::parse(&answered.body).into_owned();
        return Some(Value::Object(pairs.map(|(name, value)| (name, value.into())).collect::<Map<_, _>>()));
    }
    serde_json::from_slice(&answered.body).ok()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// Whole seconds from the request on; none if the provider says nothing, or nothing sensible.
fn life(body: &Value, answered: &Answered) -> Option<u64> {
    let seconds = match seconds(&body["expires_in"]) {
        Some(life) => life,
        // An instant is one of the provider's clock, which its `Date` shows.
        None => instant(&body["expires_at"])?.saturating_sub(date(answered).as_seconds()),
    };
    u64::try_from(seconds).ok().filter(|life| *life > 0)
}

fn seconds(value: &Value) -> Option<i64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.filter(|number| number.is_finite()).map(|number| number.floor() as i64)
}

fn instant(value: &Value) -> Option<i64> {
    let written = || value.as_str()?.parse::<Timestamp>().ok().map(Timestamp::as_seconds);
    seconds(value).or_else(written)
}

fn date(answered: &Answered) -> Timestamp {
    let date = answered.headers.get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    date.map_or(answered.sent, Timestamp::from)
}

/// The scopes as text or as an array; none if the provider does not name any.
fn scopes(value: &Value, spec: &OAuthSpec) -> Option<Vec<String>> {
    let scopes: Vec<String> = match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).flat_map(|s| split(s, spec)).collect(),
        other => split(other.as_str()?, spec),
    };
    (!scopes.is_empty()).then_some(scopes)
}

//! The parameters of a request to an authorization server, and which app it comes from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::dialect::Refused;
use super::rules::{ClientAuth, OAuthRules};
use crate::message::SimRequest;

/// Parameters of a query or a form, each of which may stand once (RFC 6749, section 3.1); an empty one counts as left
/// out.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn of_query(request: &SimRequest) -> Self {
        Self(request.query.clone())
    }

    /// Those of a form; none if the body says that it is something else.
    pub(super) fn of_form(request: &SimRequest) -> Self {
        let kind = request.header("content-type").unwrap_or_default();
        let is_form = kind
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
        Self(if is_form { request.form() } else { Vec::new() })
    }

    pub(super) fn one(&self, name: &'static str) -> Result<Option<&str>, Refused> {
        let mut values = self.0.iter().filter(|(n, value)| n == name && !value.is_empty());
        match (values.next(), values.next()) {
            (Some(_), Some(_)) => Err(Refused::Request(name)),
            (first, _) => Ok(first.map(|(_, value)| value.as_str())),
        }
    }

    pub(super) fn needed(&self, name: &'static str) -> Result<&str, Refused> {
        self.one(name)?.ok_or(Refused::Request(name))
    }
}

/// Checks that the app is the one that is registered, and writes its secret where it belongs.
pub(super) fn authenticate(
    rules: &OAuthRules,
    place: ClientAuth,
    request: &SimRequest,
    form: &Parameters,
) -> Result<(), Refused> {
    let id = form.one("client_id")?;
    let Some(expected) = rules.client_secret.as_deref() else {
        return if id == Some(&rules.client_id) { Ok(()) } else { Err(Refused::Client) };
    };
    let secret = form.one("client_secret")?;
    let header = basic(request);
    let (id, secret) = match (place, &header) {
        (ClientAuth::Form, _) | (ClientAuth::Either, None) => (id, secret),
        // RFC 6749, section 2.3: no more than one method a request.
        (ClientAuth::Either, Some(_)) if secret.is_some() => return Err(Refused::Request("client_secret")),
        (_, Some((id, secret))) => (Some(id.as_str()), Some(secret.as_str())),
        (ClientAuth::Basic, None) => (None, None),
    };
    if id == Some(&rules.client_id) && secret == Some(expected) { Ok(()) } else { Err(Refused::Client) }
}

/// Id and secret of `Authorization: Basic …`, each of them encoded like a form (RFC 6749, section 2.3.1).
fn basic(request: &SimRequest) -> Option<(String, String)> {
    let (scheme, text) = request.header("authorization")?.split_once(' ')?;
    let bytes = STANDARD.decode(text.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (id, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some((decoded(id), decoded(secret)))
}

fn decoded(text: &str) -> String {
    // Without a `=`, all of it is one name.
    url::form_urlencoded::parse(text.replace('=', "%3D").replace('&', "%26").as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

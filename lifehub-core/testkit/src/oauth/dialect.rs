//! In which words a provider answers: RFC 6749's, unless it has its own.

use std::fmt;

use lifehub_core::clock::Timestamp;
use serde_json::{Value, json};

use crate::message::SimResponse;

/// Tokens that were just issued.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issued {
    /// The access token.
    pub access_token: String,
    /// Until when it is good; `None` for ever.
    pub expires_at: Option<Timestamp>,
    /// How many seconds that is, from the request on.
    pub expires_in_s: Option<u64>,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// The scopes, joined as the provider does.
    pub scope: String,
    /// Whether they are the first of their consent; the others come of a refresh.
    pub first: bool,
}

impl Issued {
    /// The body of RFC 6749, section 5.1.
    pub fn standard(&self) -> Value {
        let mut body =
            json!({ "access_token": self.access_token, "token_type": "Bearer", "scope": self.scope });
        if let Some(seconds) = self.expires_in_s {
            body["expires_in"] = json!(seconds);
        }
        if let Some(token) = &self.refresh_token {
            body["refresh_token"] = json!(token);
        }
        body
    }
}

/// Why an authorization server says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refused {
    /// A parameter is missing, stands twice, or makes no sense.
    Request(&'static str),
    /// The app is unknown, or its secret is wrong.
    Client,
    /// The user may not be sent to that address, or the code was not sent there.
    Redirect,
    /// The code is unknown, or was used before.
    Code,
    /// The code is too old.
    ExpiredCode,
    /// The verifier does not belong to the challenge, or one of the two is missing.
    Verifier,
    /// The refresh token is unknown, was replaced, or its family was revoked.
    RefreshToken,
    /// The refresh token is too old.
    ExpiredRefreshToken,
    /// No such kind of grant.
    GrantType,
    /// Something else than a code was asked for.
    ResponseType,
    /// A scope does not exist, or is wider than what was agreed to.
    Scope,
    /// The user said no.
    Denied,
    /// A request for data came without an access token.
    NoToken,
    /// The access token is unknown, or was revoked.
    Token,
    /// The access token is too old.
    ExpiredToken,
}

impl Refused {
    /// The word that the RFCs have for it (6749, sections 4.1.2.1 and 5.2; 6750, section 3.1).
    pub fn code(self) -> &'static str {
        match self {
            Self::Request(_) => "invalid_request",
            Self::Client => "invalid_client",
            Self::Redirect
            | Self::Code
            | Self::ExpiredCode
            | Self::Verifier
            | Self::RefreshToken
            | Self::ExpiredRefreshToken => "invalid_grant",
            Self::GrantType => "unsupported_grant_type",
            Self::ResponseType => "unsupported_response_type",
            Self::Scope => "invalid_scope",
            Self::Denied => "access_denied",
            Self::NoToken | Self::Token | Self::ExpiredToken => "invalid_token",
        }
    }

    /// The answer of the RFCs: 401 for a wrong app and for tokens, 400 for the rest, with `error` and
    /// `error_description`.
    pub fn standard(self) -> SimResponse {
        let body = json!({ "error": self.code(), "error_description": self.to_string() });
        match self {
            Self::Client => SimResponse::json(401, &body).header("www-authenticate", "Basic"),
            // Who brings no token is told how to come, not what is wrong.
            Self::NoToken => SimResponse::empty(401).header("www-authenticate", "Bearer"),
            Self::Token | Self::ExpiredToken => {
                SimResponse::json(401, &body).header("www-authenticate", "Bearer error=\"invalid_token\"")
            }
            _ => SimResponse::json(400, &body),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Request(parameter) => return write!(f, "the parameter {parameter} is missing or wrong"),
            Self::Client => "unknown app, or a wrong secret",
            Self::Redirect => "the redirect_uri does not match",
            Self::Code => "the code is unknown or was used",
            Self::ExpiredCode => "the code has expired",
            Self::Verifier => "the code_verifier does not match",
            Self::RefreshToken => "the refresh token is unknown, replaced or revoked",
            Self::ExpiredRefreshToken => "the refresh token has expired",
            Self::GrantType => "no such grant type",
            Self::ResponseType => "no such response type",
            Self::Scope => "a scope does not exist or was not granted",
            Self::Denied => "the user refused",
            Self::NoToken => "there is no access token",
            Self::Token => "the access token is unknown or was revoked",
            Self::ExpiredToken => "the access token has expired",
        };
        f.write_str(text)
    }
}

/// A provider's own way to say it. Every method has the RFCs' way as its default.
pub trait Dialect: Send + Sync + fmt::Debug + 'static {
    /// The body of a successful token call.
    fn tokens(&self, issued: &Issued) -> Value {
        issued.standard()
    }

    /// The answer to a call that is refused, and to a visit of the consent page that cannot be sent back.
    fn refusal(&self, refused: Refused) -> SimResponse {
        refused.standard()
    }

    /// The answer to a visit of the consent page with a wrong parameter, if the provider does not send the user back
    /// with `error` (and `state`) in the query, which is the default.
    fn stays(&self, refused: Refused) -> Option<SimResponse> {
        let _ = refused;
        None
    }

    /// What else stands in the query when the user is sent back with a code, given the scopes agreed to, joined as the
    /// provider does.
    fn callback(&self, scope: &str) -> Vec<(&'static str, String)> {
        let _ = scope;
        Vec::new()
    }
}

/// The RFCs' own words.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standard;

impl Dialect for Standard {}

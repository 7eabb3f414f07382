//! Where a provider wants its credentials, and where they come from.

use std::borrow::Cow;
use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::message::Request;
use super::origin::replace_query;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Credentials;

type Name = Cow<'static, str>;

/// Where the credentials of a request stand. A `field` is the name of one in the connection's [`Credentials`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AuthScheme {
    /// Nowhere: the data is public, or the address is the secret.
    #[default]
    None,
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer {
        /// The token's field.
        field: Name,
    },
    /// A header of the provider's own.
    Header {
        /// The header's name.
        name: Name,
        /// The field of its value.
        field: Name,
        /// What stands before the value, space included.
        #[serde(default)]
        prefix: Name,
    },
    /// A parameter of the query.
    Query {
        /// The parameter's name.
        name: Name,
        /// The field of its value.
        field: Name,
    },
    /// `Authorization: Basic …` (RFC 7617).
    Basic {
        /// The user name.
        user: Part,
        /// The password.
        password: Part,
    },
}

/// One half of a Basic credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Part {
    /// A field of the credentials.
    Field(Name),
    /// A word that the provider prescribes, as in `token:api_token`.
    Word(Name),
}

impl AuthScheme {
    /// `Authorization: Bearer …` with this field.
    pub fn bearer(field: impl Into<Name>) -> Self {
        Self::Bearer { field: field.into() }
    }

    /// A header of the provider's own with this field.
    pub fn header(name: impl Into<Name>, field: impl Into<Name>) -> Self {
        Self::Header { name: name.into(), field: field.into(), prefix: "".into() }
    }

    /// A query parameter with this field.
    pub fn query(name: impl Into<Name>, field: impl Into<Name>) -> Self {
        Self::Query { name: name.into(), field: field.into() }
    }

    /// `Authorization: Basic …` with these fields.
    pub fn basic(user_field: impl Into<Name>, password_field: impl Into<Name>) -> Self {
        Self::Basic { user: Part::Field(user_field.into()), password: Part::Field(password_field.into()) }
    }

    /// The query parameter that holds a credential.
    pub(super) fn secret_parameter(&self) -> Option<Name> {
        match self {
            Self::Query { name, .. } => Some(name.clone()),
            _ => None,
        }
    }

    /// Puts the credentials where they belong, replacing what stands there (a next link may repeat a key).
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`] if a field is missing, [`ErrorKind::Invalid`] if it does not fit a header.
    pub fn apply(&self, credentials: &Credentials, request: &mut Request) -> Result<()> {
        match self {
            Self::None => {}
            Self::Bearer { field } => {
                let text = Zeroizing::new(format!("Bearer {}", look_up(credentials, field)?));
                request.headers.insert(AUTHORIZATION, sensitive(&text)?);
            }
            Self::Header { name, field, prefix } => {
                let text = Zeroizing::new(format!("{prefix}{}", look_up(credentials, field)?));
                let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                    Error::new(ErrorKind::Internal, format!("{name:?} is not the name of a header"))
                })?;
                request.headers.insert(name, sensitive(&text)?);
            }
            Self::Query { name, field } => {
                replace_query(&mut request.url, name, Some(look_up(credentials, field)?));
            }
            Self::Basic { user, password } => {
                let pair =
                    Zeroizing::new(format!("{}:{}", part(credentials, user)?, part(credentials, password)?));
                let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
                request.headers.insert(AUTHORIZATION, sensitive(&text)?);
            }
        }
        Ok(())
    }
}

fn part<'a>(credentials: &'a Credentials, part: &'a Part) -> Result<&'a str> {
    match part {
        Part::Field(field) => look_up(credentials, field),
        Part::Word(word) => Ok(word),
    }
}

fn look_up<'a>(credentials: &'a Credentials, field: &str) -> Result<&'a str> {
    credentials.get(field).map(crate::secret::Secret::expose).ok_or_else(|| {
        Error::new(ErrorKind::Unauthorized, format!("the connection has no {field}"))
            .hint("connect the account again")
    })
}

fn sensitive(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        Error::new(ErrorKind::Unauthorized, "a credential holds characters that no header can carry")
            .hint("enter it again, without line breaks or spaces around it")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Where a connection's credentials come from, and who renews them.
#[async_trait]
pub trait CredentialSource: Send + Sync {
    /// The credentials to use now.
    ///
    /// # Errors
    /// If there are none, or they could not be renewed.
    async fn current(&self) -> Result<Credentials>;

    /// Says that the provider refused these credentials. It answers with others to try once, or with `None`.
    ///
    /// # Errors
    /// If others could not be got.
    async fn refused(&self, used: &Credentials) -> Result<Option<Credentials>>;
}

/// Credentials that never change: an API key, or none.
#[derive(Debug, Clone, Default)]
pub struct StaticCredentials(Credentials);

impl StaticCredentials {
    /// These credentials, always.
    pub fn new(credentials: Credentials) -> Self {
        Self(credentials)
    }
}

#[async_trait]
impl CredentialSource for StaticCredentials {
    async fn current(&self) -> Result<Credentials> {
        Ok(self.0.clone())
    }

    async fn refused(&self, _: &Credentials) -> Result<Option<Credentials>> {
        Ok(None)
    }
}

impl fmt::Debug for dyn CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialSource")
    }
}

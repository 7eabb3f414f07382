//! What a user sets: where the calendar is, and how its times without a zone are read.

use lifehub_core::clock::Zone;
use lifehub_core::record::Digest;
use lifehub_core::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

/// The settings as they are given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// The calendar's address (https, http, webcal or webcals). Whoever knows it reads the calendar.
    #[schemars(extend("x-secret" = true))]
    url: Option<String>,
    /// A calendar file on this machine, instead of an address.
    #[schemars(extend("x-file" = true))]
    file: Option<String>,
    /// A name for the calendar; by default its own.
    name: Option<String>,
    /// The zone of times that name none (Europe/Rome); by default the one that the calendar names.
    zone: Option<Zone>,
}

/// The settings of one calendar.
#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "Given")]
pub(crate) struct Settings {
    pub(crate) source: Source,
    pub(crate) name: Option<String>,
    pub(crate) zone: Option<Zone>,
}

/// Where the calendar is.
#[derive(JsonSchema)]
pub(crate) enum Source {
    /// An address, which is the credential at the same time.
    Address(#[schemars(with = "String")] Url),
    /// A path, which the setting `file` names.
    File(String),
}

impl TryFrom<Given> for Settings {
    type Error = &'static str;

    fn try_from(given: Given) -> std::result::Result<Self, Self::Error> {
        let Given { url, file, name, zone } = given;
        let source = match (url, file) {
            (Some(url), None) => Source::Address(address(&url)?),
            (None, Some(file)) => Source::File(file),
            (None, None) => return Err("set either url or file: none of them is set"),
            (Some(_), Some(_)) => return Err("set either url or file: both are set"),
        };
        Ok(Self { source, name, zone })
    }
}

/// Reads an address. What is wrong with it is said without showing it.
fn address(text: &str) -> std::result::Result<Url, &'static str> {
    let text = text.trim();
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let mut url = match scheme.as_deref() {
        Some("http" | "https") => Url::parse(text),
        Some("webcal" | "webcals") => {
            let rest = text.split_once(':').map_or("", |(_, rest)| rest);
            Url::parse(&format!("https:{rest}"))
        }
        _ => return Err("url begins with none of https://, http://, webcal:// and webcals://"),
    }
    .map_err(|_| "url cannot be read as an address")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("url holds a user name or a password, which are not supported: use the secret address");
    }
    url.set_fragment(None);
    Ok(url)
}

impl Source {
    /// What tells this calendar from others and shows nothing of where it is.
    pub(crate) fn account(&self) -> String {
        let text = match self {
            Self::Address(url) => url.as_str(),
            Self::File(path) => path,
        };
        Digest::of_bytes(text.as_bytes()).to_hex()
    }

    /// Scheme, host and port of the address.
    pub(crate) fn origin(&self) -> Result<Option<String>> {
        match self {
            Self::File(_) => Ok(None),
            Self::Address(url) if url.host_str().is_some() => Ok(Some(url.origin().ascii_serialization())),
            Self::Address(_) => Err(Error::new(ErrorKind::Invalid, "the setting url names no host")
                .hint("copy the calendar's address again")),
        }
    }
}

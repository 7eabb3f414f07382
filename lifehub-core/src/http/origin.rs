//! Where requests may go, and how paths and links become URLs and back.

use std::borrow::Cow;

use url::{Host, Origin, Url};

use crate::error::{Error, ErrorKind, Result};

/// The origins (scheme, host and port) to which a connection's credentials may travel.
#[derive(Debug, Clone)]
pub(super) struct Origins(Vec<Origin>);

impl Origins {
    pub(super) fn new<'a>(urls: impl IntoIterator<Item = &'a Url>) -> Self {
        Self(urls.into_iter().map(Url::origin).collect())
    }

    /// Refuses a URL elsewhere, naming no more of it than scheme and host.
    pub(super) fn admit(&self, url: &Url) -> Result<()> {
        if self.0.contains(&url.origin()) {
            return Ok(());
        }
        let text = format!("a link or redirect leads to {}, which is not the provider's", shown(url));
        Err(Error::new(ErrorKind::ForeignOrigin, text).hint(
            "is base_url right, and does the network ask for a log-in first? If the provider really lives there, \
             name that origin",
        ))
    }
}

fn shown(url: &Url) -> String {
    match url.host_str() {
        Some(host) => format!("{}://{host}", url.scheme()),
        None => format!("a {}: address", url.scheme()),
    }
}

/// Whether secrets may travel to an address: over TLS, or without leaving this machine.
pub(crate) fn keeps_secrets(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

/// The base URL, and the query parameter that holds a credential, if one does.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) base: Url,
    pub(super) secret: Option<Cow<'static, str>>,
}

impl Home {
    /// A base URL to which paths can be appended.
    pub(super) fn check(&self) -> Result<()> {
        let url = &self.base;
        let fault = if !matches!(url.scheme(), "http" | "https") {
            "it is neither http nor https"
        } else if !url.username().is_empty() || url.password().is_some() {
            "it holds a user name or password; enter them as secrets"
        } else if url.query().is_some() || url.fragment().is_some() {
            "it has a query or a fragment"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Invalid, format!("the base URL {} is not usable: {fault}", shown(url))))
    }

    /// The base URL's own path, without a slash at its end.
    fn prefix(&self) -> &str {
        self.base.path().trim_end_matches('/')
    }

    /// The URL of a path below the base URL; the path may have a query.
    pub(super) fn join(&self, path: &str) -> Url {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{}", self.prefix(), path.trim_start_matches('/')));
        url.set_query(query);
        url
    }

    /// The base URL as the folder to which relative links belong.
    pub(super) fn folder(&self) -> Url {
        let mut folder = self.base.clone();
        folder.set_path(&format!("{}/", self.prefix()));
        folder
    }

    /// The path of a URL as it stands below the base URL.
    pub(super) fn below<'a>(&self, url: &'a Url) -> Option<&'a str> {
        let rest = url.path().strip_prefix(self.prefix())?;
        (url.origin() == self.base.origin() && rest.starts_with('/')).then_some(rest)
    }

    /// Path and query of a link, for a cursor: without host, and without the credential that a provider repeats in it.
    pub(super) fn path_of(&self, from: &Url, link: &str) -> Result<String> {
        let mut url = resolve(from, link)?;
        if let Some(secret) = &self.secret
            && url.query_pairs().any(|(name, _)| name == secret.as_ref())
        {
            replace_query(&mut url, secret, None);
        }
        match (self.below(&url), url.query()) {
            (Some(path), Some(query)) => Ok(format!("{path}?{query}")),
            (Some(path), None) => Ok(path.to_owned()),
            (None, _) => {
                let text = format!("a link leads to {}, outside of the base URL", shown(&url));
                Err(Error::new(ErrorKind::ForeignOrigin, text).hint("is base_url right?"))
            }
        }
    }
}

/// Resolves a link as a browser does: absolute, or relative to where it stood.
pub(super) fn resolve(from: &Url, link: &str) -> Result<Url> {
    let mut url = from
        .join(link)
        .map_err(|_| Error::new(ErrorKind::InvalidResponse, "a link that the provider gave is not a URL"))?;
    // A name or password in a link is not ours; a fragment is never sent. (Where they cannot be, there are none.)
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    Ok(url)
}

/// Sets a query parameter, or takes it out, whichever way it stood there before.
pub(super) fn replace_query(url: &mut Url, name: &str, value: Option<&str>) {
    let pairs = url.query_pairs().filter(|(other, _)| other != name);
    let kept: Vec<(String, String)> = pairs.map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
    if kept.is_empty() && value.is_none() {
        url.set_query(None);
        return;
    }
    let mut query = url.query_pairs_mut();
    query.clear().extend_pairs(kept);
    if let Some(value) = value {
        query.append_pair(name, value);
    }
}

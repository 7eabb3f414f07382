//! Setup tokens, which are exchanged once for what is kept, as SimpleFIN has them
//! (<https://www.simplefin.org/protocol.html>).

use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::Method;
use serde_json::json;
use url::Url;

use crate::connector::{AuthKind, Manifest};
use crate::engine::{Engine, operator};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Received, Request, exchange, keeps_secrets};
use crate::secret::{Credentials, Secret};

const TOKEN: &str = "setup_token";
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// An address is not nearly as long.
const MAX_BYTES: usize = 16 << 10;

impl Engine {
    /// Exchanges the `setup_token` of these credentials for what a connection keeps: `user`, `password`, and the address
    /// that they open as the secret setting `access_url`. The token is spent then; nothing is stored.
    ///
    /// # Errors
    /// - [`Unsupported`](ErrorKind::Unsupported) if the provider has no setup tokens;
    /// - [`Invalid`](ErrorKind::Invalid) if the token is none;
    /// - [`ForeignOrigin`](ErrorKind::ForeignOrigin) if it, or what it is exchanged for, leads elsewhere than to the
    ///   provider;
    /// - [`Unauthorized`](ErrorKind::Unauthorized) if it was claimed before;
    /// - [`InvalidResponse`](ErrorKind::InvalidResponse), [`Throttled`](ErrorKind::Throttled) and
    ///   [`Unavailable`](ErrorKind::Unavailable) as the provider answers.
    pub async fn claim_setup_token(&self, provider: &str, credentials: Credentials) -> Result<Credentials> {
        let manifest = self.connector(provider)?.manifest();
        if manifest.auth.kind != AuthKind::SetupToken {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("{} has no setup tokens", manifest.title),
            ));
        }
        let claim = credentials.get(TOKEN).and_then(decode).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "that is no setup token")
                .hint(format!("copy all of it, as {} shows it", manifest.title))
        })?;
        self.admit(manifest, &claim)?;
        let mut request = Request::new(Method::POST, claim);
        // The address is the token.
        (request.max_bytes, request.path_is_secret) = (MAX_BYTES, true);
        let label = request.label();
        let access = async {
            let received = exchange(&*self.0.transport, TIME_LIMIT, request).await?;
            let access = read(&received)?;
            self.admit(manifest, &access)?;
            Ok(access)
        };
        let access = access.await.map_err(|error: Error| error.with("request", label))?;
        keep(manifest, access, &credentials)
    }

    /// Refuses an address that is not the provider's, or to which a secret would travel in clear.
    fn admit(&self, manifest: &Manifest, url: &Url) -> Result<()> {
        let foreign = |text: &str| {
            Err(Error::new(ErrorKind::ForeignOrigin, text).hint(
            "a setup token is copied from the provider alone; if the provider really lives there, set its base_url",
        ))
        };
        let own = self.0.operator.of(manifest.id).base_url;
        let named = std::iter::once(&manifest.base_url).chain(manifest.origins);
        let named = named.map(|text| operator::url(text)).collect::<Result<Vec<_>>>()?;
        if !named.iter().chain(own.as_ref()).any(|known| known.origin() == url.origin()) {
            return foreign("the setup token leads elsewhere than to its provider");
        }
        match keeps_secrets(url) {
            true => Ok(()),
            false => foreign("the setup token leads to an address that is not encrypted"),
        }
    }
}

/// The address that a token is: base64, in whichever of its two alphabets, with its padding or without.
fn decode(token: &Secret) -> Option<Url> {
    let text = token.expose().trim();
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(alphabet, lenient).decode(text).ok()?;
    Url::parse(std::str::from_utf8(&bytes).ok()?.trim()).ok()
}

/// The address that a token became.
fn read(received: &Received) -> Result<Url> {
    let status = received.status;
    let failed = |kind, text: &str| Error::new(kind, text).with("status", status.as_u16());
    match status.as_u16() {
        200..=299 => {}
        403 => {
            return Err(failed(ErrorKind::Unauthorized, "the setup token was claimed before").hint(
                "make a new one at the provider; if it was not you who claimed it, revoke it there first: \
                 somebody else can read your data",
            ));
        }
        429 => {
            return Err(
                failed(ErrorKind::Throttled, "the provider asks to slow down").hint("try again later")
            );
        }
        500..=599 => {
            return Err(failed(ErrorKind::Unavailable, "the provider failed to exchange the setup token")
                .hint("try again later; if the token is refused then, make a new one"));
        }
        300..=399 => {
            return Err(failed(ErrorKind::InvalidResponse, "the provider redirects a setup token")
                .hint("is base_url right, and does the network ask for a log-in first?"));
        }
        _ => {
            return Err(failed(ErrorKind::Unauthorized, "the provider does not take the setup token")
                .hint("make a new one at the provider, and copy all of it"));
        }
    }
    let text = std::str::from_utf8(&received.body).unwrap_or_default();
    Url::parse(text.trim()).map_err(|_| unreadable())
}

/// What a connection keeps of the address that a token became.
fn keep(manifest: &Manifest, mut access: Url, old: &Credentials) -> Result<Credentials> {
    let user = decoded(access.username()).ok_or_else(unreadable)?;
    let password = access.password().and_then(decoded).ok_or_else(unreadable)?;
    if access.set_username("").is_err() || access.set_password(None).is_err() {
        return Err(unreadable());
    }
    access.set_fragment(None);
    let kept = old.names().filter(|name| *name != TOKEN);
    let kept = kept.filter_map(|name| Some((name, old.get(name)?.clone())));
    let kept = kept.fold(Credentials::none(), |all, (name, secret)| all.with(name, secret));
    let kept = kept.with("user", Secret::new(user)).with("password", Secret::new(password));
    let mut settings = json!({ "access_url": access.as_str() });
    let kept = manifest.settings.seal(&mut settings, kept);
    match settings.as_object() {
        Some(left) if left.is_empty() => Ok(kept),
        _ => Err(Error::new(ErrorKind::Internal, "the connector has no secret setting access_url")),
    }
}

/// The text that was percent-encoded in an address; none if it is empty or no text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        let hex = (first == b'%').then(|| others.get(..2)).flatten();
        let hex = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(hex.unwrap_or(first));
        rest = if hex.is_some() { &others[2..] } else { others };
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

fn unreadable() -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        "the setup token was exchanged for what is no address with a password",
    )
    .hint("the token is spent: make a new one at the provider")
}

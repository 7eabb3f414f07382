//! A connector alone, for embedders who bring their own loop and need neither engine nor store: its HTTP stack, and its
//! pages as a stream.

use std::sync::Arc;

use futures_util::stream::{Stream, try_unfold};
use serde_json::Value;
use url::Url;

use crate::connector::{Connector, Context};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{CredentialSource, Http, HttpBuilder, Transport};
use crate::page::{Cursor, Next, Page, Place};

/// Conveniences over any connector.
pub trait ConnectorExt: Connector {
    /// The HTTP stack by which it reaches its provider, with everything that it declares: address, origins, where
    /// credentials stand, and how it reads answers. Its quotas are for the caller to add, as they may be shared.
    ///
    /// `base_url` stands for the manifest's address; the settings are whole, sealed members included.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if an address is none.
    fn http(
        &self,
        transport: Arc<dyn Transport>,
        base_url: Option<Url>,
        settings: &Value,
        credentials: Arc<dyn CredentialSource>,
    ) -> Result<HttpBuilder> {
        let manifest = self.manifest();
        let origins = manifest.origins.iter().map(|origin| address(origin)).collect::<Result<Vec<_>>>()?;
        let base_url = match (self.base_url(settings)?, base_url) {
            // It may be a secret: an error shows nothing of it.
            (Some(own), _) => Url::parse(&own)
                .map_err(|_| Error::new(ErrorKind::Invalid, "the address in the settings is no URL"))?,
            (None, Some(base_url)) => base_url,
            (None, None) => address(manifest.base_url)?,
        };
        let builder = Http::builder(transport, base_url)
            .origins(origins)
            .auth(manifest.auth.scheme.clone(), credentials);
        Ok(match self.classify() {
            Some(classify) => builder.classify(classify),
            None => builder,
        })
    }

    /// The pages of one place from a cursor (or from the start of the context's pass) to the end. A page is fetched when
    /// it is asked for; the cursor to go on from stands in each page's `next`.
    ///
    /// The stream ends with the page that is caught up, or with the first error: also when the provider leads back to
    /// the cursor that was just read.
    fn pages<'a>(
        &'a self,
        cx: &'a Context<'_>,
        at: Place<'a>,
        cursor: Option<Cursor>,
    ) -> impl Stream<Item = Result<Page>> + Send + 'a {
        try_unfold(Some(cursor), move |state| async move {
            let Some(cursor) = state else { return Ok(None) };
            let page = self.fetch_page(cx, at, cursor.as_ref()).await?;
            let after = match &page.next {
                Next::More(next) if Some(next) == cursor.as_ref() => {
                    let text = "the provider leads back to the cursor that was just read";
                    return Err(Error::new(ErrorKind::Repeated, text).with("stream", at.stream));
                }
                Next::More(next) => Some(Some(next.clone())),
                Next::CaughtUp { .. } => None,
            };
            Ok(Some((page, after)))
        })
    }
}

impl<C: Connector + ?Sized> ConnectorExt for C {}

/// Reads an address of a manifest.
fn address(text: &str) -> Result<Url> {
    Url::parse(text).map_err(|e| Error::new(ErrorKind::Invalid, format!("{text:?} is no address: {e}")))
}

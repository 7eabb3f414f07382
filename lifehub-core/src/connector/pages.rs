//! Pages as a stream, for embedders who bring their own loop and need neither engine nor store.

use futures_util::stream::{Stream, try_unfold};

use crate::connector::{Connector, Context};
use crate::error::{Error, ErrorKind, Result};
use crate::page::{Cursor, Next, Page, Place};

/// Conveniences over any connector.
pub trait ConnectorExt: Connector {
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

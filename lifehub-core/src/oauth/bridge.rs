//! The bridge from the `oauth2` crate to our own transport: its requests go out under our limits, and what comes back
//! reaches it in the words of the RFCs or as an error of ours.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use oauth2::{AsyncHttpClient, ErrorResponse, HttpRequest, HttpResponse, RequestTokenError};
use url::Url;

use super::answer::unreadable;
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Received, Request, Transport, exchange};

/// No token answer is nearly as large.
const MAX_BYTES: usize = 1 << 20;

/// What came back.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) sent: Timestamp,
    pub(super) received: Timestamp,
}

/// Makes an answer standard, or says what it refuses.
pub(super) type Translate<'a> = &'a (dyn Fn(&Answered) -> Result<Vec<u8>> + Sync);

/// One call. Its address outranks that of the crate's request, which insists on https also on this machine.
pub(super) struct Bridge<'a> {
    pub(super) transport: &'a dyn Transport,
    pub(super) clock: &'a dyn Clock,
    pub(super) limit: Duration,
    pub(super) url: &'a Url,
    pub(super) sent: Timestamp,
    pub(super) translate: Translate<'a>,
}

impl Bridge<'_> {
    /// Sends a request whose URL is this bridge's.
    pub(super) async fn send(&self, mut request: Request) -> Result<Vec<u8>> {
        request.max_bytes = MAX_BYTES;
        let label = request.label();
        let read = async {
            let received = exchange(self.transport, self.limit, request).await.map_err(|error| {
                // What came, but was too large or damaged, may have spent what was sent.
                match error.kind() {
                    ErrorKind::TooLarge | ErrorKind::InvalidResponse => unreadable(error.message()),
                    _ => error,
                }
            })?;
            let Received { status, headers, body } = received;
            let answered = Answered { status, headers, body, sent: self.sent, received: self.clock.now() };
            (self.translate)(&answered)
        };
        read.await.map_err(|error| error.with("request", label))
    }
}

impl<'c> AsyncHttpClient<'c> for Bridge<'_> {
    type Error = Error;
    type Future = BoxFuture<'c, Result<HttpResponse>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        async move {
            let (parts, body) = request.into_parts();
            let mut request = Request::new(parts.method, self.url.clone());
            request.headers = parts.headers;
            if let Some(value) = request.headers.get_mut(AUTHORIZATION) {
                value.set_sensitive(true);
            }
            request.body = body.into();
            self.send(request).await.map(HttpResponse::new)
        }
        .boxed()
    }
}

/// The error of a call that went through a bridge.
pub(super) fn failure<E: ErrorResponse + 'static>(error: RequestTokenError<Error, E>) -> Error {
    match error {
        RequestTokenError::Request(error) => error,
        // The bridge lets only standard answers through: what is left is a request that cannot be built.
        _ => Error::new(ErrorKind::Internal, "the token call cannot be made"),
    }
}

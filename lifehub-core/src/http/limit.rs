//! The time and size limits of one request: nothing takes forever, and no answer fills the memory.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};

use super::message::{Body, BodyStream, Request, Transport};
use crate::error::{Error, ErrorKind, Result};

pub(super) const DEFAULT_BYTES: usize = 32 << 20;

/// What one request may take at most.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// From sending to the last byte of the body. Default: 60 s.
    pub request: Duration,
    /// Bytes of the body after decompression. Default: 32 MiB.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request: Duration::from_secs(60), bytes: DEFAULT_BYTES }
    }
}

impl Limits {
    /// Limits of this time and size.
    pub fn new(request: Duration, bytes: usize) -> Self {
        Self { request, bytes }
    }
}

/// A response with all of its body.
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Sends a request and collects its answer within both limits.
pub(crate) async fn exchange(
    transport: &dyn Transport,
    time: Duration,
    request: Request,
) -> Result<Received> {
    let max = request.max_bytes;
    let received = async {
        let response = transport.send(request).await?;
        let body = match response.body {
            Body::Bytes(bytes) if bytes.len() > max => return Err(too_large(max)),
            Body::Bytes(bytes) => bytes,
            Body::Stream(stream) => collect(stream, announced(&response.headers), max).await?,
        };
        Ok(Received { status: response.status, headers: response.headers, body })
    };
    // The transport lives on real time, so its limit does too: a test's clock that jumps must not end a request.
    match tokio::time::timeout(time, received).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(
            ErrorKind::Unavailable,
            format!("no complete answer came within {} s", time.as_secs_f32()),
        )
        .hint("the provider is slow or the network is; it is tried again")),
    }
}

/// How long the body is going to be, if the response says so. (Transports drop the header when they decompress.)
fn announced(headers: &HeaderMap) -> usize {
    headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(0)
}

async fn collect(mut stream: BodyStream, announced: usize, max: usize) -> Result<Bytes> {
    if announced > max {
        return Err(too_large(max));
    }
    let mut first = Bytes::new();
    // A body of one chunk, as most are, is not copied.
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if chunk.len() > max {
            return Err(too_large(max));
        }
        if first.is_empty() {
            first = chunk;
        } else if !chunk.is_empty() {
            return collect_more(stream, first, chunk, announced, max).await;
        }
    }
    Ok(first)
}

async fn collect_more(
    mut stream: BodyStream,
    first: Bytes,
    second: Bytes,
    announced: usize,
    max: usize,
) -> Result<Bytes> {
    // What a header announces is believed up to 1 MiB; from there on the buffer grows with what really comes.
    let mut all = BytesMut::with_capacity(announced.min(1 << 20).max(first.len() + second.len()));
    all.extend_from_slice(&first);
    drop(first);
    let mut chunk = second;
    loop {
        if all.len() + chunk.len() > max {
            return Err(too_large(max));
        }
        all.extend_from_slice(&chunk);
        match stream.next().await {
            Some(next) => chunk = next?,
            None => return Ok(all.freeze()),
        }
    }
}

fn too_large(max: usize) -> Error {
    Error::new(ErrorKind::TooLarge, format!("the answer has more than {max} bytes"))
        .hint("ask for smaller pages or a shorter span of time")
}

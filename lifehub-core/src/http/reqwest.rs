//! The transport over `reqwest`: TLS by rustls with aws-lc-rs, HTTP/1.1 and 2, gzip and brotli, no redirects.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use url::Url;

use super::message::{Body, Request, Response, Transport};
use crate::error::{Error, ErrorKind, Result};

/// One connection pool, to be shared by all connections of a process.
#[derive(Debug, Clone)]
pub struct ReqwestTransport(reqwest::Client);

impl ReqwestTransport {
    /// Connecting may take 10 s, and no answer may pause for more than 30 s.
    ///
    /// # Errors
    /// If the machine's trusted certificates cannot be loaded.
    pub fn new() -> Result<Self> {
        Self::with_timeouts(Duration::from_secs(10), Duration::from_secs(30))
    }

    /// The same with other limits for connecting and for pauses.
    ///
    /// # Errors
    /// As [`ReqwestTransport::new`].
    pub fn with_timeouts(connect: Duration, idle: Duration) -> Result<Self> {
        Self::build(reqwest::Client::builder().connect_timeout(connect).read_timeout(idle))
    }

    /// For servers on this machine: past the environment's proxies, and without TLS, so that no certificates are
    /// needed.
    ///
    /// # Errors
    /// If the system gives the client no memory or files.
    pub fn local() -> Result<Self> {
        Self::build(reqwest::Client::builder().no_proxy().tls_certs_only([]))
    }

    fn build(builder: reqwest::ClientBuilder) -> Result<Self> {
        // With a second provider in the tree rustls cannot choose for itself. If the program has chosen already, that
        // stands.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        builder
            .user_agent(concat!("lifehub/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map(Self)
            .map_err(|e| {
                let text = format!("the HTTP client cannot start: {}", cause(&e.without_url()));
                Error::new(ErrorKind::Invalid, text)
                    .hint("install the system's certificates (ca-certificates)")
            })
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn send(&self, request: Request) -> Result<Response> {
        let host = Host::of(&request.url);
        let Request { method, url, headers, body, .. } = request;
        let response = self.0.request(method, url).headers(headers).body(body).send().await;
        let response = response.map_err(|e| host.error(e))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes_stream().map(move |chunk| chunk.map_err(|e| host.error(e)));
        Ok(Response { status, headers, body: Body::Stream(Box::pin(body)) })
    }
}

/// What of the URL an error may name.
struct Host {
    name: String,
    is_here: bool,
}

impl Host {
    fn of(url: &Url) -> Self {
        let name = url.host_str().unwrap_or_default();
        let is_here = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
        let name = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        Self { name, is_here }
    }

    /// A reqwest error prints its URL with the query: nothing of it but its kind goes on.
    fn error(&self, error: reqwest::Error) -> Error {
        let error = error.without_url();
        let host = &self.name;
        let unavailable = |text: String| Error::new(ErrorKind::Unavailable, text);
        if error.is_connect() {
            return self.no_connection(&error);
        }
        if error.is_timeout() {
            return unavailable(format!("{host} stopped answering"))
                .hint("the provider is slow or the network is; it is tried again");
        }
        if error.is_decode() && !is_cut(&error) {
            return Error::new(ErrorKind::InvalidResponse, format!("the answer of {host} cannot be decoded"))
                .temporary(true)
                .hint("its compression is broken: something on the way may have cut or changed it");
        }
        if error.is_builder() {
            return Error::new(ErrorKind::Invalid, format!("the request to {host} cannot be built"));
        }
        unavailable(format!("the connection to {host} broke off: {}", cause(&error)))
            .hint("the provider or something on the way closed it; it is tried again")
    }

    fn no_connection(&self, error: &reqwest::Error) -> Error {
        let host = &self.name;
        let failed =
            Error::new(ErrorKind::Unavailable, format!("cannot connect to {host}: {}", cause(error)));
        if is_tls(error) {
            return failed.temporary(false).hint(
                "its certificate or TLS does not fit: check base_url, this machine's clock and certificates, and \
                 whether the network intercepts connections",
            );
        }
        if error.is_timeout() {
            return failed.hint("is the host reachable from here, past firewalls and proxies?");
        }
        failed.hint(if self.is_here {
            "is that program running, and is base_url right?"
        } else {
            "is base_url right, and is this machine online?"
        })
    }
}

type Cause = dyn std::error::Error + 'static;

/// What lies below an error. An I/O error hides the one that it wraps from `source`.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &Cause> {
    std::iter::successors(error.source(), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(wrapped) => Some(wrapped as &Cause),
            None => error.source(),
        }
    })
}

/// The innermost cause that can be named without printing anything of the request.
fn cause(error: &reqwest::Error) -> String {
    let name = |cause: &Cause| {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(format!("TLS: {tls}"));
        }
        let io = cause.downcast_ref::<io::Error>()?;
        // The system's own errors are named by their kind, without a number; a failed look-up has only a text.
        let by_kind = io.raw_os_error().is_some() || io.kind() == io::ErrorKind::UnexpectedEof;
        Some(if by_kind { io.kind().to_string() } else { io.to_string() })
    };
    let unnamed = if error.is_timeout() { "timed out" } else { "connection lost" };
    causes(error).filter_map(name).last().unwrap_or_else(|| unnamed.to_owned())
}

/// Whether the bytes stopped coming, closed or reset, rather than came and made no sense.
fn is_cut(error: &reqwest::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let broke_off = |io: &io::Error| {
        matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
    };
    causes(error).any(|cause| cause.downcast_ref().is_some_and(broke_off))
}

fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.is::<rustls::Error>())
}

//! One address on this machine to which a browser comes back, for as long as a user is away (RFC 8252, section 7.3).

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use lifehub_core::{Error, ErrorKind, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::page::Page;

/// A browser that connects and says nothing is let go after this long.
const SILENCE: Duration = Duration::from_secs(10);
/// How long the last page may take to reach the browser.
const LAST_PAGE: Duration = Duration::from_secs(2);

/// The open address. It is closed when this is dropped.
pub(super) struct Door {
    address: String,
    visits: mpsc::Receiver<Visit>,
    closing: watch::Sender<()>,
    serving: JoinHandle<()>,
}

/// A browser that came to the address, and waits for a page.
pub(super) struct Visit {
    /// What it brought.
    pub(super) query: String,
    shown: oneshot::Sender<Page>,
}

impl Visit {
    pub(super) fn show(self, page: Page) {
        // A browser that has gone needs no page.
        let _ = self.shown.send(page);
    }
}

impl Door {
    /// Opens `path` on this machine, on that port or on any that is free.
    ///
    /// # Errors
    /// If the port is taken or not for this user.
    pub(super) async fn open(port: u16, path: &str) -> Result<Self> {
        let refused = |e: io::Error| closed(port, &e);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(refused)?;
        let port = listener.local_addr().map_err(refused)?.port();
        let (sender, visits) = mpsc::channel(8);
        let (closing, closed) = watch::channel(());
        let serving = tokio::spawn(serve(listener, path.into(), sender, closed));
        Ok(Self { address: format!("http://{}:{port}{path}", Ipv4Addr::LOCALHOST), visits, closing, serving })
    }

    /// The whole address.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Waits for the next browser that comes.
    pub(super) async fn next(&mut self) -> Visit {
        match self.visits.recv().await {
            Some(visit) => visit,
            None => std::future::pending().await,
        }
    }

    /// Lets the pages that were shown reach their browsers; who waits still is told that it is over.
    pub(super) async fn close(self) {
        let Self { visits, closing, serving, .. } = self;
        drop((visits, closing));
        let _ = tokio::time::timeout(LAST_PAGE, serving).await;
    }
}

fn closed(port: u16, e: &io::Error) -> Error {
    let error = |text: &str| Error::new(ErrorKind::Unavailable, text).with("port", port);
    match e.kind() {
        io::ErrorKind::AddrInUse => error("the browser has no way back: the port is taken")
            .hint("name another with --port, or leave --port out for any that is free"),
        io::ErrorKind::PermissionDenied => {
            error("the browser has no way back: the port is not for this user").hint("name one from 1024 on")
        }
        kind => error(&format!("the browser has no way back: {kind}")),
    }
}

async fn serve(
    listener: TcpListener,
    path: Arc<str>,
    visits: mpsc::Sender<Visit>,
    mut closing: watch::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = closing.changed() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                _ = connections.spawn(one(stream, path.clone(), visits.clone(), closing.clone()))
            }
            // The browser gave up, or sockets have run out for a moment.
            Err(_) => tokio::task::yield_now().await,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn one(
    stream: TcpStream,
    path: Arc<str>,
    visits: mpsc::Sender<Visit>,
    mut closing: watch::Receiver<()>,
) {
    let service = service_fn(|request| answer(request, path.clone(), visits.clone()));
    let connection = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(SILENCE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = closing.changed() => connection.as_mut().graceful_shutdown(),
    }
    // An error is a browser that left.
    let _ = connection.await;
}

async fn answer(
    request: Request<Incoming>,
    path: Arc<str>,
    visits: mpsc::Sender<Visit>,
) -> std::result::Result<Response<String>, Infallible> {
    let page = if request.uri().path() != &*path {
        Page::not_found()
    } else if request.method() != Method::GET {
        Page::not_allowed()
    } else {
        let (shown, page) = oneshot::channel();
        let query = request.uri().query().unwrap_or_default().to_owned();
        match visits.send(Visit { query, shown }).await {
            Ok(()) => page.await.unwrap_or_else(|_| Page::over()),
            Err(_) => Page::over(),
        }
    };
    Ok(page.response())
}

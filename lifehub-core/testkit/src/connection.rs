//! One connection: reads requests, lets the fault plan and the simulator decide, writes down what came of it.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lifehub_core::clock::Clock;
use tokio::net::TcpStream;

use crate::fault::Faults;
use crate::ledger::{Ledger, LoggedRequest};
use crate::message::{SimRequest, SimResponse, Simulator};
use crate::wire::{Cut, WireBody, outcome};

/// What the connections of a server and its owner share.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    latency: Duration,
    faults: Mutex<Faults>,
    ledger: Mutex<Ledger>,
    last: Mutex<HashMap<String, SimResponse>>,
    hooks: Mutex<Vec<(u64, Hook)>>,
}

/// What is done once, right after a request was answered.
pub(crate) type Hook = Box<dyn FnOnce() + Send>;

impl Shared {
    pub(crate) fn new(clock: Arc<dyn Clock>, faults: Faults, latency: Duration) -> Self {
        Self {
            clock,
            latency,
            faults: Mutex::new(faults),
            ledger: Mutex::default(),
            last: Mutex::default(),
            hooks: Mutex::default(),
        }
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has something done right after the request of this number is answered, before the answer is sent.
    pub(crate) fn after(&self, number: u64, hook: Hook) {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).push((number, hook));
    }

    fn run_hooks(&self, number: u64) {
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, later) = std::mem::take(&mut *hooks).into_iter().partition(|(at, _)| *at <= number);
        *hooks = later;
        drop(hooks);
        let due: Vec<(u64, Hook)> = due;
        due.into_iter().for_each(|(_, hook)| hook());
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// Serves requests until the client leaves or a fault ends the connection.
pub(crate) async fn serve(stream: TcpStream, simulator: Arc<dyn Simulator>, shared: Arc<Shared>) {
    let reset = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| {
        let (simulator, shared, reset) = (Arc::clone(&simulator), Arc::clone(&shared), Arc::clone(&reset));
        async move { answer(request, &*simulator, &shared, &reset).await }
    });
    let mut connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error here is a client that left or a fault that was asked for; the ledger knows which.
    let _ = Pin::new(&mut connection).await;
    let stream = connection.into_parts().io.into_inner();
    if reset.load(Ordering::Relaxed) {
        // Without lingering, closing sends a reset instead of an orderly end.
        let _ = stream.set_zero_linger();
    }
}

async fn answer(
    request: Request<Incoming>,
    simulator: &dyn Simulator,
    shared: &Shared,
    reset: &AtomicBool,
) -> Result<Response<WireBody>, Cut> {
    let (parts, body) = request.into_parts();
    let body = read(body).await?;
    let request = SimRequest::new(&parts, body, shared.clock.now());
    let query = parts.uri.query().unwrap_or("").to_owned();
    let fault = shared.faults().next(&format!("{} {}?{query}", request.method, request.path));
    let outcome = {
        let mut last = shared.last.lock().unwrap_or_else(PoisonError::into_inner);
        outcome(simulator, &request, fault, &mut last)
    };
    let number = shared.ledger().write(LoggedRequest {
        number: 0,
        at: request.at,
        method: request.method.to_string(),
        path: request.path,
        query,
        status: outcome.answer.as_ref().map(|answer| answer.status().as_u16()),
        fault,
    });
    shared.run_hooks(number);
    let delay = shared.latency + outcome.delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    outcome.answer.ok_or_else(|| {
        reset.store(true, Ordering::Relaxed);
        Cut
    })
}

async fn read(mut body: Incoming) -> Result<Bytes, Cut> {
    let mut whole = BytesMut::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame.map_err(|_| Cut)?.into_data() {
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

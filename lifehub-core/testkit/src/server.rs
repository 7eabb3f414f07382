//! The loopback server: a simulator, a port, a thread and a switch.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use lifehub_core::clock::{Clock, SystemClock};
use tokio::sync::oneshot;

use crate::connection::{Shared, serve};
use crate::fault::{FaultPlan, Faults};
use crate::ledger::LoggedRequest;
use crate::message::Simulator;

/// A simulated provider on 127.0.0.1, until it is dropped.
///
/// It runs on a thread and a runtime of its own, so any test can use it, with or without a runtime, with or without
/// paused time.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How to start a [`Server`] other than by default.
#[derive(Debug)]
pub struct ServerBuilder {
    port: u16,
    clock: Arc<dyn Clock>,
    faults: FaultPlan,
    latency: Duration,
}

impl ServerBuilder {
    /// Listens on that port; by default on any that is free.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Takes the time of requests and of `Date` and `Retry-After` headers from that clock; by default from the
    /// machine's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Starts with these faults; by default with none.
    #[must_use]
    pub fn faults(mut self, plan: FaultPlan) -> Self {
        self.faults = plan;
        self
    }

    /// Sends every answer so much later, in real time; by default at once.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Starts serving.
    ///
    /// # Errors
    /// If the port is taken, or the system has no thread or socket left.
    pub fn start(self, simulator: impl Simulator) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        announce(address, &self.faults);
        let shared = Arc::new(Shared::new(self.clock, Faults::new(self.faults), self.latency));
        let (stop, stopped) = oneshot::channel();
        let serving = accept(listener, Arc::new(simulator), Arc::clone(&shared), stopped);
        let thread = std::thread::Builder::new()
            .name(format!("simulator:{}", address.port()))
            .spawn(move || runtime.block_on(serving))?;
        Ok(Server { address, shared, stop: Some(stop), thread: Some(thread) })
    }
}

impl Server {
    /// Serves that simulator on a free port, by the machine's clock, without faults.
    ///
    /// # Errors
    /// If the system has no port, thread or socket left.
    pub fn start(simulator: impl Simulator) -> io::Result<Self> {
        Self::builder().start(simulator)
    }

    /// Settings to change before the start.
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            port: 0,
            clock: Arc::new(SystemClock::default()),
            faults: FaultPlan::none(),
            latency: Duration::ZERO,
        }
    }

    /// Where it listens, `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Replaces the fault plan. Its numbers and rows start anew with the next request.
    pub fn set_faults(&self, plan: FaultPlan) {
        announce(self.address, &plan);
        *self.shared.faults() = Faults::new(plan);
    }

    /// Does something once, right after the next request but `skip` was decided on and before its answer is sent: what
    /// happens while a client walks. 0 is the very next request.
    pub fn after(&self, skip: u64, change: impl FnOnce() + Send + 'static) {
        self.shared.after(self.request_count() + skip + 1, Box::new(change));
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far, oldest first (the latest 100,000).
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.ledger().read()
    }

    /// The requests since this was last called; they are forgotten, their count is not.
    pub fn take_requests(&self) -> Vec<LoggedRequest> {
        self.shared.ledger().take()
    }

    /// How many requests there were in all.
    pub fn request_count(&self) -> u64 {
        self.shared.ledger().count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A simulator that panicked has printed why; a second panic in a drop would hide it.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Says which faults were drawn, so that a failure can be repeated. The test harness shows it when a test fails.
#[expect(clippy::print_stderr, reason = "the seed has to reach whoever sees the failed test")]
fn announce(address: SocketAddr, plan: &FaultPlan) {
    if !plan.is_none() {
        eprintln!("faults on {address}: {plan}");
    }
}

async fn accept(
    listener: TcpListener,
    simulator: Arc<dyn Simulator>,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    // Fails only if the socket cannot be watched; clients then find nobody, which the test reports.
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let stream = tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // The client gave up between knocking and the answer, or sockets have run out for a moment.
                Err(_) => {
                    tokio::task::yield_now().await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve(stream, Arc::clone(&simulator), Arc::clone(&shared)));
    }
}

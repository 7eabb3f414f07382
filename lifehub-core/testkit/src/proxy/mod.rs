//! A TCP proxy in this process that delays, cuts, swallows and refuses: the network's faults, where no other tool may
//! make them.

mod relay;
mod toxic;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::net::TcpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use self::relay::{Line, relay};
use self::toxic::Active;

pub use self::toxic::{Direction, Toxic, Toxics};

/// A proxy on 127.0.0.1 in front of one address, until it is dropped.
///
/// Like a [`Server`](crate::Server) it runs on a thread and a runtime of its own. Its waits are real time.
///
/// ```
/// use lifehub_testkit::{Probe, Proxy, Server, SimRequest, SimResponse, Simulator, Toxic, Toxics};
///
/// struct Hello;
/// impl Simulator for Hello {
///     fn handle(&self, _: &SimRequest) -> SimResponse {
///         SimResponse::json(200, "hello")
///     }
/// }
///
/// let server = Server::start(Hello)?;
/// let proxy = Proxy::start(&server.url(), 7)?;
/// assert_eq!(Probe::get(format!("{}/", proxy.url())).send()?.status, 200);
/// proxy.set(Toxics::none().to_client(Toxic::Reset { after: 10 }));
/// assert!(Probe::get(format!("{}/", proxy.url())).send().is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    commands: Option<UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

/// What the connections of a proxy and its owner share.
struct Shared {
    seed: u64,
    active: Mutex<Active>,
    connections: AtomicU64,
}

/// Whether to listen; and where to say that it is done.
struct Command {
    listens: bool,
    done: mpsc::Sender<io::Result<()>>,
}

impl Proxy {
    /// Stands in front of `HOST:PORT` or `http://HOST:PORT`, without toxics. The seed decides what is left to chance.
    ///
    /// # Errors
    /// If the address names nobody, or the system has no port, thread or socket left.
    pub fn start(upstream: &str, seed: u64) -> io::Result<Self> {
        let host = upstream.strip_prefix("http://").unwrap_or(upstream).trim_end_matches('/');
        let nobody = || io::Error::new(io::ErrorKind::InvalidInput, "the address names no host");
        let upstream = host.to_socket_addrs()?.next().ok_or_else(nobody)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::new(Shared { seed, active: Mutex::default(), connections: AtomicU64::default() });
        let (commands, received) = unbounded_channel();
        let serving = serve(listener, upstream, Arc::clone(&shared), received);
        let thread = std::thread::Builder::new()
            .name(format!("proxy:{}", address.port()))
            .spawn(move || runtime.block_on(serving))?;
        Ok(Self { address, shared, commands: Some(commands), thread: Some(thread) })
    }

    /// Where it listens, `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replaces the toxics, also those of connections that are open, unless the plan is for the next ones alone.
    pub fn set(&self, toxics: Toxics) {
        let opened = self.shared.connections.load(Ordering::SeqCst);
        *self.shared.active() = Active::new(toxics, opened);
    }

    /// As if the server were gone: nobody listens any more, and open connections are reset.
    ///
    /// # Errors
    /// If the system does not let the port be kept.
    pub fn refuse(&self) -> io::Result<()> {
        self.command(false)
    }

    /// Listens again, on the same port.
    ///
    /// # Errors
    /// If another program took the port.
    pub fn accept(&self) -> io::Result<()> {
        self.command(true)
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }

    fn command(&self, listens: bool) -> io::Result<()> {
        let (done, answer) = mpsc::channel();
        let ended = || io::Error::other("the proxy's thread has ended");
        let commands = self.commands.as_ref().ok_or_else(ended)?;
        commands.send(Command { listens, done }).map_err(|_| ended())?;
        answer.recv().map_err(|_| ended())?
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            // A panic on that thread has been printed; a second one in a drop would hide it.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Shared {
    fn active(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The port: listened on, or merely kept, so that nobody else takes it while connecting is refused.
enum Port {
    Open(tokio::net::TcpListener),
    Kept(TcpSocket),
    Lost,
}

impl Port {
    fn keep(address: SocketAddr) -> io::Result<TcpSocket> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    }

    fn turn(&mut self, listens: bool, address: SocketAddr) -> io::Result<()> {
        *self = match (std::mem::replace(self, Self::Lost), listens) {
            (Self::Kept(socket), true) => Self::Open(socket.listen(1024)?),
            (Self::Lost, true) => Self::Open(Self::keep(address)?.listen(1024)?),
            (Self::Open(listener), false) => {
                drop(listener);
                Self::Kept(Self::keep(address)?)
            }
            (as_it_was, _) => as_it_was,
        };
        Ok(())
    }

    /// The next connection; never while the port is closed.
    async fn accept(&self) -> io::Result<tokio::net::TcpStream> {
        match self {
            Self::Open(listener) => listener.accept().await.map(|(stream, _)| stream),
            _ => std::future::pending().await,
        }
    }
}

async fn serve(
    listener: TcpListener,
    upstream: SocketAddr,
    shared: Arc<Shared>,
    mut commands: UnboundedReceiver<Command>,
) {
    let Ok(address) = listener.local_addr() else { return };
    // Fails only if the socket cannot be watched; clients then find nobody, which the test reports.
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let mut port = Port::Open(listener);
    let (gone, _) = watch::channel(());
    loop {
        tokio::select! {
            // A command counts for whoever connects after its caller was answered.
            biased;
            command = commands.recv() => match command {
                None => return,
                Some(Command { listens, done }) => {
                    let turned = port.turn(listens, address);
                    if !listens {
                        let _ = gone.send(());
                    }
                    // Whoever asked may have left.
                    let _ = done.send(turned);
                }
            },
            accepted = port.accept() => match accepted {
                Ok(client) => {
                    let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
                    let line = Line { number, shared: Arc::clone(&shared) };
                    tokio::spawn(relay(client, upstream, line, gone.subscribe()));
                }
                // The client gave up between knocking and the answer, or sockets have run out for a moment.
                Err(_) => tokio::task::yield_now().await,
            },
        }
    }
}

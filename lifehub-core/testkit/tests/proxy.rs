//! Every toxic, as a client sees it on the wire.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use lifehub_testkit::{
    Direction, Probe, Proxy, Reply, Server, SimRequest, SimResponse, Simulator, Toxic, Toxics,
};

const SIZE: usize = 256 << 10;
const MS: Duration = Duration::from_millis(1);

/// Answers with [`SIZE`] bytes, or with the length of what it was sent.
struct Bulk;

impl Simulator for Bulk {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        match request.segments().as_slice() {
            ["bulk"] => SimResponse::json_text(200, vec![b' '; SIZE]),
            _ => SimResponse::json(200, &request.body.len()),
        }
    }
}

struct Line {
    server: Server,
    proxy: Proxy,
}

impl Line {
    fn new() -> Self {
        let server = Server::start(Bulk).unwrap();
        let proxy = Proxy::start(&server.url(), 3).unwrap();
        Self { server, proxy }
    }

    fn probe(&self) -> Probe {
        Probe::get(format!("{}/bulk", self.proxy.url()))
    }

    fn ask(&self) -> std::io::Result<Reply> {
        self.probe().send()
    }

    /// How long a whole answer takes.
    fn time(&self) -> Duration {
        let begun = Instant::now();
        assert_eq!(self.ask().unwrap().body.len(), SIZE);
        begun.elapsed()
    }

    /// A raw request whose answer may be watched.
    fn open(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.proxy.address()).unwrap();
        stream.write_all(b"GET /bulk HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        stream
    }
}

#[test]
fn without_toxics_every_byte_passes() {
    let line = Line::new();
    for _ in 0..3 {
        assert_eq!(line.ask().unwrap().body, vec![b' '; SIZE]);
    }
    let form = "x".repeat(100_000);
    let reply = Probe::post_form(format!("{}/form", line.proxy.url()), &form).send().unwrap();
    assert_eq!(reply.json().unwrap(), 100_000);
    assert_eq!((line.proxy.connections(), line.server.request_count()), (4, 4));
}

#[test]
fn latency_delays_each_direction_once() {
    let line = Line::new();
    let late = Toxic::Latency { delay: 60 * MS, jitter: Duration::ZERO };
    line.proxy.set(Toxics::none().to_client(late));
    // Sixteen chunks and more are late together: the delay is none of each.
    assert!((60 * MS..700 * MS).contains(&line.time()));
    line.proxy.set(Toxics::none().to_client(late).along(Direction::ToServer, late));
    assert!((120 * MS..760 * MS).contains(&line.time()));
}

#[test]
fn jitter_is_left_to_the_seed() {
    let late = Toxic::Latency { delay: Duration::ZERO, jitter: 150 * MS };
    let times = |seed| {
        let server = Server::start(Bulk).unwrap();
        let proxy = Proxy::start(&server.url(), seed).unwrap();
        proxy.set(Toxics::none().to_server(late));
        let line = Line { server, proxy };
        (0..4).map(|_| line.time()).collect::<Vec<_>>()
    };
    let (one, same) = (times(11), times(11));
    for (one, same) in one.iter().zip(&same) {
        assert!(one.abs_diff(*same) < 90 * MS, "{one:?} and {same:?}");
    }
    let (least, most) = (one.iter().min().unwrap(), one.iter().max().unwrap());
    assert!(*most - *least > 10 * MS, "it varies from connection to connection: {one:?}");
}

#[test]
fn bandwidth_narrows_the_line() {
    let line = Line::new();
    line.proxy.set(Toxics::none().to_client(Toxic::Bandwidth { bytes_per_s: 2_560_000 }));
    assert!((95 * MS..2000 * MS).contains(&line.time()));
}

#[test]
fn timeout_takes_everything_and_never_answers() {
    for direction in [Direction::ToServer, Direction::ToClient] {
        let line = Line::new();
        line.proxy.set(Toxics::none().along(direction, Toxic::Timeout));
        let mut stream = line.open();
        stream.set_read_timeout(Some(100 * MS)).unwrap();
        let error = stream.read(&mut [0; 16]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error:?}");
        let heard = u64::from(direction == Direction::ToClient);
        assert_eq!(line.server.request_count(), heard, "{direction:?}");
        line.proxy.set(Toxics::none());
        assert_eq!(line.ask().unwrap().status, 200, "the next one is fine");
    }
}

#[test]
fn reset_breaks_off_after_so_many_bytes() {
    let line = Line::new();
    line.proxy.set(Toxics::none().to_client(Toxic::Reset { after: 1000 }));
    let mut stream = line.open();
    let mut read = Vec::new();
    assert_eq!(stream.read_to_end(&mut read).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(read.len() <= 1000);
    line.proxy.set(Toxics::none().to_server(Toxic::Reset { after: 10 }));
    assert_eq!(line.ask().unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(line.server.request_count(), 1, "the second request never came whole");
}

#[test]
fn cut_closes_in_the_middle_and_in_order() {
    let line = Line::new();
    for after in [1000, 20_000, 200_000] {
        line.proxy.set(Toxics::none().to_client(Toxic::Cut { after }));
        let mut read = Vec::new();
        line.open().read_to_end(&mut read).unwrap();
        assert_eq!(read.len() as u64, after);
    }
    // What is shorter than the cut passes.
    line.proxy.set(Toxics::none().to_client(Toxic::Cut { after: 1 << 20 }));
    assert_eq!(line.ask().unwrap().body.len(), SIZE);
}

#[test]
fn slicer_passes_small_pieces() {
    let line = Line::new();
    line.proxy.set(Toxics::none().to_client(Toxic::Slicer { size: 100, delay: 2 * MS }));
    let mut stream = line.open();
    for _ in 0..5 {
        let read = stream.read(&mut [0; 4096]).unwrap();
        assert!(read > 0 && read % 100 == 0 && read <= 500, "{read} bytes at once");
    }
    line.proxy.set(Toxics::none().to_client(Toxic::Slicer { size: 7_000, delay: Duration::ZERO }));
    assert_eq!(line.ask().unwrap().body.len(), SIZE);
}

#[test]
fn slow_close_tells_of_the_end_later() {
    let line = Line::new();
    line.proxy.set(Toxics::none().to_client(Toxic::SlowClose { delay: 250 * MS }));
    assert!(line.time() >= 250 * MS, "the probe reads to the end");
    let mut stream = line.open();
    let begun = Instant::now();
    stream.read_exact(&mut vec![0; SIZE]).unwrap();
    assert!(begun.elapsed() < 200 * MS, "the bytes themselves are not late");
}

#[test]
fn toxics_may_be_for_the_next_connections_alone() {
    let line = Line::new();
    let mut open = line.open();
    open.read_exact(&mut [0; 1]).unwrap();
    line.proxy.set(Toxics::none().to_client(Toxic::Reset { after: 0 }).on_next(2));
    let mut rest = Vec::new();
    open.read_to_end(&mut rest).unwrap();
    assert!(rest.len() > SIZE, "what was open before goes on");
    let outcomes: Vec<bool> = (0..4).map(|_| line.ask().is_ok()).collect();
    assert_eq!(outcomes, [false, false, true, true]);
}

#[test]
fn refuse_is_as_if_nobody_were_there() {
    let line = Line::new();
    line.proxy.set(Toxics::none().to_client(Toxic::Timeout));
    let mut open = line.open();
    // The proxy has taken the connection once it has counted it.
    while line.proxy.connections() == 0 {
        std::thread::yield_now();
    }
    line.proxy.refuse().unwrap();
    assert_eq!(open.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    line.proxy.set(Toxics::none());
    for _ in 0..3 {
        assert_eq!(line.ask().unwrap_err().kind(), ErrorKind::ConnectionRefused);
        line.proxy.refuse().unwrap();
    }
    line.proxy.accept().unwrap();
    line.proxy.accept().unwrap();
    assert_eq!(line.ask().unwrap().body.len(), SIZE, "on the same port");
}

#[test]
fn a_server_that_is_not_there_resets() {
    let line = Line::new();
    let Line { server, proxy } = line;
    drop(server);
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let nowhere = Proxy::start("not an address", 0).unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::InvalidInput);
}

#[test]
fn dropping_it_ends_what_is_open() {
    let line = Line::new();
    line.proxy.set(Toxics::none().to_client(Toxic::Timeout));
    let mut open = line.open();
    let address = line.proxy.address();
    drop(line.proxy);
    assert!(matches!(open.read(&mut [0; 1]), Ok(0) | Err(_)));
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

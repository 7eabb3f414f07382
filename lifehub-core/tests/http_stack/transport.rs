//! The real transport over sockets on loopback: bodies that break off, drip, or never end, and what is logged.
#![cfg(feature = "reqwest")]

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lifehub_core::ErrorKind;
use lifehub_core::http::{
    AuthScheme, Http, HttpBuilder, Limits, ReqwestTransport, RetryPolicy, StaticCredentials,
};
use lifehub_core::secret::{Credentials, Secret};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::script::{clock, error, rng};

const SECOND: Duration = Duration::from_secs(1);

/// What a server does after its bytes are sent.
#[derive(Clone, Copy)]
enum Then {
    Close,
    Hang,
    /// Sends a byte at each interval, forever.
    Drip(Duration),
}

type Requests = Arc<Mutex<Vec<String>>>;

/// Answers one request of each connection, with these and then forever with the last of them.
async fn serve(replies: Vec<(Vec<u8>, Then)>) -> (Url, Requests) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap()).parse().unwrap();
    let requests = Requests::default();
    let seen = requests.clone();
    tokio::spawn(async move {
        for number in 0.. {
            let (socket, _) = listener.accept().await.unwrap();
            let (bytes, then) = replies[number.min(replies.len() - 1)].clone();
            tokio::spawn(answer(socket, bytes, then, seen.clone()));
        }
    });
    (url, requests)
}

async fn answer(mut socket: TcpStream, bytes: Vec<u8>, then: Then, seen: Requests) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if socket.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
        // The first byte of TLS, which this server does not speak.
        if request[0] == 0x16 {
            break;
        }
    }
    seen.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
    let _ = socket.write_all(&bytes).await;
    match then {
        Then::Close => {}
        Then::Hang => tokio::time::sleep(60 * SECOND).await,
        Then::Drip(interval) => loop {
            tokio::time::sleep(interval).await;
            if socket.write_all(b" ").await.is_err() {
                return;
            }
        },
    }
}

fn reply(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes(), body].concat()
}

fn whole(body: &[u8]) -> (Vec<u8>, Then) {
    let head =
        format!("content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n", body.len());
    (reply(&head, body), Then::Close)
}

/// A client whose waits take no time, with short limits.
fn http(url: &Url) -> HttpBuilder {
    let transport = ReqwestTransport::with_timeouts(2 * SECOND, SECOND / 5).unwrap();
    Http::builder(Arc::new(transport), url.clone()).clock(clock()).rng(rng())
}

#[tokio::test]
async fn answers_come_decoded_with_their_items_and_our_name_was_given() {
    let (packed, mut body) = (Vec::new(), b"[".to_vec());
    for i in 0..20_000 {
        body.extend_from_slice(format!("{{\"id\":{i}}},").as_bytes());
    }
    body.pop();
    body.push(b']');
    let mut encoder = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    encoder.write_all(&body).unwrap();
    let packed = encoder.finish().unwrap();
    let head = format!(
        "content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n",
        packed.len()
    );
    let (url, requests) = serve(vec![(reply(&head, &packed), Then::Close), whole(&body)]).await;
    let http = http(&url).build().unwrap();
    for _ in 0..2 {
        let answer = http.get("/x").query("q", 1).send().await.unwrap();
        assert_eq!(answer.body, body);
        assert_eq!(answer.items().unwrap().len(), 20_000);
    }
    let requests = requests.lock().unwrap();
    let request = requests[0].to_ascii_lowercase();
    assert!(request.starts_with("get /api/x?q=1 http/1.1\r\n"), "{request}");
    assert!(
        request.contains(concat!("user-agent: lifehub/", env!("CARGO_PKG_VERSION"), "\r\n")),
        "{request}"
    );
    assert!(request.contains("gzip") && request.contains("br"), "{request}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_asked_for_again() {
    let full = br#"[{"id":1},{"id":2}]"#;
    let sized = reply("content-type: application/json\r\ncontent-length: 19\r\n", &full[..9]);
    let chunked =
        reply("content-type: application/json\r\ntransfer-encoding: chunked\r\n", b"9\r\n[{\"id\":1}\r\n");
    // Until the connection closes: only the JSON itself tells that it is cut.
    let open = reply("content-type: application/json\r\nconnection: close\r\n", &full[..9]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(full).unwrap();
    let packed = gzip.finish().unwrap();
    let unpacked = reply(
        "content-type: application/json\r\ncontent-encoding: gzip\r\nconnection: close\r\n",
        &packed[..20],
    );
    for cut in [sized, chunked, open, unpacked, Vec::new()] {
        let replies = vec![(cut.clone(), Then::Close), (cut.clone(), Then::Close), whole(full)];
        let (url, requests) = serve(replies).await;
        let items = http(&url).build().unwrap().get("/x").parse(|answer| answer.items()).await.unwrap();
        assert_eq!((items.len(), requests.lock().unwrap().len()), (2, 3));

        let (url, _) = serve(vec![(cut, Then::Close)]).await;
        let failed = error(http(&url).build().unwrap().get("/x").parse(|answer| answer.items()).await);
        assert!(matches!(failed.kind(), ErrorKind::Unavailable | ErrorKind::InvalidResponse), "{failed:?}");
        assert!(failed.is_temporary() && failed.to_string().contains("tries: 5"), "{failed:?}");
    }
}

#[tokio::test]
async fn rule_8_bounded_memory_against_a_decompression_bomb() {
    // 1 GiB of zeros in about 1 MB: one compressed MiB, 1,024 times, after a gzip header.
    let mut block = Vec::with_capacity(4096);
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    deflate.compress_vec(&vec![0; 1 << 20], &mut block, flate2::FlushCompress::Full).unwrap();
    assert_eq!(deflate.total_in(), 1 << 20);
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    let bomb = [header.as_slice(), &block.repeat(1024)].concat();
    assert!(bomb.len() < 2 << 20);
    let head = format!(
        "content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n",
        bomb.len()
    );
    let (url, requests) = serve(vec![(reply(&head, &bomb), Then::Close)]).await;
    let before = peak_memory();
    let failed = error(http(&url).build().unwrap().get("/x").send().await);
    assert_eq!((failed.kind(), requests.lock().unwrap().len()), (ErrorKind::TooLarge, 1));
    let more = peak_memory() - before;
    assert!(more <= 64 << 20, "{} MiB more", more >> 20);
}

/// The most memory that this process ever held, in bytes; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
}

#[tokio::test]
async fn rule_8_bounded_before_a_byte_of_an_announced_giant() {
    let (url, requests) = serve(vec![(reply("content-length: 99999999999\r\n", b"["), Then::Hang)]).await;
    let failed = error(http(&url).build().unwrap().get("/x").send().await);
    assert_eq!((failed.kind(), requests.lock().unwrap().len()), (ErrorKind::TooLarge, 1));
}

#[tokio::test]
async fn rule_8_bounded_time_against_silence_and_dripping() {
    let check = async |reply: Vec<u8>, then: Then, limit: Duration, said: &str| {
        let (url, requests) = serve(vec![(reply, then)]).await;
        let http = http(&url).limits(Limits::new(limit, 1 << 20)).retry(RetryPolicy::tries(2));
        let start = Instant::now();
        let failed = error(http.build().unwrap().get("/x").send().await);
        assert_eq!((failed.kind(), requests.lock().unwrap().len()), (ErrorKind::Unavailable, 2));
        assert!(failed.message().contains(said), "{failed:?}");
        assert!(start.elapsed() < 3 * SECOND, "{:?}", start.elapsed());
    };
    let head = || reply("content-length: 1000\r\n", b"[");
    check(Vec::new(), Then::Hang, 60 * SECOND, "stopped answering").await;
    check(head(), Then::Hang, 60 * SECOND, "stopped answering").await;
    check(head(), Then::Drip(SECOND / 20), SECOND / 2, "no complete answer").await;
}

#[tokio::test]
async fn a_refused_connection_says_what_to_check() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let failed = error(http(&url).build().unwrap().get("/x").query("key", "s3cr3t").send().await);
    assert_eq!(failed.kind(), ErrorKind::Unavailable);
    assert_eq!(failed.message(), format!("cannot connect to 127.0.0.1:{port}: connection refused"));
    assert!(failed.get_hint().unwrap().contains("base_url"), "{failed:?}");
    assert!(failed.is_temporary() && !format!("{failed:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn an_unknown_host_and_a_bad_certificate_say_so() {
    let url = "http://nowhere.invalid/".parse().unwrap();
    let failed = error(http(&url).retry(RetryPolicy::never()).build().unwrap().get("/x").send().await);
    assert!(failed.message().starts_with("cannot connect to nowhere.invalid: "), "{failed:?}");
    assert!(failed.is_temporary());

    let (url, _) = serve(vec![(b"HTTP/1.1 400 Bad Request\r\n\r\n".repeat(9), Then::Close)]).await;
    let url = url.as_str().replace("http:", "https:").parse().unwrap();
    let failed = error(http(&url).build().unwrap().get("/x").send().await);
    assert!(failed.message().contains("TLS"), "{failed:?}");
    assert!(!failed.is_temporary(), "{failed:?}");
}

#[tokio::test]
async fn rule_12_the_transport_itself_follows_no_redirect() {
    let (elsewhere, stolen) = serve(vec![whole(b"{}")]).await;
    let head = format!("location: {elsewhere}\r\ncontent-length: 0\r\n");
    let moved = format!("HTTP/1.1 302 Found\r\n{head}connection: close\r\n\r\n");
    let (url, _) = serve(vec![(moved.into_bytes(), Then::Close)]).await;
    let failed = error(http(&url).build().unwrap().get("/x").send().await);
    assert_eq!((failed.kind(), stolen.lock().unwrap().len()), (ErrorKind::ForeignOrigin, 0));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn rule_12_no_secret_leaks_into_traces_of_any_target() {
    const SECRET: &str = "s3cr3t-t0ken";
    let log = Log::default();
    let writer = log.clone();
    // Takes events of `tracing` and records of `log` alike, from every crate.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();

    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let credentials = Credentials::none().with("token", Secret::new(SECRET));
        let body = format!(r#"{{"note":"{SECRET}"}}"#);
        let failing = b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nset-cookie: s3cr3t-t0ken\r\n\r\n".to_vec();
        let basic = AuthScheme::basic("token", "token");
        for scheme in [AuthScheme::bearer("token"), AuthScheme::query("key", "token"), basic] {
            let (url, requests) = serve(vec![
                (failing.clone(), Then::Close),
                (reply("content-length: 99\r\n", body.as_bytes()), Then::Close),
                (Vec::new(), Then::Hang),
                whole(body.as_bytes()),
            ])
            .await;
            let source = Arc::new(StaticCredentials::new(credentials.clone()));
            let http = http(&url).auth(scheme.clone(), source.clone()).build().unwrap();
            let call = http.post("/shown").query("q", SECRET).header("x-own", SECRET).form([("f", SECRET)]);
            call.send().await.unwrap();
            assert!(requests.lock().unwrap()[0].contains("s3cr3t"), "it was sent");

            let dead = "https://127.0.0.1:9/".parse().unwrap();
            let http = self::http(&dead).auth(scheme, source).build().unwrap();
            error(http.get("/shown").query("q", SECRET).send().await);
        }
    });

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for target in ["TRACE hyper_util::client", "DEBUG reqwest::connect", "DEBUG lifehub_core::http"] {
        assert!(text.contains(target), "nothing of {target} in\n{text}");
    }
    for secret in [SECRET, "czNjcjN0LXQwa2Vu", "q="] {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
    assert!(text.contains(r#"path="/api/shown""#) && text.contains("status=200"), "{text}");
}

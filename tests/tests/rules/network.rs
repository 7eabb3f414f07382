//! Rules 1 and 8 on a bad network: the real HTTP stack behind a proxy that slices, cuts, resets and stalls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lifehub_core::ErrorKind;
use lifehub_core::clock::{ManualClock, Rng};
use lifehub_core::http::{Http, Limits, ReqwestTransport, RetryPolicy};
use lifehub_testkit::{Proxy, Server, SimRequest, SimResponse, Simulator, Toxic, Toxics};

use crate::rig::start;

/// Answers with a list of so many numbers.
struct Numbers(u64);

impl Simulator for Numbers {
    fn handle(&self, _: &SimRequest) -> SimResponse {
        SimResponse::json(200, &(0..self.0).collect::<Vec<_>>())
    }
}

/// About 200 kB in one answer.
const COUNT: u64 = 35_000;

struct Line {
    server: Server,
    proxy: Proxy,
    http: Http,
}

impl Line {
    /// Waits between tries take no time; a request may take as long as `limit`.
    fn new(limit: Duration, retry: RetryPolicy) -> Self {
        let server = Server::start(Numbers(COUNT)).unwrap();
        let proxy = Proxy::start(&server.url(), 1).unwrap();
        let transport = ReqwestTransport::with_timeouts(Duration::from_secs(10), limit).unwrap();
        let http = Http::builder(Arc::new(transport), proxy.url().parse().unwrap())
            .clock(Arc::new(ManualClock::at(start())))
            .rng(Arc::new(Rng::seeded(1)))
            .limits(Limits::new(limit, 32 << 20))
            .retry(retry)
            .build()
            .unwrap();
        Self { server, proxy, http }
    }

    async fn ask(&self) -> lifehub_core::Result<Vec<u64>> {
        self.http.get("numbers").json().await
    }

    async fn assert_whole(&self, what: &str) {
        assert_eq!(self.ask().await.expect(what), (0..COUNT).collect::<Vec<_>>(), "{what}");
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn sliced_answers_come_through_whole() {
    let line = Line::new(MINUTE, RetryPolicy::never());
    for size in [1009, 16_000] {
        line.proxy.set(Toxics::none().to_client(Toxic::Slicer { size, delay: Duration::from_micros(100) }));
        line.assert_whole(&format!("in pieces of {size} bytes")).await;
    }
    line.proxy.set(Toxics::none().to_server(Toxic::Slicer { size: 1, delay: Duration::ZERO }));
    line.assert_whole("a request that comes byte by byte").await;
    assert_eq!(line.server.request_count(), 3);
}

#[tokio::test]
async fn cut_and_reset_answers_are_asked_for_again() {
    let ends: [fn(u64) -> Toxic; 2] = [|after| Toxic::Cut { after }, |after| Toxic::Reset { after }];
    for end in ends {
        for after in [0, 20, 5_000, 150_000] {
            let line = Line::new(MINUTE, RetryPolicy::tries(3));
            line.proxy.set(Toxics::none().to_client(end(after)).on_next(2));
            line.assert_whole(&format!("{:?}", end(after))).await;
            assert_eq!(line.proxy.connections(), 3, "{:?}: two broke off", end(after));
            // Three breaks in a row are one too many, and never pass for a short or empty answer.
            let line = Line::new(MINUTE, RetryPolicy::tries(3));
            line.proxy.set(Toxics::none().to_client(end(after)));
            let error = line.ask().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            assert_eq!(line.proxy.connections(), 3);
        }
    }
}

#[tokio::test]
async fn a_stalled_server_ends_by_the_time_limit() {
    let limit = Duration::from_millis(150);
    let stalls = [
        ("nothing comes", Toxic::Timeout),
        ("it drips", Toxic::Slicer { size: 10, delay: Duration::from_millis(20) }),
        ("a narrow line", Toxic::Bandwidth { bytes_per_s: 1_000 }),
        ("it is late", Toxic::Latency { delay: MINUTE, jitter: MINUTE }),
    ];
    for (what, toxic) in stalls {
        let line = Line::new(limit, RetryPolicy::never());
        line.proxy.set(Toxics::none().to_client(toxic));
        let begun = Instant::now();
        let error = line.ask().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{what}: {error:?}");
        assert!(error.is_temporary(), "{what}");
        // Far below what the stall would have taken, with room for a busy machine.
        assert!(begun.elapsed() >= limit && begun.elapsed() < Duration::from_secs(3), "{what}");
        line.proxy.set(Toxics::none());
        drop(line);
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_found_again_when_it_is_back() {
    let line = Line::new(MINUTE, RetryPolicy::never());
    line.assert_whole("at first").await;
    line.proxy.refuse().unwrap();
    for _ in 0..2 {
        let error = line.ask().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(error.get_hint().is_some(), "{error:?}");
    }
    line.proxy.accept().unwrap();
    line.assert_whole("back again").await;
}

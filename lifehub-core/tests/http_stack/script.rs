//! A transport that answers from a script and remembers what was asked, and when.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lifehub_core::clock::{Clock, ManualClock, Rng, Timestamp};
use lifehub_core::http::{Http, HttpBuilder, Request, Response, Transport};
use lifehub_core::{Error, ErrorKind, Result};
use url::Url;

pub(crate) const BASE: &str = "https://api.test/v3";

/// The clock of all scripted tests starts here.
pub(crate) fn start() -> Timestamp {
    at("2026-03-01T08:00:00Z")
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(start()))
}

pub(crate) fn rng() -> Arc<Rng> {
    Arc::new(Rng::seeded(7))
}

#[derive(Clone)]
pub(crate) enum Reply {
    Answer(u16, Vec<(&'static str, String)>, Bytes),
    Cut,
}

/// An answer of this status and JSON body.
pub(crate) fn json(status: u16, body: &'static str) -> Reply {
    Reply::Answer(status, vec![("content-type", "application/json".into())], body.into())
}

pub(crate) fn status(status: u16) -> Reply {
    Reply::Answer(status, vec![], Bytes::new())
}

impl Reply {
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.retain(|(other, _)| *other != name);
            headers.push((name, value.into()));
        }
        self
    }
}

#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) at: Timestamp,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) struct Script {
    replies: Mutex<VecDeque<Reply>>,
    last: Reply,
    seen: Mutex<Vec<Seen>>,
    clock: Arc<ManualClock>,
    latency: Duration,
    hangs: Option<usize>,
}

impl Script {
    /// Answers with these, then forever with the last of them.
    pub(crate) fn new(clock: &Arc<ManualClock>, replies: impl IntoIterator<Item = Reply>) -> Arc<Self> {
        Self::slow(clock, Duration::ZERO, replies)
    }

    /// The same, each answer taking this long.
    pub(crate) fn slow(
        clock: &Arc<ManualClock>,
        latency: Duration,
        replies: impl IntoIterator<Item = Reply>,
    ) -> Arc<Self> {
        Arc::new(Self::made(clock, latency, None, replies))
    }

    /// The same, but the request of that number, counted from 0, is never answered.
    pub(crate) fn hanging(
        clock: &Arc<ManualClock>,
        number: usize,
        replies: impl IntoIterator<Item = Reply>,
    ) -> Arc<Self> {
        Arc::new(Self::made(clock, Duration::ZERO, Some(number), replies))
    }

    fn made(
        clock: &Arc<ManualClock>,
        latency: Duration,
        hangs: Option<usize>,
        replies: impl IntoIterator<Item = Reply>,
    ) -> Self {
        let replies: VecDeque<Reply> = replies.into_iter().collect();
        let last = replies.back().unwrap().clone();
        let (replies, seen) = (Mutex::new(replies), Mutex::default());
        Self { replies, last, seen, clock: clock.clone(), latency, hangs }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The waits between the requests.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.seen().windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect()
    }

    /// A client over this script.
    pub(crate) fn http(self: &Arc<Self>) -> HttpBuilder {
        Http::builder(self.clone(), BASE.parse().unwrap()).clock(self.clock.clone()).rng(rng())
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Response> {
        let Request { url, headers, body, .. } = request;
        self.seen.lock().unwrap().push(Seen { at: self.clock.now(), url, headers, body });
        if self.hangs == Some(self.count() - 1) {
            std::future::pending::<()>().await;
        }
        let reply = self.replies.lock().unwrap().pop_front().unwrap_or_else(|| self.last.clone());
        self.clock.advance(self.latency);
        match reply {
            Reply::Cut => Err(Error::new(ErrorKind::Unavailable, "the connection broke off")),
            Reply::Answer(status, headers, body) => {
                let mut response = Response::new(StatusCode::from_u16(status).unwrap(), body);
                for (name, value) in headers {
                    response
                        .headers
                        .append(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
                }
                Ok(response)
            }
        }
    }
}

/// What a call that must fail says.
pub(crate) fn error<T>(result: Result<T>) -> Error {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error,
    }
}

//! How an answer is put on the wire: whole, or damaged by a fault.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use hyper::body::{Body, Frame, SizeHint};
use lifehub_core::clock::Timestamp;
use serde_json::json;

use crate::fault::Fault;
use crate::message::{SimRequest, SimResponse, Simulator};

/// What happens on the connection for one request.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How long to wait before it.
    pub(crate) delay: Duration,
    /// The answer, or none to reset the connection.
    pub(crate) answer: Option<Response<WireBody>>,
}

/// Asks the simulator, or not, and does what the fault says.
///
/// `last` holds the last whole answer of each path.
pub(crate) fn outcome(
    simulator: &dyn Simulator,
    request: &SimRequest,
    fault: Option<Fault>,
    last: &mut HashMap<String, SimResponse>,
) -> Outcome {
    let mut delay = Duration::ZERO;
    let refusal = |status| simulator.refusal(status);
    let answer = match fault {
        Some(Fault::ResetBefore) => return Outcome { delay, answer: None },
        Some(Fault::RetryAfterSeconds(seconds)) => refusal(429).header("retry-after", seconds),
        Some(Fault::RetryAfterDate(seconds)) => refusal(429)
            .header("retry-after", http_date(request.at + Duration::from_secs(u64::from(seconds)))),
        Some(Fault::Unavailable) => web_page(503, "503 Service Temporarily Unavailable"),
        Some(Fault::ServerError) => refusal(500),
        Some(Fault::Unauthorized) => refusal(401),
        Some(Fault::Echo) => echo(request),
        Some(Fault::RedirectTo(port)) => {
            SimResponse::empty(302).header("location", format!("http://127.0.0.1:{port}{}", target(request)))
        }
        Some(Fault::Repeat) if last.contains_key(&request.path) => last[&request.path].clone(),
        None | Some(_) => {
            let answer = simulator.handle(request);
            last.insert(request.path.clone(), answer.clone());
            answer
        }
    };
    let (half, length) = (answer.body.slice(..answer.body.len() / 2), answer.body.len());
    let answer = match fault {
        Some(Fault::Reset) => return Outcome { delay, answer: None },
        // Half of nothing is nothing: without a body to cut, the connection is.
        Some(Fault::CutBody | Fault::ShortBody) if half.is_empty() => return Outcome { delay, answer: None },
        Some(Fault::CutBody) => composed(answer, WireBody::cut(half, length), request.at),
        Some(Fault::ShortBody) => composed(answer, WireBody::whole(half), request.at),
        Some(Fault::WebPage) => whole(web_page(200, "Down for maintenance"), request.at),
        Some(Fault::ErrorInside) => {
            let mut error = refusal(500);
            error.status = http::StatusCode::OK;
            whole(error, request.at)
        }
        Some(Fault::Delay(time)) => {
            delay = time;
            whole(answer, request.at)
        }
        _ => whole(answer, request.at),
    };
    Outcome { delay, answer: Some(answer) }
}

/// Path and query as they came.
fn target(request: &SimRequest) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let query = query.extend_pairs(&request.query).finish();
    if query.is_empty() { request.path.clone() } else { format!("{}?{query}", request.path) }
}

fn echo(request: &SimRequest) -> SimResponse {
    let headers = request.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    });
    let headers: BTreeMap<String, String> = headers.collect();
    let text = format!("cannot serve {} {} with {headers:?}", request.method, target(request));
    SimResponse::json(400, &json!({ "error": true, "reason": text, "message": text, "headers": headers }))
}

fn web_page(status: u16, title: &str) -> SimResponse {
    let page = "<!DOCTYPE html>\n<html><head><title>TITLE</title></head><body><h1>TITLE</h1></body></html>\n";
    SimResponse::html(status, page.replace("TITLE", title))
}

fn whole(answer: SimResponse, at: Timestamp) -> Response<WireBody> {
    let body = WireBody::whole(answer.body.clone());
    composed(answer, body, at)
}

fn composed(answer: SimResponse, body: WireBody, at: Timestamp) -> Response<WireBody> {
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    // The server's clock may not be the machine's, and the date has to agree with the windows and waits of the answer.
    if let Ok(date) = HeaderValue::from_str(&http_date(at)) {
        response.headers_mut().entry(header::DATE).or_insert(date);
    }
    response
}

/// An instant as HTTP writes it, in whole seconds, rounded up so that nobody who waits until then comes early.
fn http_date(at: Timestamp) -> String {
    let seconds = (at + Duration::from_micros(999_999)).as_seconds();
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// A body that may end before the length that it announced.
#[derive(Debug)]
pub(crate) struct WireBody {
    chunk: Option<Bytes>,
    announced: usize,
    end: End,
}

#[derive(Debug)]
enum End {
    Clean,
    /// Breaks after one more turn, in which what was handed over gets out of the buffer and onto the wire.
    FlushThenBreak,
    Break,
}

impl WireBody {
    fn whole(chunk: Bytes) -> Self {
        Self { announced: chunk.len(), chunk: Some(chunk).filter(|c| !c.is_empty()), end: End::Clean }
    }

    fn cut(chunk: Bytes, announced: usize) -> Self {
        Self { announced, chunk: Some(chunk), end: End::FlushThenBreak }
    }
}

/// The body ends here on purpose.
#[derive(Debug)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut on purpose")
    }
}

impl std::error::Error for Cut {}

impl Body for WireBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(chunk) = self.chunk.take() {
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        match self.end {
            End::Clean => Poll::Ready(None),
            End::FlushThenBreak => {
                self.end = End::Break;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            End::Break => Poll::Ready(Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.chunk.is_none() && matches!(self.end, End::Clean)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.announced).unwrap_or(u64::MAX))
    }
}

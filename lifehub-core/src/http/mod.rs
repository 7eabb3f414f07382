//! How a connector speaks to its provider: requests that are limited, metered, authorized, retried and traced.
//!
//! The layers stand in one order, from the inside out, and [`HttpBuilder`] knows no other: transport, time and size
//! limit, quota, breaker, auth, retry, tracing. A connector sees only the outside, [`Http`] and [`Call`]; an embedder brings
//! a [`Transport`], for which `ReqwestTransport` is there.

mod answer;
mod auth;
mod breaker;
mod call;
mod classify;
mod client;
mod later;
mod limit;
mod link;
mod message;
mod origin;
mod quota;
#[cfg(feature = "reqwest")]
mod reqwest;
mod retry;
mod stack;

pub use answer::Answer;
pub use auth::{AuthScheme, CredentialSource, Part, StaticCredentials};
pub use call::Call;
pub use classify::{Classify, Refused, classify, refused};
pub use client::{Http, HttpBuilder};
pub use later::retry_after;
pub use limit::Limits;
pub(crate) use limit::{Received, exchange};
pub use message::{Body, BodyStream, Priority, Request, Response, Transport};
pub(crate) use origin::keeps_secrets;
pub use quota::{
    MemoryLedger, Pace, PaceTerms, QuotaKey, QuotaLedger, QuotaReport, QuotaScope, QuotaSpec, Quotas, Window,
};
#[cfg(feature = "reqwest")]
pub use reqwest::ReqwestTransport;
pub use retry::{LONGEST_WAIT, RetryPolicy};

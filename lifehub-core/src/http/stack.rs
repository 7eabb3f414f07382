//! The layers of one connection, each calling the next inner one: reading this file from below is reading the order.

use std::sync::Arc;

use futures_util::FutureExt;
use http::{Method, header};
use url::Url;

use super::answer::Answer;
use super::auth::{AuthScheme, CredentialSource};
use super::classify::{Classify, classify};
use super::later;
use super::limit::{self, Limits};
use super::message::{Request, Transport};
use super::origin::{self, Home, Origins};
use super::quota::Quotas;
use super::retry::RetryPolicy;
use crate::clock::{Clock, Rng};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Credentials;

/// How many redirects a request follows.
const HOPS: usize = 3;

pub(super) struct Stack {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) home: Arc<Home>,
    pub(super) origins: Origins,
    pub(super) limits: Limits,
    pub(super) quotas: Arc<Quotas>,
    pub(super) connection: Arc<str>,
    pub(super) scheme: AuthScheme,
    pub(super) credentials: Arc<dyn CredentialSource>,
    pub(super) retry: RetryPolicy,
    /// Whether a provider that is down is left alone.
    pub(super) breaker: bool,
    pub(super) classify: Option<Classify>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rng: Arc<Rng>,
}

/// What a kind of call looks for in an answer whose status is fine.
pub(super) type Check = fn(&Answer) -> Option<Error>;

impl Stack {
    /// Quota, then transport within its limits. What the provider reports about its quotas is learned.
    async fn metered(&self, request: Request) -> Result<Answer> {
        let path = self.below_base(&request.url);
        self.quotas.acquire(&self.connection, &path, request.weight, request.priority).await?;
        let sent = self.clock.now();
        let received = limit::exchange(self.transport.as_ref(), self.limits.request, request).await?;
        self.quotas.learn(&self.connection, &path, &received.headers, sent).await?;
        let limit::Received { status, headers, body } = received;
        Ok(Answer { status, headers, body, sent, received: self.clock.now(), source: None })
    }

    /// One request with these credentials, its redirects, and what its answer means. The breaker hears of each.
    async fn authorized(
        &self,
        request: &Request,
        check: Option<Check>,
        used: &Credentials,
    ) -> Result<Answer> {
        let mut url = request.url.clone();
        for _ in 0..=HOPS {
            let mut hop = Request { url: url.clone(), ..request.clone() };
            self.scheme.apply(used, &mut hop)?;
            let pass = self.breaker.then(|| self.quotas.breaker().admit()).transpose()?;
            let judged = self.metered(hop).await.map(|answer| {
                let own = self.classify.and_then(|classify| classify(&answer));
                (own.is_some(), own.or_else(|| classify(&answer)), answer)
            });
            if let Some(pass) = pass {
                pass.hear(judged.as_ref().map(|(_, fault, _)| fault.as_ref()));
            }
            let (is_own, fault, mut answer) = judged?;
            if !is_own && let Some(target) = self.redirect(&request.method, &url, &answer)? {
                url = target;
                continue;
            }
            return match fault.or_else(|| check?(&answer)) {
                Some(error) => Err(self.slow_down(error, &url, &answer).await?),
                None => {
                    answer.source = Some((Arc::clone(&self.home), url));
                    Ok(answer)
                }
            };
        }
        Err(Error::new(ErrorKind::InvalidResponse, format!("the provider redirects more than {HOPS} times")))
    }

    /// Auth: credentials that the provider refuses are renewed once.
    async fn attempt(&self, request: &Request, check: Option<Check>) -> Result<Answer> {
        self.origins.admit(&request.url)?;
        let used = self.credentials.current().await?;
        match self.authorized(request, check, &used).await {
            Err(error) if error.kind() == ErrorKind::Unauthorized => {
                match self.credentials.refused(&used).await? {
                    Some(fresh) => self.authorized(request, check, &fresh).await,
                    None => Err(error),
                }
            }
            other => other,
        }
    }

    /// Tracing: one event for each try. It holds no query, no header and nothing of a body.
    async fn traced<T: Send>(
        &self,
        request: &Request,
        check: Option<Check>,
        read: impl Fn(&Answer) -> Result<T> + Send,
        number: u32,
    ) -> Result<(Answer, T)> {
        let start = self.clock.monotonic();
        let result = match self.attempt(request, check).await {
            Ok(answer) => read(&answer).map(|value| (answer, value)),
            Err(error) => Err(error),
        };
        let duration_ms = self.clock.monotonic().saturating_sub(start).as_secs_f64() * 1e3;
        let (method, host, path) = (&request.method, request.host(), request.path());
        match result {
            Ok((answer, value)) => {
                let (status, bytes) = (answer.status.as_u16(), answer.body.len());
                tracing::debug!(%method, host, path, number, status, bytes, duration_ms, "answered");
                Ok((answer, value))
            }
            Err(error) => {
                let status = error.context().iter().find(|(key, _)| *key == "status").map(|(_, value)| value);
                tracing::debug!(%method, host, path, number, status, duration_ms, kind = %error.kind(), "failed");
                Err(error)
            }
        }
    }

    /// Retry, outermost: reading an answer is part of a try, so that one that breaks off is asked for again.
    pub(super) async fn run<T: Send>(
        &self,
        request: &Request,
        check: Option<Check>,
        read: impl Fn(&Answer) -> Result<T> + Send + Sync,
    ) -> Result<(Answer, T)> {
        // In a box, so that the callers' futures stay small.
        let attempt = |number| self.traced(request, check, &read, number).boxed();
        let result = self.retry.run(&self.clock, &self.rng, self.quotas.budget(), &attempt).await;
        result.map_err(|error| error.with("request", request.label()))
    }

    /// Where a redirect leads, if this answer is one that may be followed: reading only, and to no foreign origin.
    fn redirect(&self, method: &Method, from: &Url, answer: &Answer) -> Result<Option<Url>> {
        let may = method.is_safe() && matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = answer.header(header::LOCATION.as_str()).filter(|_| may) else {
            return Ok(None);
        };
        let target = origin::resolve(from, location)?;
        self.origins.admit(&target)?;
        Ok(Some(target))
    }

    /// Adds the time that `Retry-After` names, and closes the gate for everyone whom a "slow down" concerns.
    async fn slow_down(&self, error: Error, url: &Url, answer: &Answer) -> Result<Error> {
        let asked = matches!(error.kind(), ErrorKind::Throttled | ErrorKind::Parked);
        if !asked && !error.is_temporary() {
            return Ok(error);
        }
        let (headers, received) = (&answer.headers, answer.received);
        let named = || {
            let asked = later::retry_after(headers, received).map(|wait| received + wait);
            asked.or_else(|| later::spent_until(headers, received))
        };
        let until = error.retry_at().or_else(named);
        if !asked && until.is_none() {
            return Ok(error);
        }
        Ok(match self.quotas.slow_down(&self.connection, &self.below_base(url), until).await? {
            Some(until) => error.at(until),
            None => error,
        })
    }

    /// The path by which quotas tell requests apart.
    fn below_base(&self, url: &Url) -> String {
        self.home.below(url).unwrap_or(url.path()).to_owned()
    }
}

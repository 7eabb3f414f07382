//! Faults on demand: which request fails, and how. The same plan and the same order of requests give the same faults.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use crate::seeded::Seeded;

/// One way for a provider to fail.
///
/// Refusals are answered before the simulator hears of the request. Of the others the simulator has heard: a damaged
/// answer to a token request means that the token was rotated all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// A refusal: 429 with `Retry-After` as that many seconds.
    RetryAfterSeconds(u32),
    /// A refusal: 429 with `Retry-After` as an HTTP date, that many seconds after the server's clock.
    RetryAfterDate(u32),
    /// A refusal: 503 with a web page as its body.
    Unavailable,
    /// A refusal: 500 in the provider's error format.
    ServerError,
    /// A refusal: the connection is reset, and the simulator has not heard of the request.
    ResetBefore,
    /// A refusal: 401 in the provider's error format, as for a token that was revoked.
    Unauthorized,
    /// A refusal: 400 whose body repeats the whole request, its headers included, as careless gateways do.
    Echo,
    /// A refusal: 302 to the same path and query on that port of 127.0.0.1, where another server is.
    RedirectTo(u16),
    /// The connection is reset instead of the answer.
    Reset,
    /// The length of the whole body is announced, half of it is sent, and the connection closes.
    CutBody,
    /// Half of the body is sent as if it were the whole: HTTP is content, JSON is not.
    ShortBody,
    /// 200 with a web page instead of the answer.
    WebPage,
    /// 200 with the provider's error object instead of the answer.
    ErrorInside,
    /// The last whole answer of the same path comes again, whatever its query was. Without one, the answer is whole.
    Repeat,
    /// The answer is whole, and late by that time. It counts as no failure.
    Delay(Duration),
}

impl Fault {
    /// Those of which a share is drawn unless others are named, with waits of a second and a delay of 20 ms.
    pub const EACH: [Self; 11] = [
        Self::RetryAfterSeconds(1),
        Self::RetryAfterDate(1),
        Self::Unavailable,
        Self::ServerError,
        Self::ResetBefore,
        Self::Reset,
        Self::CutBody,
        Self::ShortBody,
        Self::WebPage,
        Self::ErrorInside,
        Self::Delay(Duration::from_millis(20)),
    ];

    fn fails(self) -> bool {
        !matches!(self, Self::Delay(_))
    }
}

/// Which requests fail: a share of all, drawn from a seed, and single ones by their number.
///
/// ```
/// use lifehub_testkit::{Fault, FaultPlan};
/// let plan = FaultPlan::share(7, 0.1).of([Fault::CutBody, Fault::Reset]).at(3, Fault::ServerError);
/// assert_eq!(plan.to_string(), "seed 7, 10 % of requests, at most 3 in a row, of CutBody, Reset; 3: ServerError");
/// ```
#[derive(Debug, Clone)]
pub struct FaultPlan {
    seed: u64,
    rate: f64,
    kinds: Vec<Fault>,
    in_a_row: u32,
    exact: BTreeMap<u64, Fault>,
    onward: Option<(u64, Fault)>,
}

impl FaultPlan {
    /// No request fails.
    pub fn none() -> Self {
        Self {
            seed: 0,
            rate: 0.0,
            kinds: Fault::EACH.to_vec(),
            in_a_row: 3,
            exact: BTreeMap::new(),
            onward: None,
        }
    }

    /// That share of all requests (0 to 1) fails, in one of [these ways](Fault::EACH), at most three in a row.
    pub fn share(seed: u64, rate: f64) -> Self {
        Self { seed, rate: rate.clamp(0.0, 1.0), ..Self::none() }
    }

    /// Only in these ways. Name one twice to draw it twice as often.
    #[must_use]
    pub fn of(mut self, kinds: impl IntoIterator<Item = Fault>) -> Self {
        self.kinds = kinds.into_iter().collect();
        self
    }

    /// At most that many drawn failures in a row, counted over the server and over each target (method, path and
    /// query), so that whoever asks once more than that for the same thing gets it.
    #[must_use]
    pub fn at_most_in_a_row(mut self, failures: u32) -> Self {
        self.in_a_row = failures;
        self
    }

    /// Request number `number` fails in this way, whatever else is drawn. The first request after the plan is set has
    /// number 1.
    #[must_use]
    pub fn at(mut self, number: u64, fault: Fault) -> Self {
        self.exact.insert(number, fault);
        self
    }

    /// Every request from number `number` on fails in this way, unless [`FaultPlan::at`] says otherwise.
    #[must_use]
    pub fn from(mut self, number: u64, fault: Fault) -> Self {
        self.onward = Some((number, fault));
        self
    }

    /// Whether this plan never does anything.
    pub fn is_none(&self) -> bool {
        self.exact.is_empty() && self.onward.is_none() && (self.rate <= 0.0 || self.kinds.is_empty())
    }

    fn drawn(&self, number: u64) -> Option<Fault> {
        // Each number has a draw of its own, so that what happens to request 50 does not depend on how many draws the
        // 49 before it took.
        let mut dice = Seeded::new(self.seed).fork(number);
        if dice.chance(self.rate) { dice.pick(&self.kinds).copied() } else { None }
    }
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = (self.rate * 1e6).round() / 1e4;
        write!(f, "seed {}, {percent} % of requests, at most {} in a row, of ", self.seed, self.in_a_row)?;
        for (i, kind) in self.kinds.iter().enumerate() {
            write!(f, "{}{kind:?}", if i == 0 { "" } else { ", " })?;
        }
        self.exact.iter().try_for_each(|(number, fault)| write!(f, "; {number}: {fault:?}"))?;
        self.onward.iter().try_for_each(|(number, fault)| write!(f, "; from {number} on: {fault:?}"))
    }
}

/// A plan at work.
#[derive(Debug)]
pub(crate) struct Faults {
    plan: FaultPlan,
    requests: u64,
    row: u32,
    /// Targets whose last answer was a failure, with the length of their row; all others stand at zero.
    rows: HashMap<String, u32>,
}

impl Faults {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        Self { plan, requests: 0, row: 0, rows: HashMap::new() }
    }

    /// Decides over the next request, which asks for `target`.
    pub(crate) fn next(&mut self, target: &str) -> Option<Fault> {
        self.requests += 1;
        let onward = self.plan.onward.filter(|(from, _)| self.requests >= *from).map(|(_, fault)| fault);
        let exact = self.plan.exact.get(&self.requests).copied().or(onward);
        let target_row = self.rows.get(target).copied().unwrap_or(0);
        let spent = self.row.max(target_row) >= self.plan.in_a_row;
        let fault = exact.or_else(|| self.plan.drawn(self.requests).filter(|drawn| !spent || !drawn.fails()));
        if fault.is_some_and(Fault::fails) {
            self.row += 1;
            self.rows.insert(target.to_owned(), target_row + 1);
        } else {
            self.row = 0;
            self.rows.remove(target);
        }
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(plan: &FaultPlan, targets: &[&str], count: usize) -> Vec<Option<Fault>> {
        let mut faults = Faults::new(plan.clone());
        (0..count).map(|i| faults.next(targets[i % targets.len()])).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_faults() {
        let plan = FaultPlan::share(11, 0.3);
        assert_eq!(drawn(&plan, &["/a"], 500), drawn(&plan, &["/a"], 500));
        assert_ne!(drawn(&plan, &["/a"], 500), drawn(&FaultPlan::share(12, 0.3), &["/a"], 500));
    }

    #[test]
    fn the_share_is_about_what_was_asked_for() {
        let plan = FaultPlan::share(5, 0.2);
        let faults = drawn(&plan, &["/a"], 10_000).iter().flatten().count();
        assert!((1_800..2_200).contains(&faults), "{faults} of 10,000");
    }

    #[test]
    fn no_target_fails_more_often_in_a_row_than_allowed() {
        let plan = FaultPlan::share(5, 1.0).of([Fault::Reset]).at_most_in_a_row(2);
        for targets in [&["/a"][..], &["/a", "/b"], &["/a", "/b", "/c", "/a"]] {
            for target in targets {
                let faults = drawn(&plan, targets, 400);
                let own = (0..400).filter(|i| targets[i % targets.len()] == *target).map(|i| faults[i]);
                let longest = own.fold((0, 0), |(row, most), fault| {
                    let row = if fault.is_some() { row + 1 } else { 0 };
                    (row, most.max(row))
                });
                assert!(longest.1 <= 2, "{targets:?}: {} in a row for {target}", longest.1);
            }
        }
    }
}

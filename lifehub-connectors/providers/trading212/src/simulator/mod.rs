//! A simulated Trading 212, written from its documentation and from what others met: one made-up account with its
//! histories, its positions and its worth, in euros.
//!
//! ```
//! use lifehub_testkit::{Account, Probe, Server, Setup};
//! use lifehub_trading212::simulator::Trading212Simulator;
//!
//! let simulator = Trading212Simulator::seeded(&Setup::new(1, "2026-08-10T12:00:00Z".parse()?));
//! simulator.set_limits(true);
//! let server = Server::start(simulator)?;
//! let refused = Probe::get(format!("{}/api/v0/equity/positions", server.url())).send()?;
//! assert_eq!(refused.status, 401);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod cash;
mod instrument;
mod limits;
mod orders;
mod paging;
mod positions;
mod wire;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Shelf, SimRequest, SimResponse, Simulator};
use serde_json::json;

use cash::{Dividends, Transactions};
use limits::Limits;
use orders::Orders;
use paging::{Paging, by_number, by_reference};
use positions::{Positions, Worth};

pub use account::account;

/// A simulated Trading 212 with one account. Clones are handles of the same one.
#[derive(Debug, Clone)]
pub struct Trading212Simulator(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    key: String,
    secret: String,
    /// The permissions that the key lacks.
    withheld: HashSet<String>,
    limits: Option<Limits>,
    paging: Paging,
    orders: Shelf<Orders>,
    dividends: Shelf<Dividends>,
    transactions: Shelf<Transactions>,
    positions: Shelf<Positions>,
    worth: Worth,
    /// The stream in which changes happen.
    stream: String,
}

impl Trading212Simulator {
    /// Counts requests, refuses those that are too many, and tells of both in headers; or does nothing of that, which is
    /// how it starts.
    pub fn set_limits(&self, on: bool) {
        self.state().limits = on.then(Limits::default);
    }

    /// Another program of the same person makes a request to this path, which counts as any.
    pub fn spend(&self, path: &str, at: Timestamp) {
        if let Some(limits) = &mut self.state().limits {
            limits.count(path, at);
        }
    }

    /// Ends lists with a path that holds the word `null`, as some versions of the server did, instead of none.
    pub fn set_null_text(&self, on: bool) {
        self.state().paging.null_text = on;
    }

    /// Fails with an `InternalError` where the page behind so many items of that history (`transactions`) is asked for.
    pub fn break_page(&self, broken: Option<(&str, usize)>) {
        self.state().paging.broken = broken.map(|(history, place)| (history.to_owned(), place));
    }

    /// Takes another secret from now on: the one before is as good as deleted.
    pub fn set_secret(&self, secret: &str) {
        self.state().secret = secret.to_owned();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A refusal. Newer servers give the reason in their own form, or none at all.
fn refused(status: u16) -> SimResponse {
    let title = match status {
        401 | 429 => return SimResponse::empty(status),
        400 => "Bad filtering arguments",
        403 => "Scope missing for API key",
        404 => "Not found",
        408 => "Timed-out",
        _ => "InternalError",
    };
    let body = json!({
        "type": "about:blank", "title": title, "status": status, "detail": title, "traceId": "00000000000000a1",
    });
    SimResponse::json(status, &body)
}

impl State {
    fn knows(&self, request: &SimRequest) -> bool {
        let pair = STANDARD.encode(format!("{}:{}", self.key, self.secret));
        request.header("authorization") == Some(&format!("Basic {pair}"))
    }

    fn answer(&mut self, request: &SimRequest) -> SimResponse {
        if !self.knows(request) {
            return refused(401);
        }
        let Some(scope) = scope(request) else { return refused(404) };
        let period = self.limits.as_mut().map(|limits| limits.count(&request.path, request.at));
        let answer = if period.is_some_and(|period| period.spent) {
            refused(429)
        } else if self.withheld.contains(scope) {
            refused(403)
        } else {
            match scope {
                "account" => SimResponse::json(200, &self.worth.answer(&self.positions, request.at)),
                "portfolio" => {
                    let open: Vec<_> = self.positions.items().rev().map(|item| &item.shown).collect();
                    SimResponse::json(200, &open)
                }
                "history:orders" => self.paging.page(request, &self.orders, by_number),
                "history:dividends" => self.paging.page(request, &self.dividends, by_number),
                _ => self.paging.page(request, &self.transactions, by_reference),
            }
        };
        match period {
            Some(period) => period.told(answer),
            None => answer,
        }
    }
}

/// The permission that a request needs; none if there is nothing at its path.
fn scope(request: &SimRequest) -> Option<&'static str> {
    let segments = request.segments();
    let ("GET", ["api", "v0", "equity", path @ ..]) = (request.method.as_str(), segments.as_slice()) else {
        return None;
    };
    Some(match path {
        ["account", "summary"] => "account",
        ["positions"] => "portfolio",
        ["history", "orders"] => "history:orders",
        ["history", "dividends"] => "history:dividends",
        ["history", "transactions"] => "history:transactions",
        _ => return None,
    })
}

impl Simulator for Trading212Simulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        self.state().answer(request)
    }

    fn refusal(&self, status: u16) -> SimResponse {
        refused(status)
    }
}

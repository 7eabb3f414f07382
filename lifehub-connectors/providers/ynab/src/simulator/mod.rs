//! A simulated YNAB: `GET /v1/user`, `/v1/plans` and the settings, accounts, categories and transactions of a plan, and
//! the OAuth routes through which an app comes to a token.
//!
//! It keeps to YNAB's documentation and to what has been seen of its real answers, also where a client would like it
//! otherwise: transactions that are dated more than a year ago are left out unless `since_date` asks for them, in deltas too;
//! what is gone comes in deltas alone; the amounts of categories are those of the current month in UTC.
//!
//! ```
//! use lifehub_testkit::{Probe, Server, Setup};
//! use lifehub_ynab::simulator::YnabSimulator;
//!
//! let simulator = YnabSimulator::seeded(&Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(16));
//! let server = Server::start(simulator.clone())?;
//! let get = |path: &str| Probe::get(format!("{}/v1{path}", server.url())).bearer(&simulator.token()).send();
//! let plans = get("/plans")?.json()?;
//! let plan = plans["data"]["plans"][0]["id"].as_str().unwrap_or_default().to_owned();
//! let list = get(&format!("/plans/{plan}/transactions?since_date=1970-01-01"))?.json()?;
//! assert_eq!(list["data"]["transactions"].as_array().map(Vec::len), Some(14));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod budget;
mod oauth;
mod payments;
mod plan;
mod refusal;
mod told;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::oauth::AuthorizationServer;
use lifehub_testkit::{Setup, SimRequest, SimResponse, Simulator};
use serde_json::{Value, json};

pub use account::account;

use oauth::Consent;
use plan::Plan;
use refusal::Refusal;
use told::{What, utc_day, uuid};

const HOUR: Duration = Duration::from_secs(3_600);

/// YNAB's API over the plans of a made-up person. Clones share everything, so keep one to change things while a server runs.
#[derive(Debug, Clone)]
pub struct YnabSimulator {
    consent: Consent,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    user: String,
    plans: Vec<Plan>,
    /// The stream in which things change.
    stream: String,
    /// The personal access token.
    token: String,
    limit: Option<usize>,
    /// The calls of the last hour, by their token.
    calls: HashMap<String, VecDeque<Timestamp>>,
    refusal: Option<Refusal>,
    clips: bool,
    old_names: bool,
}

impl YnabSimulator {
    fn with(consent: Consent, setup: &Setup, plans: Vec<Plan>, token: String) -> Self {
        let state = State {
            user: uuid(setup.seed, What::User, 0),
            plans,
            stream: setup.stream.clone(),
            token,
            limit: None,
            calls: HashMap::new(),
            refusal: None,
            clips: false,
            old_names: false,
        };
        Self { consent, state: Arc::new(Mutex::new(state)) }
    }

    /// The personal access token. It is good until it is withdrawn ([`AuthorizationServer::withdraw`]).
    pub fn token(&self) -> String {
        self.state().token.clone()
    }

    /// The part that asks the person and issues tokens.
    pub fn oauth(&self) -> &AuthorizationServer {
        &self.consent.server
    }

    /// Lets a token make so many calls within an hour, counted back from each moment (in truth 200); `None` for any
    /// number.
    pub fn set_limit(&self, calls: Option<usize>) {
        self.state().limit = calls;
    }

    /// Refuses every call for data with the error of that id: `403.1` for a subscription that has lapsed, say. `None` ends
    /// it.
    pub fn set_refusal(&self, id: Option<&str>) {
        self.state().refusal = id.map(Refusal::named);
    }

    /// Leaves out transactions that are dated more than a year ago, whatever `since_date` says.
    pub fn set_clipping(&self, clips: bool) {
        self.state().clips = clips;
    }

    /// Calls plans budgets, as YNAB did until 2026.
    pub fn set_old_names(&self, old: bool) {
        self.state().old_names = old;
    }

    /// Deletes the last plan, with all that is in it.
    pub fn lose_plan(&self) {
        self.state().plans.pop();
    }

    /// Sets the currency of the first plan; `None` for one that YNAB does not tell.
    pub fn set_currency(&self, code: Option<&str>) {
        self.first(|plan| plan.set_currency(code));
    }

    /// Renames an account of the first plan. Numbers count from 1: an account for daily payments, savings, cash, a credit
    /// card.
    pub fn rename_account(&self, number: u64, name: &str) {
        self.first(|plan| plan.rewrite_account(number, |account| account["name"] = json!(name)));
    }

    /// Closes an account of the first plan. Its balance stays as it was.
    pub fn close_account(&self, number: u64) {
        self.first(|plan| plan.rewrite_account(number, |account| account["closed"] = json!(true)));
    }

    /// Deletes an account of the first plan.
    pub fn delete_account(&self, number: u64) {
        self.first(|plan| plan.delete_account(number));
    }

    fn first(&self, change: impl FnOnce(&mut Plan)) {
        self.state().plans.first_mut().map(change);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a call, unless the hour's are spent.
    fn count(&mut self, token: &str, at: Timestamp) -> Result<(), Refusal> {
        let Some(limit) = self.limit else { return Ok(()) };
        let calls = self.calls.entry(token.to_owned()).or_default();
        while calls.front().is_some_and(|first| *first + HOUR <= at) {
            calls.pop_front();
        }
        if calls.len() >= limit {
            return Err(Refusal("429"));
        }
        calls.push_back(at);
        Ok(())
    }

    fn answer(&mut self, request: &SimRequest) -> Result<Value, Refusal> {
        if request.method != "GET" {
            // The token may only read.
            return Err(Refusal("403.3"));
        }
        match request.segments().as_slice() {
            ["v1", "user"] => Ok(json!({ "user": { "id": self.user } })),
            ["v1", "plans" | "budgets"] => {
                let plans: Vec<Value> = self.plans.iter().map(Plan::summary).collect();
                Ok(match self.old_names {
                    true => json!({ "budgets": plans, "default_budget": null }),
                    false => json!({ "plans": plans, "default_plan": null }),
                })
            }
            ["v1", "plans" | "budgets", plan, list] => {
                let from = self.from(request)?;
                let plan = self.plans.iter_mut().find(|own| own.id == *plan).ok_or(Refusal("404.2"))?;
                match *list {
                    "settings" => {
                        let format = json!({ "format": "DD/MM/YYYY" });
                        let settings =
                            json!({ "date_format": format, "currency_format": plan.currency_format() });
                        Ok(json!({ "settings": settings }))
                    }
                    "accounts" | "categories" | "transactions" => {
                        let knowledge = number(request, "last_knowledge_of_server")?;
                        plan.list(list, knowledge, from, request.at).ok_or(Refusal("400"))
                    }
                    _ => Err(Refusal("404.1")),
                }
            }
            _ => Err(Refusal("404.1")),
        }
    }

    /// The first date that a list of transactions shows: a year ago, unless the request names another one.
    fn from(&self, request: &SimRequest) -> Result<Day, Refusal> {
        let year_ago = Day::from_number(utc_day(request.at).as_number() - 365);
        match request.query("since_date").map(str::parse) {
            Some(Ok(day)) if !self.clips => Ok(day),
            Some(Err(_)) => Err(Refusal("400")),
            _ => Ok(year_ago),
        }
    }
}

/// A parameter that is a number, if it is there.
fn number(request: &SimRequest, name: &str) -> Result<Option<u64>, Refusal> {
    request.query(name).map(|text| text.parse().map_err(|_| Refusal("400"))).transpose()
}

impl Simulator for YnabSimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        if let Some(answer) = self.consent.answer(request) {
            return answer;
        }
        if !self.consent.admits(request.bearer(), request.at) {
            return Refusal("401").into();
        }
        let mut state = self.state();
        let token = request.bearer().unwrap_or_default();
        let refused = state.count(token, request.at).err().or(state.refusal);
        match refused.map_or_else(|| state.answer(request), Err) {
            Ok(data) => SimResponse::json(200, &json!({ "data": data })),
            Err(refusal) => refusal.into(),
        }
    }

    fn refusal(&self, status: u16) -> SimResponse {
        Refusal::named(&status.to_string()).answer(status)
    }
}

//! The simulated Trading 212 against what its documentation says, over plain HTTP.
#![cfg(test)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lifehub_core::clock::{ManualClock, Timestamp};
use lifehub_testkit::{Account as _, Change, Fact, Probe, Reply, Server, Setup};
use lifehub_trading212::simulator::Trading212Simulator;
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-11-18T12:07:30Z".parse().unwrap()
}

struct Broker {
    simulator: Trading212Simulator,
    clock: Arc<ManualClock>,
    server: Server,
    authorization: String,
}

fn broker(setup: &Setup) -> Broker {
    let simulator = Trading212Simulator::seeded(setup);
    let clock = Arc::new(ManualClock::at(now()));
    let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
    let access = simulator.access(&server.url());
    let part = |name| access.credentials.get(name).unwrap().expose().to_owned();
    let pair = format!("{}:{}", part("api_key"), part("api_secret"));
    Broker { simulator, clock, server, authorization: format!("Basic {}", STANDARD.encode(pair)) }
}

impl Broker {
    fn get(&self, path: &str) -> Reply {
        let url = format!("{}/api/v0/equity/{path}", self.server.url());
        Probe::get(url).header("authorization", &self.authorization).send().unwrap()
    }

    fn json(&self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}");
        reply.json().unwrap()
    }

    /// All pages of a history.
    fn pages(&self, history: &str) -> Vec<Vec<Value>> {
        let mut path = format!("history/{history}?limit=50");
        let mut pages = Vec::new();
        loop {
            let page = self.json(&path);
            pages.push(page["items"].as_array().unwrap().clone());
            let Some(next) = page["nextPagePath"].as_str() else { return pages };
            path = next.strip_prefix("/api/v0/equity/").unwrap().to_owned();
        }
    }
}

fn names(value: &Value) -> HashSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn answers_have_the_members_of_the_documentation() {
    let broker = broker(&Setup::new(3, now()));
    let summary = broker.json("account/summary");
    assert_eq!(names(&summary), ["id", "currency", "totalValue", "cash", "investments"].into());
    assert_eq!(names(&summary["cash"]), ["availableToTrade", "inPies", "reservedForOrders"].into());
    let investments = ["currentValue", "totalCost", "realizedProfitLoss", "unrealizedProfitLoss"];
    assert_eq!(names(&summary["investments"]), investments.into());

    let positions = broker.json("positions");
    let position = &positions[0];
    let wallet = ["currency", "totalCost", "currentValue", "unrealizedProfitLoss", "fxImpact"];
    assert_eq!(names(&position["walletImpact"]), wallet.into());
    assert_eq!(names(&position["instrument"]), ["ticker", "name", "isin", "currency"].into());

    let orders = broker.pages("orders").concat();
    let traded = orders.iter().find(|item| item["fill"]["type"] == "TRADE").unwrap();
    let fill = ["id", "type", "tradingMethod", "quantity", "price", "filledAt", "walletImpact"];
    assert_eq!(names(&traded["fill"]), fill.into());
    let impact = ["currency", "fxRate", "netValue", "realisedProfitLoss", "taxes"];
    assert_eq!(names(&traded["fill"]["walletImpact"]), impact.into());
    let sold =
        orders.iter().find(|item| item["order"]["side"] == "SELL" && item["fill"].is_object()).unwrap();
    assert!(sold["fill"]["quantity"].as_f64().unwrap() < 0.0);
    let by_value = orders.iter().find(|item| item["order"]["strategy"] == "VALUE").unwrap();
    assert!(by_value["order"].get("quantity").is_none() && by_value["order"]["value"].is_number());
    let kinds: HashSet<&str> = orders.iter().filter_map(|item| item["fill"]["type"].as_str()).collect();
    assert_eq!(kinds, ["TRADE", "STOCK_SPLIT"].into());
    let of_the_same = orders.windows(2).filter(|two| two[0]["order"]["id"] == two[1]["order"]["id"]).count();
    assert!(of_the_same > 30, "some orders are filled in two steps");

    let dividends = broker.pages("dividends").concat();
    let paid: Vec<&str> = dividends.iter().filter_map(|item| item["paidOn"].as_str()).collect();
    for end in ["Z", "+00:00", "+03:00"] {
        let so = || paid.iter().filter(|at| at.ends_with(end));
        assert!(so().any(|at| at.contains('.')) && so().any(|at| !at.contains('.')), "{end}");
    }
    let transactions = broker.pages("transactions").concat();
    let types: HashSet<&str> = transactions.iter().filter_map(|item| item["type"].as_str()).collect();
    assert_eq!(types, ["DEPOSIT", "WITHDRAW", "FEE", "TRANSFER"].into());
}

#[test]
fn histories_are_whole_newest_first_and_at_most_fifty_a_page() {
    let broker = broker(&Setup::new(4, now()).items(120).ties(40));
    for history in ["orders", "dividends", "transactions"] {
        let pages = broker.pages(history);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20], "{history}");
        let items = pages.concat();
        let told: Vec<Fact> =
            broker.simulator.truth().into_iter().filter(|fact| fact.stream == history).collect();
        assert_eq!(told.len(), items.len());
        assert_eq!(items.iter().map(Value::to_string).collect::<HashSet<_>>().len(), 120, "{history}");
        let ids: Vec<String> = told.into_iter().rev().filter_map(|fact| fact.id).collect();
        let id = |item: &Value| match (&item["reference"], &item["fill"]["id"]) {
            (Value::String(reference), _) => reference.clone(),
            (_, Value::Number(fill)) => format!("fill:{fill}"),
            _ => format!("order:{}", item["order"]["id"]),
        };
        assert_eq!(items.iter().map(id).collect::<Vec<_>>(), ids, "{history}");
    }
    assert_eq!(broker.json("history/orders")["items"].as_array().unwrap().len(), 20, "by default");
}

#[test]
fn what_is_asked_wrongly_is_refused() {
    let broker = broker(&Setup::new(5, now()).items(30));
    for path in
        ["orders?limit=51", "orders?limit=0", "orders?limit=all", "orders?cursor=5", "dividends?cursor=null"]
    {
        assert_eq!(broker.get(&format!("history/{path}")).status, 400, "{path}");
    }
    let next = broker.json("history/transactions?limit=10")["nextPagePath"].as_str().unwrap().to_owned();
    let (with_time, without) =
        (next.replace("/api/v0/equity/", ""), next.split("&time").next().unwrap().to_owned());
    assert_eq!(broker.get(&with_time).status, 200);
    assert_eq!(broker.get(&without.replace("/api/v0/equity/", "")).status, 400, "the path counts as a whole");
    assert_eq!(broker.get("portfolio").status, 404, "the path of the old description");
    let url = format!("{}/api/v0/equity/positions", broker.server.url());
    let raw = broker.simulator.access("").credentials.get("api_key").unwrap().expose().to_owned();
    for authorization in [raw, "Basic bm9ib2R5Om5vYm9keQ==".to_owned()] {
        assert_eq!(Probe::get(&url).header("authorization", &authorization).send().unwrap().status, 401);
    }
}

#[test]
fn each_path_has_its_limit_and_tells_of_it() {
    let broker = broker(&Setup::new(6, now()).items(3));
    assert_eq!(broker.get("positions").header("x-ratelimit-limit"), None, "off");
    broker.simulator.set_limits(true);
    let figures = |reply: &Reply| {
        let figure =
            |name: &str| reply.header(&format!("x-ratelimit-{name}")).unwrap().parse::<i64>().unwrap();
        ["limit", "period", "remaining", "used"].map(figure)
    };
    for used in 1..=6 {
        let reply = broker.get("history/orders");
        assert_eq!((reply.status, figures(&reply)), (200, [6, 60, 6 - used, used]));
    }
    let reply = broker.get("history/orders");
    assert_eq!((reply.status, figures(&reply)), (429, [6, 60, 0, 6]));
    assert!(reply.header("retry-after").is_none() && reply.body.is_empty());
    let reset: i64 = reply.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert_eq!(reset - now().as_seconds(), 61);
    assert_eq!(broker.get("history/dividends").status, 200, "another path");
    assert_eq!(figures(&broker.get("account/summary")), [1, 5, 0, 1]);
    assert_eq!(broker.get("account/summary").status, 429);
    broker.clock.advance(Duration::from_secs(5));
    assert_eq!(broker.get("account/summary").status, 200);
    assert_eq!(broker.get("history/orders").status, 429);
    broker.clock.advance(Duration::from_secs(55));
    assert_eq!(broker.get("history/orders").status, 200);
}

#[test]
fn a_setup_decides_everything() {
    let setup = Setup::new(8, now()).items(25);
    let (one, other) = (broker(&setup), broker(&setup));
    assert_eq!(one.simulator.truth(), other.simulator.truth());
    assert_eq!(one.pages("orders"), other.pages("orders"));
    assert_ne!(one.simulator.truth(), broker(&Setup::new(9, now()).items(25)).simulator.truth());
    assert_eq!(one.simulator.truth().len(), 4 * 25 + 1);
    let two_years = broker(&Setup::new(8, now()));
    let orders = two_years.pages("orders").concat();
    assert!((380..450).contains(&orders.len()), "{}", orders.len());
    // Markets are closed at night and on weekends.
    let placed = orders.iter().map(|item| item["order"]["createdAt"].as_str().unwrap());
    let placed: Vec<Timestamp> = placed.map(|at| at.parse().unwrap()).collect();
    let open = |at: &&Timestamp| {
        let (day, hour) = (at.as_seconds().div_euclid(86_400), at.as_seconds().rem_euclid(86_400) / 3_600);
        (day + 3).rem_euclid(7) < 5 && (7..17).contains(&hour)
    };
    assert_eq!(placed.iter().filter(open).count(), placed.len());
}

#[test]
fn the_worth_of_a_day_is_what_its_latest_answer_told() {
    let broker = broker(&Setup::new(10, now()).items(5).stream("account"));
    let told = || {
        let facts = broker.simulator.truth().into_iter().filter(|fact| fact.stream == "account");
        facts
            .map(|fact| (fact.id.unwrap(), fact.records.unwrap()[0]["body"]["amount"].clone()))
            .collect::<Vec<_>>()
    };
    let before = told();
    assert_eq!(before.len(), 1, "what a client would be told if it asked");
    let summary = broker.json("account/summary");
    let cash: f64 = ["availableToTrade", "inPies", "reservedForOrders"]
        .iter()
        .map(|part| summary["cash"][part].as_f64().unwrap())
        .sum();
    assert_eq!(before[0].1, json!(format!("{cash:.2}")));
    assert!(broker.simulator.change(Change::Edit(0)));
    assert_eq!(told(), before, "nobody has asked since");
    broker.json("account/summary");
    assert_ne!(told(), before);
    broker.clock.advance(Duration::from_secs(86_400));
    broker.json("account/summary");
    assert_eq!(told().len(), 2);
}

#[test]
fn what_trading_212_does_not_know_changes_nothing() {
    for stream in ["orders", "dividends", "transactions", "account", "positions"] {
        let broker = broker(&Setup::new(12, now()).items(10).stream(stream));
        let before = broker.simulator.truth();
        let unknown = match stream {
            "positions" => vec![Change::LeadTo(None), Change::ExpireCursors],
            "account" => vec![
                Change::Add,
                Change::AddLate(Duration::from_secs(86_400)),
                Change::Edit(1),
                Change::TakeId(0),
                Change::Delete { from: 0, count: 1 },
                Change::ExpireCursors,
            ],
            _ => vec![Change::Delete { from: 0, count: 1 }],
        };
        let never = [Change::Stale(true), Change::Edit(10), Change::Withhold(Some("pies:read".to_owned()))];
        for change in unknown.into_iter().chain(never) {
            assert!(!broker.simulator.change(change.clone()), "{stream}: {change:?}");
            assert_eq!(broker.simulator.truth(), before, "{stream}: {change:?}");
        }
    }
}

//! The simulated YNAB over real HTTP, against what YNAB documents.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{ManualClock, Timestamp};
use lifehub_testkit::{Account, Change, Probe, Reply, Server, Setup};
use lifehub_ynab::simulator::YnabSimulator;
use serde_json::{Value, json};

struct Ynab {
    simulator: YnabSimulator,
    clock: Arc<ManualClock>,
    server: Server,
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn ynab(setup: &Setup) -> Ynab {
    let simulator = YnabSimulator::seeded(setup);
    let clock = Arc::new(ManualClock::at(setup.now));
    let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
    Ynab { simulator, clock, server }
}

fn small(stream: &str) -> Ynab {
    ynab(&Setup::new(7, now()).items(80).stream(stream))
}

impl Ynab {
    fn get(&self, path: &str) -> Reply {
        let url = format!("{}/v1{path}", self.server.url());
        Probe::get(url).bearer(&self.simulator.token()).send().unwrap()
    }

    fn data(&self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}");
        reply.json().unwrap()["data"].take()
    }

    /// A list of the first plan.
    fn list(&self, rest: &str) -> Value {
        let plan = self.data("/plans")["plans"][0]["id"].as_str().unwrap().to_owned();
        self.data(&format!("/plans/{plan}/{rest}"))
    }

    #[track_caller]
    fn refused(&self, reply: &Reply, status: u16, id: &str, name: &str) {
        let body = reply.json().unwrap();
        assert_eq!(
            (reply.status, &body["error"]["id"], &body["error"]["name"]),
            (status, &json!(id), &json!(name))
        );
        assert!(body["error"]["detail"].is_string());
    }
}

fn knowledge(list: &Value) -> u64 {
    list["server_knowledge"].as_u64().unwrap()
}

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn objects_have_the_members_that_ynab_documents() {
    let ynab = small("");
    let transactions = ynab.list("transactions?since_date=1970-01-01");
    let expected = [
        "account_id",
        "account_name",
        "amount",
        "amount_currency",
        "amount_formatted",
        "approved",
        "category_id",
        "category_name",
        "cleared",
        "date",
        "debt_transaction_type",
        "deleted",
        "flag_color",
        "flag_name",
        "id",
        "import_id",
        "import_payee_name",
        "import_payee_name_original",
        "matched_transaction_id",
        "memo",
        "payee_id",
        "payee_name",
        "subtransactions",
        "transfer_account_id",
        "transfer_transaction_id",
    ];
    assert_eq!(members(&transactions["transactions"][3]), expected);
    let accounts = ynab.list("accounts");
    let expected = [
        "balance",
        "balance_currency",
        "balance_formatted",
        "cleared_balance",
        "closed",
        "debt_escrow_amounts",
        "debt_interest_rates",
        "debt_minimum_payments",
        "debt_original_balance",
        "deleted",
        "direct_import_in_error",
        "direct_import_linked",
        "id",
        "last_reconciled_at",
        "name",
        "note",
        "on_budget",
        "transfer_payee_id",
        "type",
        "uncleared_balance",
    ];
    assert_eq!(members(&accounts["accounts"][0]), expected);
    let groups = ynab.list("categories");
    assert_eq!(
        members(&groups["category_groups"][0]),
        ["categories", "deleted", "hidden", "id", "internal", "name"]
    );
    let expected = [
        "activity",
        "balance",
        "budgeted",
        "category_group_id",
        "category_group_name",
        "deleted",
        "goal_target",
        "goal_type",
        "hidden",
        "id",
        "internal",
        "name",
        "note",
    ];
    assert_eq!(members(&groups["category_groups"][0]["categories"][0]), expected);
    assert_eq!(ynab.list("settings")["settings"]["currency_format"]["iso_code"], "EUR");
    assert_eq!(members(&ynab.data("/user")["user"]), ["id"]);
    let plans = ynab.data("/plans?include_accounts=false");
    assert_eq!((plans["plans"].as_array().unwrap().len(), &plans["default_plan"]), (2, &json!(null)));
    ynab.simulator.set_old_names(true);
    assert!(ynab.data("/budgets")["budgets"].is_array());
}

#[test]
fn a_year_is_shown_unless_another_date_is_asked_for_and_deltas_are_clipped_too() {
    let ynab = small("transactions");
    let all = ynab.list("transactions?since_date=1970-01-01");
    let year = ynab.list("transactions");
    let dates = |list: &Value| -> Vec<String> {
        let all = list["transactions"].as_array().unwrap().iter();
        all.map(|entry| entry["date"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(dates(&all).len(), 70);
    assert!(dates(&year).len() < 45 && dates(&year).iter().all(|date| date.as_str() >= "2025-11-20"));
    // An edit of what is older: nothing comes, and the knowledge has moved on.
    assert!(ynab.simulator.change(Change::Edit(65)));
    let known = knowledge(&all);
    let lost = ynab.list(&format!("transactions?last_knowledge_of_server={known}"));
    assert_eq!((dates(&lost).len(), knowledge(&lost)), (0, known + 1));
    let path = format!("transactions?since_date=1970-01-01&last_knowledge_of_server={known}");
    assert_eq!(dates(&ynab.list(&path)).len(), 1);
}

#[test]
fn what_is_deleted_comes_in_deltas_alone() {
    for (stream, path) in
        [("transactions", "/transactions/0"), ("categories", "/category_groups/0/categories/0")]
    {
        let ynab = small(stream);
        let before = ynab.list(&format!("{stream}?since_date=1970-01-01"));
        assert_eq!(before.pointer(path).unwrap()["deleted"], false);
        assert!(ynab.simulator.change(Change::Delete { from: 0, count: 1 }));
        let known = knowledge(&before);
        let delta = ynab.list(&format!("{stream}?since_date=1970-01-01&last_knowledge_of_server={known}"));
        let gone = delta.pointer(path).unwrap();
        assert_eq!((&gone["deleted"], knowledge(&delta)), (&json!(true), known + 1));
        let after = ynab.list(&format!("{stream}?since_date=1970-01-01")).to_string();
        assert!(!after.contains(gone["id"].as_str().unwrap()));
        let rest = ynab.list(&format!("{stream}?last_knowledge_of_server={}", known + 1));
        assert_eq!(rest.pointer(path), None);
    }
}

#[test]
fn transfers_stand_in_both_accounts_and_splits_add_up() {
    let ynab = small("");
    let list = ynab.list("transactions?since_date=1970-01-01");
    let all = list["transactions"].as_array().unwrap();
    let find = |id: &Value| all.iter().find(|entry| entry["id"] == *id).unwrap();
    let (mut transfers, mut splits) = (0, 0);
    for entry in all {
        if !entry["transfer_transaction_id"].is_null() {
            let other = find(&entry["transfer_transaction_id"]);
            assert_eq!(other["transfer_transaction_id"], entry["id"]);
            assert_eq!(other["amount"].as_i64().unwrap(), -entry["amount"].as_i64().unwrap());
            assert_eq!(
                (&other["date"], &other["account_id"]),
                (&entry["date"], &entry["transfer_account_id"])
            );
            transfers += 1;
        }
        let parts = entry["subtransactions"].as_array().unwrap();
        if !parts.is_empty() {
            let sum: i64 = parts.iter().map(|part| part["amount"].as_i64().unwrap()).sum();
            assert_eq!((json!(sum), &entry["category_name"]), (entry["amount"].clone(), &json!("Split")));
            splits += 1;
        }
    }
    assert!(transfers == 6 && splits == 3, "{transfers} {splits}");
}

#[test]
fn refusals_are_in_ynabs_envelope() {
    let ynab = small("");
    let plan = ynab.data("/plans")["plans"][0]["id"].as_str().unwrap().to_owned();
    let url = format!("{}/v1/user", ynab.server.url());
    for probe in [Probe::get(&url), Probe::get(&url).bearer("foreign")] {
        ynab.refused(&probe.send().unwrap(), 401, "401", "not_authorized");
    }
    ynab.refused(&ynab.get("/nothing"), 404, "404.1", "not_found");
    ynab.refused(&ynab.get("/plans/last-year/accounts"), 404, "404.2", "resource_not_found");
    for wrong in ["since_date=yesterday", "last_knowledge_of_server=much", "last_knowledge_of_server=1"] {
        ynab.refused(&ynab.get(&format!("/plans/{plan}/transactions?{wrong}")), 400, "400", "bad_request");
    }
    let write = Probe::post_form(format!("{}/v1/plans/{plan}/transactions", ynab.server.url()), "a=b");
    let reply = write.bearer(&ynab.simulator.token()).send().unwrap();
    ynab.refused(&reply, 403, "403.3", "unauthorized_scope");
    ynab.simulator.set_refusal(Some("403.1"));
    ynab.refused(&ynab.get("/user"), 403, "403.1", "subscription_lapsed");
}

#[test]
fn an_hour_of_calls_is_counted_back_from_each_moment_and_for_each_token() {
    let ynab = small("");
    ynab.simulator.set_limit(Some(3));
    for minute in [0, 20, 20] {
        ynab.clock.advance(Duration::from_secs(minute * 60));
        assert_eq!(ynab.get("/user").status, 200);
    }
    let reply = ynab.get("/user");
    ynab.refused(&reply, 429, "429", "too_many_requests");
    assert_eq!(reply.header("retry-after"), None, "YNAB names no time");
    let other = ynab.simulator.oauth().issue(&["read-only"], now()).access_token;
    let url = format!("{}/v1/user", ynab.server.url());
    assert_eq!(Probe::get(url).bearer(&other).send().unwrap().status, 200);
    // The first call is an hour old at one o'clock, the second twenty minutes later.
    ynab.clock.advance(Duration::from_secs(19 * 60 + 59));
    assert_eq!(ynab.get("/user").status, 429);
    ynab.clock.advance(Duration::from_secs(1));
    assert_eq!((ynab.get("/user").status, ynab.get("/user").status), (200, 429));
}

#[test]
fn two_years_look_like_a_life() {
    let ynab = ynab(&Setup::new(7, now()));
    let truth = ynab.simulator.truth();
    assert_eq!(truth, YnabSimulator::seeded(&Setup::new(7, now())).truth(), "the seed decides");
    assert_ne!(truth, YnabSimulator::seeded(&Setup::new(8, now())).truth());
    let count = |stream: &str| truth.iter().filter(|fact| fact.stream == stream).count();
    assert_eq!((count("transactions"), count("accounts"), count("categories")), (1_251, 7, 12));
    let records = truth.iter().filter(|fact| fact.stream == "transactions");
    let (mut spent, mut earned) = (0.0, 0.0);
    for record in records.flat_map(|fact| fact.records.as_ref().unwrap()) {
        let amount: f64 = record["body"]["amount"].as_str().unwrap().parse().unwrap();
        let day = record["day"].as_str().unwrap();
        assert!(("2024-11-20"..="2026-11-20").contains(&day), "{day}");
        if record["body"]["transfer"].is_null() {
            *if amount < 0.0 { &mut spent } else { &mut earned } += amount / 24.0;
        }
    }
    assert!(
        (-5_000.0..-1_500.0).contains(&spent) && (1_500.0..6_000.0).contains(&earned),
        "{spent} {earned}"
    );
}

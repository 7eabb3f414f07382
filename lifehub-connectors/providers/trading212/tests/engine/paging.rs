//! Histories: whole, by the provider's own paths, newest first, and no further back than they have to.

use lifehub_core::ErrorKind;
use lifehub_core::engine::RunStatus;
use lifehub_testkit::{Account as _, Change, Server, Setup, SimRequest, SimResponse, Simulator};
use lifehub_trading212::simulator::Trading212Simulator;
use serde_json::{Value, json};

use crate::rig::{ALL, DAY, HISTORIES, Rig, now, small};

/// A simulator below a path of the operator's own.
struct Below(&'static str, Trading212Simulator);

impl Simulator for Below {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let mut request = request.clone();
        match request.path.strip_prefix(self.0) {
            Some(path) => request.path = path.to_owned(),
            None => return SimResponse::empty(404),
        }
        self.1.handle(&request)
    }
}

/// A list of dividends in pages that are written by hand: each is answered to the path before it.
struct Written(Vec<(String, Value)>);

impl Simulator for Written {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let query: Vec<String> =
            request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let asked = format!("{}?{}", request.path, query.join("&"));
        match self.0.iter().find(|(path, _)| *path == asked) {
            Some((_, page)) => SimResponse::json(200, page),
            None => SimResponse::empty(400),
        }
    }
}

/// The first page of dividends holds some and leads there; what is behind it, if anything is, comes along.
fn written(next: Value, more: Option<(&str, Value)>) -> Rig {
    let first = (
        "/api/v0/equity/history/dividends?limit=50".to_owned(),
        json!({ "items": [dividend(1)], "nextPagePath": next }),
    );
    let more = more.map(|(path, page)| (path.to_owned(), page));
    let pages = [first].into_iter().chain(more).collect();
    Rig::behind(Trading212Simulator::seeded(&small("")), Written(pages))
}

fn dividend(number: u32) -> Value {
    json!({
        "reference": format!("reference-{number}"), "amount": 1.5, "currency": "EUR",
        "paidOn": format!("2026-11-{:02}T09:00:00Z", 18 - number),
    })
}

#[tokio::test]
async fn the_whole_next_page_path_is_followed() {
    let rig = Rig::new(&small(""));
    rig.sync(&HISTORIES).await;
    rig.equals_truth(&HISTORIES);
    let asked = rig.asked();
    assert_eq!(asked.len(), 15, "five pages of seven at most, three times");
    let first = |history: &str| format!("/api/v0/equity/history/{history}?limit=50");
    for (pages, history) in asked.chunks(5).zip(HISTORIES) {
        assert_eq!(pages[0], first(history));
        let parameters = |page: &String| {
            let query = page.strip_prefix(&format!("{}&", first(history))).unwrap();
            query.split('&').map(|pair| pair.split('=').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let known: &[&str] = if history == "transactions" { &["cursor", "time"] } else { &["cursor"] };
        assert!(pages[1..].iter().all(|page| parameters(page) == known), "{pages:?}");
    }
}

#[tokio::test]
async fn it_works_below_any_base_url() {
    let simulator = Trading212Simulator::seeded(&small(""));
    let mut rig = Rig::behind(simulator.clone(), Below("/brokers/t212", simulator));
    rig.operator["base_url"] = json!(format!("{}/brokers/t212", rig.server.url()));
    rig.sync(&[]).await;
    rig.equals_truth(&ALL);
    assert!(rig.asked().iter().all(|path| path.starts_with("/brokers/t212/api/v0/equity/")));
}

#[tokio::test]
async fn a_path_with_the_word_null_is_the_end() {
    let rig = Rig::new(&small(""));
    rig.simulator.set_null_text(true);
    rig.sync(&[]).await;
    rig.equals_truth(&ALL);
    for next in ["null", "/api/v0/equity/history/dividends?limit=50&cursor=null&time=null", ""] {
        let rig = written(json!(next), None);
        assert_eq!(rig.sync(&["dividends"]).await.inserted, 1, "{next:?}");
        assert_eq!(rig.server.request_count(), 1, "{next:?}");
    }
}

#[tokio::test]
async fn a_word_that_only_contains_null_is_no_end() {
    let path = "/api/v0/equity/history/dividends?limit=50&cursor=annulled";
    let rig = written(json!(path), Some((path, json!({ "items": [dividend(2)], "nextPagePath": null }))));
    assert_eq!(rig.sync(&["dividends"]).await.inserted, 2);
}

#[tokio::test]
async fn an_empty_page_is_the_end_wherever_it_leads() {
    let path = "/api/v0/equity/history/dividends?limit=50&cursor=5";
    let empty = json!({ "items": [], "nextPagePath": "/api/v0/equity/history/dividends?limit=50&cursor=4" });
    let rig = written(json!(path), Some((path, empty)));
    assert_eq!(rig.sync(&["dividends"]).await.inserted, 1);
    assert_eq!(rig.server.request_count(), 2);
}

#[tokio::test]
async fn an_absolute_link_is_followed_at_its_own_host_alone() {
    let rig = Rig::new(&small(""));
    rig.change(Change::LeadTo(Some(rig.server.url())));
    rig.sync(&[]).await;
    rig.equals_truth(&ALL);

    let elsewhere = Server::start(Trading212Simulator::seeded(&small(""))).unwrap();
    let foreign = elsewhere.url().replace("http:", "");
    for link in [format!("{}/api/v0/equity/history/dividends?cursor=5", elsewhere.url()), foreign] {
        let rig = written(json!(link), None);
        let report = rig.run(&["dividends"]).await;
        let error = Rig::error(&report, "dividends");
        assert_eq!(error.kind, ErrorKind::ForeignOrigin, "{link}: {error:?}");
        assert!(error.hint.is_some() && !error.message.contains("cursor"), "{error:?}");
        assert!(rig.stored("dividends").is_empty(), "no half of a list");
    }
    assert_eq!(elsewhere.request_count(), 0);
}

#[tokio::test]
async fn fills_of_one_order_are_several_items() {
    let rig = Rig::new(&small(""));
    let second = |fact: &lifehub_testkit::Fact| fact.id.as_deref() == Some("fill:7700000027");
    assert!(rig.simulator.truth().iter().any(second), "the ninth fill belongs to the eighth order");
    rig.sync(&["orders"]).await;
    let stored = rig.stored("orders");
    let (one, other) = (&stored["fill:7700000024"][0], &stored["fill:7700000027"][0]);
    assert_eq!(one["body"]["instrument"], other["body"]["instrument"]);
    assert_ne!(one["body"]["quantity"], other["body"]["quantity"]);
}

#[tokio::test]
async fn a_live_pass_reads_newest_first_until_thirty_days_are_passed() {
    let rig = Rig::new(&Setup::new(7, now()).page(10));
    rig.sync(&[]).await;
    let first = rig.paths();
    assert_eq!((first["orders"], first["positions"], first["summary"]), (42, 1, 1), "417 orders");
    rig.sync(&[]).await;
    let again = rig.paths();
    // 30 days have 17 orders, 4 dividends and 3 movements; the page that is older as a whole is the last.
    assert_eq!((again["orders"], again["dividends"], again["transactions"]), (3, 2, 2), "{again:?}");
    rig.equals_truth(&ALL);
}

#[tokio::test]
async fn what_changed_inside_the_look_back_is_found_at_once_and_older_things_by_a_full_pass() {
    let rig = Rig::new(&Setup::new(7, now()).page(10));
    rig.sync(&["orders"]).await;
    rig.change(Change::AddLate(25 * DAY));
    // Not every order was filled, and only trades give records.
    let edit = |from: usize| (from..from + 5).find(|position| rig.simulator.change(Change::Edit(*position)));
    assert!(edit(5).is_some());
    let counts = rig.sync(&["orders"]).await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (1, 1, 0));
    assert!(edit(100).is_some());
    assert_eq!(rig.sync(&["orders"]).await.updated, 0);
    let counts = rig.run_full().await.totals();
    assert_eq!((counts.updated, counts.deleted), (1, 0));
    rig.equals_truth(&ALL);
}

#[tokio::test]
async fn what_a_history_lacks_is_not_gone() {
    // The provider tells of no deletion, so that an answer without something says nothing.
    let mut rig = Rig::new(&small(""));
    rig.sync(&[]).await;
    let before = rig.stored("orders");
    let smaller = Trading212Simulator::seeded(&small("").items(3));
    rig.set_credentials(smaller.access("").credentials);
    let other = Server::start(smaller).unwrap();
    rig.operator["base_url"] = json!(other.url());
    let report = rig.run_full().await;
    let orders = report.streams.iter().find(|stream| stream.stream == "orders").unwrap();
    assert_eq!((orders.error.is_none(), orders.counts.deleted), (true, 0));
    assert!(before.keys().all(|id| rig.stored("orders").contains_key(id)));
}

#[tokio::test]
async fn a_path_that_is_refused_later_starts_the_list_again() {
    let rig = Rig::new(&small(""));
    let report = rig.run_at_most(&["transactions"], 2).await;
    assert_eq!(report.status, RunStatus::Incomplete);
    rig.change(Change::ExpireCursors);
    let counts = rig.sync(&["transactions"]).await;
    assert_eq!((counts.inserted, counts.deleted), (16, 0));
    rig.equals_truth(&["transactions"]);
}

#[tokio::test]
async fn a_path_that_is_refused_each_time_is_a_clear_error() {
    let rig = written(json!("/api/v0/equity/history/dividends?limit=50&cursor=5"), None);
    let report = rig.run(&["dividends"]).await;
    let error = Rig::error(&report, "dividends");
    assert_eq!(error.kind, ErrorKind::CursorExpired, "{error:?}");
    assert!(error.message.contains("where it led to earlier") && error.message.contains("400"), "{error:?}");
    assert!(error.hint.is_some());
    assert_eq!(rig.stored("dividends").len(), 1, "what was read is kept");
}

#[tokio::test]
async fn a_page_that_cannot_be_had_keeps_what_was_read_and_what_is_new() {
    let rig = Rig::new(&Setup::new(7, now()).page(8).stream("transactions"));
    rig.simulator.break_page(Some(("transactions", 8)));
    let report = rig.run(&[]).await;
    assert_eq!(Rig::failed(&report), ["transactions"]);
    assert_eq!(Rig::error(&report, "transactions").kind, ErrorKind::Unavailable);
    assert_eq!(rig.stored("transactions").len(), 8);
    // The page that was behind the eighth item is behind the ninth now.
    rig.change(Change::Add);
    rig.simulator.break_page(Some(("transactions", 9)));
    let report = rig.run(&[]).await;
    assert_eq!(Rig::failed(&report), ["transactions"], "it is not whole, and says so");
    let truth = rig.simulator.truth();
    let newest = truth.iter().rfind(|fact| fact.stream == "transactions").unwrap();
    let news = newest.id.as_ref().unwrap();
    assert!(rig.stored("transactions").contains_key(news), "what is new comes all the same");
    rig.simulator.break_page(None);
    rig.sync(&[]).await;
    rig.equals_truth(&ALL);
}

#[tokio::test]
async fn runs_of_any_length_lose_nothing() {
    for pages in [1, 3, 5] {
        let rig = Rig::new(&small(""));
        for _ in 0..60 / pages {
            rig.run_at_most(&[], pages).await;
        }
        rig.equals_truth(&ALL);
    }
}

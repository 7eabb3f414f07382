//! The simulated Rize over real HTTP, against what is known of the real one.
#![cfg(test)]
#![expect(clippy::disallowed_types, reason = "`tokio::test` builds a runtime")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::ErrorKind;
use lifehub_core::clock::{Day, ManualClock, Timestamp};
use lifehub_core::http::{AuthScheme, Http, ReqwestTransport, RetryPolicy, StaticCredentials};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_rize::simulator::{RizeSimulator, Window};
use lifehub_testkit::{Account, Change, Fault, FaultPlan, Server, Setup, Simulator};
use serde_json::{Value, json};

struct Rize {
    simulator: RizeSimulator,
    clock: Arc<ManualClock>,
    server: Server,
}

fn now() -> Timestamp {
    "2026-08-14T12:00:00Z".parse().unwrap()
}

fn rize(setup: &Setup) -> Rize {
    let simulator = RizeSimulator::seeded(setup);
    let clock = Arc::new(ManualClock::at(setup.now));
    let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
    Rize { simulator, clock, server }
}

const SESSIONS: &str = "query($from: ISO8601DateTime!, $to: ISO8601DateTime!) { sessions(startTime: $from, endTime: $to) \
    { id title description type source startTime endTime createdAt updatedAt projects { id name } tasks { id name } } }";
const DAYS: &str = "query($from: ISO8601Date!, $to: ISO8601Date!) \
    { summaries(startDate: $from, endDate: $to, bucketSize: \"day\") { startTime endTime bucketSize focusTime breakTime \
    meetingTime trackedTime workHours buckets { date wday startTime endTime focusTime breakTime meetingTime trackedTime \
    workHours } } }";

impl Rize {
    fn http(&self, key: &str) -> Http {
        let access = self.simulator.access(&self.server.url());
        let credentials = Credentials::none().with("api_key", Secret::new(key.to_owned()));
        Http::builder(Arc::new(ReqwestTransport::new().unwrap()), access.base_url.unwrap().parse().unwrap())
            .auth(AuthScheme::bearer("api_key"), Arc::new(StaticCredentials::new(credentials)))
            .clock(self.clock.clone())
            .retry(RetryPolicy::never())
            .build()
            .unwrap()
    }

    fn key(&self) -> String {
        let access = self.simulator.access("");
        access.credentials.get("api_key").unwrap().expose().to_owned()
    }

    /// The whole answer, which has status 200.
    async fn ask(&self, query: &str, variables: Value) -> Value {
        let call = self.http(&self.key()).post("/graphql");
        call.json_body(&json!({ "query": query, "variables": variables })).json().await.unwrap()
    }

    async fn sessions(&self, from: &str, to: &str) -> Vec<Value> {
        let mut answer = self.ask(SESSIONS, json!({ "from": from, "to": to })).await;
        answer["data"]["sessions"].as_array_mut().unwrap().drain(..).collect()
    }

    async fn days(&self, from: &str, to: &str) -> Value {
        self.ask(DAYS, json!({ "from": from, "to": to })).await["data"]["summaries"].take()
    }
}

fn members(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(' ').collect()
}

#[tokio::test]
async fn answers_are_of_the_form_that_clients_have_seen() {
    let rize = rize(&Setup::new(7, now()).days(20).items(40));
    let user = rize.ask("{ currentUser { email name createdAt updatedAt } }", json!({})).await;
    assert_eq!(members(&user["data"]["currentUser"]), words("email name createdAt updatedAt"));

    let sessions = rize.sessions("2026-07-01T00:00:00Z", "2026-09-30T00:00:00Z").await;
    assert_eq!(sessions.len(), 43, "the planned ones too");
    for session in &sessions {
        let expected =
            "id title description type source startTime endTime createdAt updatedAt projects tasks";
        assert_eq!(members(session), words(expected));
        assert!(session["id"].as_str().unwrap().parse::<u64>().is_ok(), "{session}");
        assert!(["focus", "meeting", "break"].contains(&session["type"].as_str().unwrap()), "{session}");
        assert!(session["startTime"].as_str().unwrap().ends_with('Z'), "{session}");
    }

    let summary = rize.days("2026-08-13", "2026-08-14").await;
    assert_eq!(
        (&summary["startTime"], &summary["endTime"]),
        (&json!("2026-08-12T22:00:00Z"), &json!("2026-08-14T21:59:59Z"))
    );
    let [first, second] = summary["buckets"].as_array().unwrap().as_slice() else { panic!("{summary}") };
    assert_eq!((&first["date"], &first["wday"]), (&json!("2026-08-13"), &json!(4)));
    assert_eq!(
        (&first["startTime"], &first["endTime"]),
        (&json!("2026-08-12T22:00:00Z"), &json!("2026-08-13T21:59:59Z"))
    );
    for name in ["focusTime", "breakTime", "meetingTime", "trackedTime", "workHours"] {
        let (one, other) = (first[name].as_i64().unwrap(), second[name].as_i64().unwrap());
        assert_eq!(summary[name], one + other, "{name}");
        assert!(one <= first["trackedTime"].as_i64().unwrap(), "{first}");
    }
}

#[tokio::test]
async fn questions_are_checked_as_graphql_checks_them() {
    let rize = rize(&Setup::new(7, now()).days(20).items(4));
    let days = json!({ "from": "2026-08-13", "to": "2026-08-14" });
    let refused = async |query: &str, variables: Value, code: Value| {
        let answer = rize.ask(query, variables).await;
        assert_eq!(members(&answer), words("errors"), "there is no `data`: {answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{query}: {answer}");
        answer["errors"][0].clone()
    };
    refused("{ currentUser { id } }", json!({}), json!("undefinedField")).await;
    refused("{ currentUser }", json!({}), json!("selectionMismatch")).await;
    refused("{ currentUser { email { text } } }", json!({}), json!("selectionMismatch")).await;
    refused("{ me { email } }", json!({}), json!("undefinedField")).await;
    refused("{ currentUser { email }", json!({}), json!(null)).await;
    refused("mutation { currentUser { email } }", json!({}), json!(null)).await;
    refused(&SESSIONS.replace("title", "sessionType"), days.clone(), json!("undefinedField")).await;
    refused(
        &SESSIONS.replace("startTime: $from", "since: $from"),
        days.clone(),
        json!("argumentNotAccepted"),
    )
    .await;
    refused(&DAYS.replace("endDate: $to", ""), days.clone(), json!("missingRequiredArguments")).await;
    refused(&DAYS.replace("Date!, $to", "Date, $to"), days.clone(), json!("variableMismatch")).await;
    refused(&DAYS.replace("$to: ISO8601Date!", "$too: ISO8601Date!"), days, json!("variableNotDefined"))
        .await;
    let null = refused(DAYS, json!({ "from": "2026-08-13" }), json!(null)).await;
    assert_eq!(
        null,
        json!({ "message": "Variable $to of type ISO8601Date! was provided invalid value",
            "locations": [{ "line": 1, "column": 1 }],
            "extensions": { "value": null, "problems": [{ "path": [], "explanation": "Expected value to not be null" }] } })
    );
    refused(DAYS, json!({ "from": "2026-08-13", "to": "tomorrow" }), json!(null)).await;
    // What clients send as a nullable variable is taken for a nullable argument.
    let query = SESSIONS.replace("DateTime!", "DateTime");
    let answer = rize.ask(&query, json!({ "from": "2026-08-01T00:00:00+02:00", "to": null })).await;
    assert!(answer["data"]["sessions"].is_array(), "{answer}");
    // Aliases and selections shape the answer.
    let answer = rize
        .ask("query Who { me: currentUser { mail: email } other: currentUser { name } }", json!({}))
        .await;
    let expected = json!({ "data": { "me": { "mail": "Sample.User@example.com" }, "other": { "name": "Sample User" } } });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_window_has_what_it_touches_or_what_begins_or_lies_in_it() {
    let rize = rize(&Setup::new(7, now()).days(20).items(40));
    let all = rize.sessions("2026-07-01T00:00:00Z", "2026-08-14T12:00:00Z").await;
    assert!(all.windows(2).all(|pair| pair[0]["startTime"].as_str() >= pair[1]["startTime"].as_str()));
    let session = &all[20];
    let start: Timestamp = session["startTime"].as_str().unwrap().parse().unwrap();
    let inside = (start + Duration::from_secs(1)).to_string();
    let has = async |from: &str, to: &str| {
        let found = rize.sessions(from, to).await;
        found.iter().any(|other| other["id"] == session["id"])
    };
    let (before, start, after) = ("2026-07-01T00:00:00Z", start.to_string(), "2026-08-14T12:00:00Z");
    for (window, from_inside, to_inside) in
        [(Window::Overlapping, true, true), (Window::Beginning, false, true), (Window::Whole, false, false)]
    {
        rize.simulator.set_window(window);
        assert!(has(&start, after).await, "{window:?}");
        assert_eq!(
            (has(&inside, after).await, has(before, &inside).await),
            (from_inside, to_inside),
            "{window:?}"
        );
    }
}

#[tokio::test]
async fn keys_plans_paces_and_faults_are_refused_in_one_form() {
    let rize = rize(&Setup::new(7, now()).days(20).items(4));
    let kind = async |key: &str| {
        let call = rize.http(key).post("/graphql").json_body(&json!({ "query": "{ currentUser { name } }" }));
        call.send().await.err().map(|error| error.kind())
    };
    let good = rize.key();
    assert_eq!((kind(&good).await, kind("foreign").await), (None, Some(ErrorKind::Unauthorized)));
    rize.simulator.refuse(Some(403));
    assert_eq!(
        (kind(&good).await, kind("foreign").await),
        (Some(ErrorKind::Forbidden), Some(ErrorKind::Unauthorized))
    );
    rize.simulator.refuse(None);
    rize.simulator.set_pace(Some(Duration::from_millis(500)));
    rize.clock.advance(Duration::from_millis(499));
    assert_eq!(kind(&good).await, Some(ErrorKind::Throttled));
    rize.clock.advance(Duration::from_millis(500));
    assert_eq!(kind(&good).await, None);
    rize.simulator.set_pace(None);
    rize.simulator.set_key(None);
    assert_eq!(kind(&good).await, Some(ErrorKind::Unauthorized));
    rize.simulator.set_key(Some(&good));
    for fault in Fault::EACH {
        rize.server.set_faults(FaultPlan::none().at(1, fault));
        let call = rize.http(&good).graphql("/graphql", "{ currentUser { name } }", &json!({}));
        let delayed = matches!(fault, Fault::Delay(_));
        assert_eq!(call.json::<Value>().await.is_ok(), delayed, "{fault:?}");
    }
    let refusal: Value = serde_json::from_slice(&rize.simulator.refusal(401).body).unwrap();
    assert_eq!(refusal, json!({ "errors": [{ "message": "Unauthorized" }] }));
}

#[tokio::test]
async fn the_truth_is_what_it_answers() {
    for stream in ["sessions", "daily_summary"] {
        let rize = rize(&Setup::new(7, now()).days(20).items(40).stream(stream));
        let changes =
            [Change::Edit(1), Change::Poison(2), Change::TakeId(4), Change::Delete { from: 5, count: 2 }];
        assert!(changes.into_iter().all(|change| rize.simulator.change(change)));
        let sessions = rize.sessions("2026-07-01T00:00:00Z", "2026-08-14T12:00:00Z").await;
        let days = rize.days("2026-07-20", "2026-08-14").await["buckets"].take();
        let tracked = days.as_array().unwrap().iter().filter(|day| day["trackedTime"] != 0);
        let answered =
            sessions.iter().map(|item| item["id"].as_str()).chain(tracked.map(|day| day["date"].as_str()));
        let truth = rize.simulator.truth();
        let told: BTreeSet<_> = truth.iter().map(|fact| fact.id.as_deref()).collect();
        assert_eq!(answered.collect::<BTreeSet<_>>(), told);
        assert_eq!(truth.iter().filter(|fact| fact.records.is_none()).count(), 2, "{stream}");
        assert!(rize.simulator.change(Change::Heal));
        assert!(rize.simulator.truth().iter().all(|fact| fact.records.is_some()));
        for unknown in
            [Change::ExpireCursors, Change::Stale(true), Change::Edit(5_000), Change::Withhold(None)]
        {
            assert!(!rize.simulator.change(unknown.clone()), "{unknown:?}");
        }
        assert_eq!(rize.simulator.change(Change::Add), stream == "sessions");
    }
}

#[test]
fn two_years_look_like_a_life() {
    let truth = |seed| RizeSimulator::seeded(&Setup::new(seed, now())).truth();
    assert_eq!(truth(7), truth(7));
    assert_ne!(truth(7), truth(8));
    let facts = truth(7);
    let days = |stream: &str| -> Vec<i32> {
        let facts = facts.iter().filter(|fact| fact.stream == stream);
        let day = |fact: &lifehub_testkit::Fact| {
            let record = &fact.records.as_ref().unwrap()[0];
            let text = record["day"].as_str().or(record["start"].as_str()).unwrap();
            text[..10].parse::<Day>().unwrap().as_number()
        };
        facts.map(day).collect()
    };
    let (sessions, summaries) = (days("sessions"), days("daily_summary"));
    assert!((900..1_500).contains(&sessions.len()), "{}", sessions.len());
    assert!((450..650).contains(&summaries.len()), "{}", summaries.len());
    // 1970-01-01 was a Thursday.
    assert!(sessions.iter().all(|day| (day + 3).rem_euclid(7) < 5), "nobody plans a weekend");
    assert!(
        summaries.iter().any(|day| (day + 3).rem_euclid(7) >= 5),
        "which does not keep all from the screen"
    );
    let longest = sessions.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!((14..20).contains(&longest), "a holiday of {longest} days");
}

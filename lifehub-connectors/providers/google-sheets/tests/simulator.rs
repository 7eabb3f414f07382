//! The simulated Google over real HTTP, against what its documentation says.
#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::clock::{ManualClock, Timestamp};
use lifehub_core::record::Digest;
use lifehub_google_sheets::simulator::{GoogleSheetsSimulator, Limits, Sharing};
use lifehub_testkit::{Account, Change, Fault, FaultPlan, Probe, Reply, Server, Setup};
use serde_json::{Value, json};

const PLAIN: &str =
    "majorDimension=ROWS&valueRenderOption=UNFORMATTED_VALUE&dateTimeRenderOption=SERIAL_NUMBER";

struct Google {
    simulator: GoogleSheetsSimulator,
    clock: Arc<ManualClock>,
    server: Server,
    token: String,
}

fn now() -> Timestamp {
    "2026-08-10T12:07:00Z".parse().unwrap()
}

fn google(setup: &Setup) -> Google {
    let simulator = GoogleSheetsSimulator::seeded(setup);
    let clock = Arc::new(ManualClock::at(now()));
    let server = Server::builder().clock(clock.clone()).start(simulator.clone()).unwrap();
    let token = simulator.access("").credentials.get("access_token").unwrap().expose().to_owned();
    Google { simulator, clock, server, token }
}

fn small() -> Google {
    google(&Setup::new(7, now()).items(40))
}

impl Google {
    /// A GET below the spreadsheet.
    fn get(&self, path: &str) -> Reply {
        let url = format!("{}/v4/spreadsheets/{}{path}", self.server.url(), self.simulator.spreadsheet());
        Probe::get(url).bearer(&self.token).send().unwrap()
    }

    fn ok(&self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
        reply.json().unwrap()
    }

    fn values(&self, range: &str) -> Value {
        self.ok(&format!("/values/{range}?{PLAIN}"))
    }

    #[track_caller]
    fn refused(&self, path: &str, code: u16, status: &str) -> Value {
        let reply = self.get(path);
        let error = reply.json().unwrap()["error"].clone();
        let told = (reply.status, error["code"].as_u64(), error["status"].as_str());
        assert_eq!(told, (code, Some(code.into()), Some(status)), "{path}: {error}");
        assert!(error.get("errors").is_none(), "the newer envelope has no list");
        error
    }
}

/// The cells of the documentation's example.
fn log() -> Value {
    json!([
        ["Date", "Weight kg", "Note", "Measured at"],
        [46235, 71.4, "after run", 46235.302083333336],
        [46236, 71.2],
        [46237, "", "no scale"],
        [],
        [46239, "#N/A", "formula broke", 46239.3125],
        [null, null],
    ])
}

#[test]
fn rows_are_ragged_and_without_their_empty_ends() {
    let google = small();
    google.simulator.write("Log", &log());
    let answer = google.values("Log!A1:D1000");
    let mut expected = log();
    expected.as_array_mut().unwrap().pop();
    assert_eq!(answer, json!({ "range": "Log!A1:D1000", "majorDimension": "ROWS", "values": expected }));

    // Several ranges at once, one of which is empty: it has no values.
    google.simulator.write("Habits 2026", &json!([]));
    let batch =
        google.ok(&format!("/values:batchGet?ranges=Log!B2:B3&ranges='Habits%202026'!A1:L500&{PLAIN}"));
    assert_eq!(
        batch,
        json!({
            "spreadsheetId": google.simulator.spreadsheet(),
            "valueRanges": [
                { "range": "Log!B2:B3", "majorDimension": "ROWS", "values": [[71.4], [71.2]] },
                { "range": "'Habits 2026'!A1:L500", "majorDimension": "ROWS" },
            ],
        })
    );
}

#[test]
fn without_options_everything_is_a_text_of_the_locale() {
    let google = small();
    let plain = google.values("Weight!B2:F3")["values"].clone();
    let texts = google.ok("/values/Weight!B2:F3")["values"].clone();
    assert!(plain[0][0].is_i64() && plain[0][1].is_f64());
    let day = texts[0][0].as_str().unwrap();
    assert!(day.len() == 10 && day.as_bytes()[2] == b'/', "{day}");
    assert_eq!(texts[0][1].as_str().unwrap().replace(',', "."), plain[0][1].to_string());
    assert_eq!(
        google.ok("/values/'Habits%20''26'!E3")["values"][0][0].as_str().map(str::to_lowercase).unwrap(),
        google.values("'Habits%20''26'!E3")["values"][0][0].to_string()
    );
    // Dates alone may be texts; with texts for everything the other option is not looked at.
    let dates = "valueRenderOption=UNFORMATTED_VALUE&dateTimeRenderOption=FORMATTED_STRING";
    let mixed = google.ok(&format!("/values/Weight!B2:C2?{dates}"))["values"][0].clone();
    assert_eq!(mixed, json!([day, plain[0][1]]));
    assert_eq!(google.ok("/values/Weight!B2?dateTimeRenderOption=SERIAL_NUMBER")["values"][0][0], day);
    google.refused("/values/Weight!B2?valueRenderOption=PRETTY", 400, "INVALID_ARGUMENT");
}

#[test]
fn ranges_are_read_in_a1_notation_and_clipped_to_the_grid() {
    let google = small();
    for title in ["A1", "It's", "plain_1", "with space", "x!y"] {
        google.simulator.write(title, &json!([["a", "b"], ["c", "d"], ["e", "f"]]));
    }
    let check = |range: &str, echo: &str, first: &str| {
        let answer = google.ok(&format!("/values:batchGet?ranges={range}&{PLAIN}"))["valueRanges"][0].clone();
        assert_eq!(
            (answer["range"].as_str(), answer["values"][0][0].as_str()),
            (Some(echo), Some(first)),
            "{range}"
        );
    };
    check("plain_1", "plain_1!A1:Z1000", "a");
    check("'plain_1'", "plain_1!A1:Z1000", "a");
    check("plain_1!B:B", "plain_1!B1:B1000", "b");
    check("plain_1!A2:B", "plain_1!A2:B1000", "c");
    check("plain_1!2:3", "plain_1!A2:Z3", "c");
    check("plain_1!B3", "plain_1!B3:B3", "f");
    check("plain_1!a2:zz9999", "plain_1!A2:Z1000", "c");
    check("'A1'!A1:B2", "'A1'!A1:B2", "a");
    check("'It''s'!A3:B", "'It''s'!A3:B1000", "e");
    check("with+space!A2", "'with space'!A2:A2", "c");
    check("'x!y'!B2", "'x!y'!B2:B2", "d");
    check("B1:B2", "Weight!B1:B2", "Date");

    let error = google.refused("/values/Wieght!A1:D", 400, "INVALID_ARGUMENT");
    assert_eq!(error["message"], "Unable to parse range: Wieght!A1:D");
    for range in
        ["plain_1!", "plain_1!A0", "plain_1!A:B:C", "'plain_1", "plain_1!R1C1", "'plain_1'x", "Chart!A1"]
    {
        let error = google.refused(&format!("/values/{range}"), 400, "INVALID_ARGUMENT");
        assert!(error["message"].as_str().unwrap().starts_with("Unable to parse range: "), "{error}");
    }
    let error = google.refused("/values/plain_1!AA1:AB2", 400, "INVALID_ARGUMENT");
    assert!(error["message"].as_str().unwrap().contains("exceeds grid limits"), "{error}");
}

#[test]
fn the_structure_is_masked() {
    let google = small();
    let whole = google.ok("");
    assert_eq!(
        whole["properties"],
        json!({ "title": "Life log", "locale": "it_IT", "timeZone": "Europe/Rome" })
    );
    let first = &whole["sheets"][0]["properties"];
    assert_eq!(
        (&first["sheetId"], &first["title"], &first["sheetType"]),
        (&json!(0), &json!("Weight"), &json!("GRID"))
    );
    assert!(first["gridProperties"]["rowCount"].as_u64().unwrap() >= 1_000);
    let fields = "spreadsheetId,properties(title,timeZone),sheets.properties(sheetId,title)";
    let masked = google.ok(&format!("?fields={fields}"));
    assert_eq!(masked["properties"], json!({ "title": "Life log", "timeZone": "Europe/Rome" }));
    assert_eq!(
        masked["sheets"][1],
        json!({ "properties": { "sheetId": 1_730_455_512, "title": "Expenses" } })
    );
    assert_eq!(
        google.ok("?fields=sheets.properties.title")["sheets"][0],
        json!({ "properties": { "title": "Weight" } })
    );
    assert_eq!(google.ok("?fields=sheets.properties")["sheets"], whole["sheets"]);
    google.refused("?fields=sheets(", 400, "INVALID_ARGUMENT");
    google.refused("?fields=,", 400, "INVALID_ARGUMENT");
}

#[test]
fn refusals_are_in_googles_newer_envelope() {
    let google = small();
    let cells = "/values/Weight!A1:B2";
    for (sharing, code, status) in [
        (Sharing::Unshared, 403, "PERMISSION_DENIED"),
        (Sharing::Gone, 404, "NOT_FOUND"),
        (Sharing::Office, 400, "FAILED_PRECONDITION"),
        (Sharing::Folder, 400, "INVALID_ARGUMENT"),
    ] {
        google.simulator.set_sharing(sharing);
        google.refused("", code, status);
        google.refused(cells, code, status);
    }
    google.simulator.set_sharing(Sharing::Readable);
    google.simulator.set_enabled(false);
    assert_eq!(google.refused("", 403, "PERMISSION_DENIED")["details"][0]["reason"], "SERVICE_DISABLED");
    google.simulator.set_enabled(true);
    assert_eq!(google.ok("/values/Weight!A1")["values"], json!([["Id"]]));
    google.refused("/nothing", 404, "NOT_FOUND");

    let url = format!("{}/v4/spreadsheets/{}", google.server.url(), google.simulator.spreadsheet());
    let status = |probe: Probe| {
        let reply = probe.send().unwrap();
        (reply.status, reply.json().unwrap()["error"]["status"].as_str().unwrap().to_owned())
    };
    assert_eq!(status(Probe::get(&url).bearer("foreign")), (401, "UNAUTHENTICATED".into()));
    assert_eq!(status(Probe::get(&url)), (403, "PERMISSION_DENIED".into()), "no header at all");
    let other = url.replace("1Simulated", "2Simulated");
    assert_eq!(status(Probe::get(other).bearer(&google.token)), (404, "NOT_FOUND".into()));
    for fault in Fault::EACH {
        google.server.set_faults(FaultPlan::none().at(1, fault));
        let reply = Probe::get(&url).bearer(&google.token).send();
        let good = reply.is_ok_and(|reply| reply.json().is_ok_and(|body| body["sheets"].is_array()));
        assert_eq!(good, matches!(fault, Fault::Delay(_)), "{fault:?}");
    }
}

#[test]
fn scopes_open_cells_and_the_person() {
    let google = small();
    let readonly = "https://www.googleapis.com/auth/spreadsheets.readonly";
    let issue = |scopes: &[&str]| google.simulator.oauth().issue(scopes, now()).access_token;
    let sheet = format!("/v4/spreadsheets/{}", google.simulator.spreadsheet());
    let ask = |token: &str, path: &str| {
        Probe::get(format!("{}{path}", google.server.url())).bearer(token).send().unwrap()
    };
    let (person, cells) = (issue(&["openid"]), issue(&[readonly]));
    assert_eq!(ask(&person, "/v1/userinfo").json().unwrap()["sub"], GoogleSheetsSimulator::PERSON);
    let refused = ask(&person, &sheet).json().unwrap()["error"].clone();
    assert_eq!(
        (&refused["code"], &refused["details"][0]["reason"]),
        (&json!(403), &json!("ACCESS_TOKEN_SCOPE_INSUFFICIENT"))
    );
    assert_eq!(ask(&cells, &sheet).status, 200);
    assert_eq!(ask(&cells, "/v1/userinfo").status, 401);
    google.clock.advance(Duration::from_secs(3_599));
    assert_eq!(ask(&cells, &sheet).status, 401, "an hour is over");
}

#[test]
fn limits_slide_over_a_minute() {
    let google = small();
    google.simulator.set_limits(Some(Limits::new(3, 300)));
    for _ in 0..3 {
        google.ok("");
        google.clock.advance(Duration::from_secs(10));
    }
    let reply = google.get("");
    assert_eq!((reply.status, reply.header("retry-after")), (429, None), "Google promises none");
    let error = reply.json().unwrap()["error"].clone();
    assert_eq!(error["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(error["details"][0]["metadata"]["quota_limit"], "ReadRequestsPerMinutePerUser");
    assert_eq!(error["details"][0]["metadata"]["quota_limit_value"], "3");
    google.clock.advance(Duration::from_secs(30));
    google.ok("");
    assert_eq!(google.get("").status, 429, "the second one is not a minute old");
    google.simulator.set_limits(Some(Limits::new(60, 1)));
    google.ok("");
    let error = google.get("").json().unwrap()["error"].clone();
    assert_eq!(error["details"][0]["metadata"]["quota_limit"], "ReadRequestsPerMinutePerProject");
}

/// The rows of a range as a plain client reads them: by header, with their place.
fn rows(google: &Google, range: &str, header: usize) -> Vec<BTreeMap<String, Value>> {
    let values = google.values(range)["values"].as_array().unwrap().clone();
    let titles = values[header - 1].as_array().unwrap().clone();
    let row = |cells: &Value| {
        let cells = titles.iter().zip(cells.as_array().unwrap());
        let filled = cells.filter(|(title, value)| **title != "" && **value != "");
        filled
            .map(|(title, value)| (title.as_str().unwrap().to_owned(), value.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    let rows = values[header..].iter().map(row);
    rows.filter(|row| row.values().any(|value| *value != json!(false))).collect()
}

/// The ids of rows that are known by these texts: each with its number among its equals.
fn numbered(texts: impl Iterator<Item = String>) -> Vec<Option<String>> {
    let mut seen = BTreeMap::new();
    let numbered = texts.map(|text| {
        let nth = seen.entry(text.clone()).or_insert(0);
        *nth += 1;
        Some(format!("{text}#{nth}"))
    });
    numbered.collect()
}

#[test]
fn the_truth_is_what_a_plain_client_reads() {
    let google = google(&Setup::new(5, now()));
    let truth = google.simulator.truth();
    let of = |range: &'static str| truth.iter().filter(move |fact| fact.partition == range);
    let ids = |range: &'static str| of(range).map(|fact| fact.id.clone()).collect::<Vec<_>>();

    let mut weight = rows(&google, "Weight!A:F", 1);
    let all = weight.len();
    weight.retain(|row| row.contains_key("Weight kg") || row.contains_key("Body fat"));
    assert!(all > weight.len() + 10, "{} of {all} rows say something", weight.len());
    assert_eq!(ids("weight"), numbered(weight.iter().map(|row| row["Id"].as_str().unwrap().to_owned())));
    let expenses = rows(&google, "Expenses", 3);
    let digest = |row: &BTreeMap<String, Value>| {
        let members = [
            ("category", "Category"),
            ("currency", "Currency"),
            ("memo", "Note"),
            ("payee", "Shop"),
            ("spent", "Amount"),
        ];
        let cells =
            members.into_iter().filter_map(|(member, header)| Some((member, row.get(header)?.clone())));
        let mut cells: BTreeMap<&str, Value> = cells.collect();
        cells.entry("currency").or_insert(json!("EUR"));
        let cells = serde_json::to_string(&cells).unwrap();
        let content = format!("{{\"date\":{},\"as\":{{\"transaction\":{cells}}}}}", row["Date"]);
        Digest::of_bytes(content.as_bytes()).to_hex()
    };
    assert_eq!(ids("expenses"), numbered(expenses.iter().map(digest)));
    let habits = rows(&google, "'Habits%20''26'!B2:F", 1);
    assert_eq!(ids("habits"), numbered(habits.iter().map(|row| row["Date"].to_string())));
    assert!([&weight, &expenses, &habits].iter().all(|rows| (500..1_100).contains(&rows.len())));

    let twice = ids("expenses").iter().flatten().filter(|id| id.ends_with("#2")).count();
    assert!(twice > 20, "{twice} rows are there twice");
    let failed = expenses.iter().filter(|row| row.get("Category") == Some(&json!("#N/A"))).count();
    assert!(failed > 10, "{failed} categories were not found");
    for (row, fact) in weight.iter().zip(of("weight")) {
        for record in fact.records.iter().flatten() {
            let serial = row.get("Measured at").unwrap_or(&row["Date"]).as_f64().unwrap();
            let second = ((serial - 25_569.0) * 86_400.0).round() as i64;
            let wall = lifehub_testkit::date_time(second);
            let when = record["start"].as_str().or(record["day"].as_str()).unwrap();
            assert!(wall.starts_with(&when[..when.len().min(19)]), "{wall} {when}");
        }
    }
    let money: Vec<&str> = of("expenses")
        .map(|fact| fact.records.as_ref().unwrap()[0]["body"]["amount"].as_str().unwrap())
        .collect();
    for (row, amount) in expenses.iter().zip(&money) {
        assert!((row["Amount"].as_f64().unwrap() + amount.parse::<f64>().unwrap()).abs() < 1e-9);
    }
    assert!(money.iter().any(|amount| !amount.starts_with('-')), "something was brought back");
    assert_eq!(truth, GoogleSheetsSimulator::seeded(&Setup::new(5, now())).truth(), "the seed decides");
    assert_ne!(truth, GoogleSheetsSimulator::seeded(&Setup::new(6, now())).truth());
}

#[test]
fn changes_happen_to_the_weight() {
    let google = google(&Setup::new(9, now()).items(60).ties(10));
    let before = google.simulator.truth();
    assert_eq!(before.len(), 60);
    let changes = |change: Change| {
        assert!(google.simulator.change(change.clone()), "{change:?}");
        google.simulator.truth()
    };
    assert_eq!(changes(Change::Add).len(), 61);
    assert_eq!(changes(Change::Delete { from: 0, count: 1 }), before);
    let edited = changes(Change::Edit(2));
    assert_eq!(edited.iter().zip(&before).filter(|(new, old)| new != old).count(), 1);
    let poisoned = changes(Change::Poison(1));
    let broken = poisoned.iter().find(|fact| fact.records.is_none()).unwrap();
    assert!(broken.id.is_some() && broken.partition == "weight");
    assert!(rows(&google, "Weight!A:F", 1).iter().any(|row| row.get("Weight kg") == Some(&json!("#N/A"))));
    let nameless = changes(Change::TakeId(4));
    assert_eq!(nameless.iter().filter(|fact| fact.id.is_none() && fact.records.is_none()).count(), 1);
    assert!(rows(&google, "Weight!A:F", 1).iter().any(|row| !row.contains_key("Id")));
    assert_eq!(changes(Change::Heal), edited);
    for unknown in [
        Change::Stale(true),
        Change::LeadTo(Some("http://127.0.0.1:9".to_owned())),
        Change::ExpireCursors,
        Change::EmptyPages(true),
        Change::Edit(60),
        Change::Delete { from: 50, count: 9 },
    ] {
        assert!(!google.simulator.change(unknown.clone()), "{unknown:?}");
    }
    assert_eq!(google.simulator.truth(), edited);
}

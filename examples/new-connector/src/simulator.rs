//! A simulated Timebook, written from its documentation and not from the connector, so that it catches the connector's
//! errors.
//!
//! `GET /v1/me`; `GET /v1/entries?since=INSTANT&page=N`: entries that began at `since` or later, newest first, at most
//! 100 a page, with an absolute link to the next page, which may be refused with 410 after a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lifehub_core::clock::{Timestamp, Zone};
use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Access, Account, Change, Fact, Seeded, Setup, SimRequest, SimResponse, Simulator};
use serde_json::{Value, json};

const DAY_S: i64 = 86_400;
const PAGE: usize = 100;
const ZONES: [&str; 3] = ["Europe/Lisbon", "America/Bogota", "Asia/Kolkata"];
const KINDS: [(&str, &str); 3] = [("work", "focus"), ("meeting", "meeting"), ("pause", "break")];

/// Makes the account of a setup.
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(TimebookSimulator::seeded(setup))
}

/// A made-up Timebook account.
#[derive(Debug)]
pub struct TimebookSimulator {
    token: String,
    page: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    now: Timestamp,
    /// Newest first.
    entries: Vec<Entry>,
    next_id: i64,
    /// The list as it was before the latest change, for a copy that lags behind.
    before: Vec<Entry>,
    stale: bool,
    lead_to: Option<String>,
    empty_pages: bool,
    /// Whether the token may read entries.
    permitted: bool,
    /// Links of an older session are refused.
    session: u32,
}

#[derive(Debug, Clone)]
struct Entry {
    id: i64,
    start_s: i64,
    minutes: u32,
    title: String,
    zone: &'static str,
    kind: (&'static str, &'static str),
    version: u64,
    poisoned: bool,
    nameless: bool,
}

impl Entry {
    fn json(&self) -> Value {
        let mut entry = json!({
            "id": self.id, "version": self.version, "title": self.title, "project": "Sample", "kind": self.kind.0,
            "started_at": Timestamp::from_seconds(self.start_s), "zone": self.zone, "minutes": self.minutes,
        });
        if self.poisoned {
            entry["minutes"] = json!("a while");
        }
        if self.nameless {
            entry["id"] = Value::Null;
        }
        entry
    }

    fn fact(&self) -> Fact {
        let start = Timestamp::from_seconds(self.start_s);
        let end = start + Duration::from_secs(60 * u64::from(self.minutes));
        let mut record = json!({
            "dataset": "focus",
            "zone": self.zone,
            "body": { "title": self.title, "project": "Sample", "kind": self.kind.1 },
        });
        if let Ok(zone) = self.zone.parse::<Zone>() {
            record["start"] = json!(start.with_offset(zone.offset_at(start)));
            record["end"] = json!(end.with_offset(zone.offset_at(end)));
            record["day"] = json!(zone.day_at(start));
        }
        let mut fact = Fact::new("entries", self.id, vec![record]);
        fact.records = fact.records.filter(|_| !self.poisoned && !self.nameless);
        fact.id = fact.id.filter(|_| !self.nameless);
        fact
    }
}

impl TimebookSimulator {
    /// Two years of entries, about one and a half a working day.
    pub fn seeded(setup: &Setup) -> Self {
        let mut dice = Seeded::new(setup.seed);
        let count = setup.items.unwrap_or(780);
        let mut state = State {
            now: setup.now,
            entries: Vec::with_capacity(count),
            next_id: 1,
            before: Vec::new(),
            stale: false,
            lead_to: None,
            empty_pages: false,
            permitted: true,
            session: 1,
        };
        let now_s = setup.now.as_seconds();
        let step_s = i64::from(setup.days) * DAY_S / count.max(1) as i64;
        let tie_s = now_s - step_s * (count / 2) as i64;
        let first_tie = (count.saturating_sub(setup.ties)) / 2;
        for place in 0..count {
            let is_tie = place >= first_tie && place < first_tie + setup.ties;
            let start_s = now_s - step_s * (count - place) as i64 + dice.whole(0, step_s / 2);
            state.add(if is_tie { tie_s } else { start_s }, &mut dice);
        }
        state.sort();
        let token = format!("timebook-access-{:016x}", setup.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self { token, page: setup.page.unwrap_or(PAGE).min(PAGE), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self, request: &SimRequest) -> SimResponse {
        let state = self.state();
        if !state.permitted {
            return refusal(403, "the token lacks entries:read");
        }
        let page: usize = request.query("page").and_then(|page| page.parse().ok()).unwrap_or(1);
        let session = request.query("session").map_or(Some(state.session), |session| session.parse().ok());
        if session != Some(state.session) {
            return refusal(410, "this link is too old");
        }
        let since = match request.query("since").map(str::parse::<Timestamp>) {
            None => None,
            Some(Ok(since)) => Some(since),
            Some(Err(_)) => return refusal(400, "`since` is no instant"),
        };
        let listed = if state.stale { &state.before } else { &state.entries };
        let listed: Vec<&Entry> = listed
            .iter()
            .filter(|entry| since.is_none_or(|since| Timestamp::from_seconds(entry.start_s) >= since))
            .collect();
        // Every other page is empty, if pages are to be.
        let (full, size) = match state.empty_pages {
            true => (page.div_ceil(2), if page % 2 == 1 { 0 } else { self.page }),
            false => (page, self.page),
        };
        let from = full.saturating_sub(1) * self.page;
        let entries: Vec<Value> = listed.iter().skip(from).take(size).map(|entry| entry.json()).collect();
        let next = (from + size < listed.len()).then(|| {
            let host = format!("http://{}", request.header("host").unwrap_or("127.0.0.1"));
            let origin = state.lead_to.as_deref().unwrap_or(&host);
            let since = since.map(|since| format!("since={since}&")).unwrap_or_default();
            format!("{origin}/v1/entries?{since}page={}&session={}", page + 1, state.session)
        });
        SimResponse::json(200, &json!({ "entries": entries, "next": next }))
    }
}

impl State {
    fn add(&mut self, start_s: i64, dice: &mut Seeded) {
        let id = self.next_id;
        self.next_id += 1;
        self.entries.push(Entry {
            id,
            start_s,
            minutes: u32::try_from(dice.whole(5, 180)).unwrap_or(30),
            title: format!("Sample work {id}"),
            zone: dice.pick(&ZONES).copied().unwrap_or("Europe/Lisbon"),
            kind: dice.pick(&KINDS).copied().unwrap_or(("work", "focus")),
            version: 1,
            poisoned: false,
            nameless: false,
        });
    }

    fn sort(&mut self) {
        self.entries.sort_by_key(|entry| (-entry.start_s, -entry.id));
    }

    /// Changes the entry at a position; false if the list is shorter.
    fn touch(&mut self, position: usize, change: impl FnOnce(&mut Entry)) -> bool {
        self.entries.get_mut(position).map(change).is_some()
    }
}

fn refusal(status: u16, message: &str) -> SimResponse {
    SimResponse::json(status, &json!({ "error": { "code": status, "message": message } }))
}

impl Simulator for TimebookSimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        if request.bearer() != Some(self.token.as_str()) {
            return refusal(401, "the token is unknown");
        }
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET", ["v1", "me"]) => SimResponse::json(200, &json!({ "id": "acc-7", "name": "Sample" })),
            ("GET", ["v1", "entries"]) => self.list(request),
            _ => refusal(404, "there is nothing here"),
        }
    }

    fn refusal(&self, status: u16) -> SimResponse {
        refusal(status, "as asked for")
    }
}

impl Account for TimebookSimulator {
    fn access(&self, url: &str) -> Access {
        Access {
            base_url: Some(url.to_owned()),
            credentials: Credentials::none().with("access_token", Secret::new(&self.token)),
            settings: json!({}),
            oauth: None,
        }
    }

    fn truth(&self) -> Vec<Fact> {
        self.state().entries.iter().map(Entry::fact).collect()
    }

    fn change(&self, change: Change) -> bool {
        let mut state = self.state();
        let before = state.entries.clone();
        let now_s = state.now.as_seconds();
        let mut dice = Seeded::new(state.next_id.unsigned_abs());
        let done = match change {
            Change::Add => {
                let newest = state.entries.first().map_or(now_s, |entry| entry.start_s);
                state.add(newest + 60, &mut dice);
                true
            }
            Change::AddLate(age) => {
                state.add(now_s - i64::try_from(age.as_secs()).unwrap_or(0), &mut dice);
                true
            }
            Change::Edit(position) => state.touch(position, |entry| {
                entry.version += 1;
                entry.title = format!("Sample work {}, edition {}", entry.id, entry.version);
            }),
            Change::Delete { from, count } => {
                let to = (from + count).min(state.entries.len());
                from < to && state.entries.drain(from..to).count() > 0
            }
            Change::Poison(position) => state.touch(position, |entry| entry.poisoned = true),
            Change::TakeId(position) => state.touch(position, |entry| entry.nameless = true),
            Change::Heal => {
                state.entries.iter_mut().for_each(|entry| {
                    entry.version += u64::from(entry.poisoned || entry.nameless);
                    (entry.poisoned, entry.nameless) = (false, false);
                });
                true
            }
            Change::Stale(stale) => {
                state.stale = stale;
                return true;
            }
            Change::LeadTo(origin) => {
                state.lead_to = origin;
                return true;
            }
            Change::ExpireCursors => {
                state.session += 1;
                return true;
            }
            Change::EmptyPages(empty) => {
                state.empty_pages = empty;
                return true;
            }
            Change::Withhold(scope) => {
                state.permitted = scope.is_none();
                return true;
            }
            _ => false,
        };
        if done {
            state.before = before;
            state.sort();
        }
        done
    }
}

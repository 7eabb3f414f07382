//! A simulated Google: one spreadsheet of the Sheets API (`spreadsheets.get`, `values.get` and `values:batchGet`), the
//! address that says whose account it is, and the OAuth routes through which an app comes to a token.
//!
//! It answers as Google's documentation says, also where a client would like it otherwise: without options every cell is a
//! text of the locale, rows end with their last filled cell, an empty range has no values at all, and a tab that is not there
//! is no 404.
//!
//! ```
//! use lifehub_google_sheets::simulator::GoogleSheetsSimulator;
//! use lifehub_testkit::{Account, Probe, Server, Setup};
//!
//! let simulator = GoogleSheetsSimulator::seeded(&Setup::new(1, "2026-08-10T12:00:00Z".parse()?));
//! let server = Server::start(simulator.clone())?;
//! let cells = format!("{}/v4/spreadsheets/{}/values/Weight!A1:B2", server.url(), simulator.spreadsheet());
//! let token = simulator.access(&server.url()).credentials.get("access_token").map(|t| t.expose().to_owned());
//! let reply = Probe::get(cells).bearer(&token.unwrap_or_default()).send()?;
//! assert_eq!(reply.json()?["values"][0], serde_json::json!(["Id", "Date"]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod book;
mod cell;
mod expenses;
mod fields;
mod grid;
mod habits;
mod limits;
mod refusal;
mod weight;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lifehub_core::clock::Timestamp;
use lifehub_google::simulator::{App, Consent, TESTING, person};
use lifehub_testkit::oauth::{AuthorizationServer, Grant};
use lifehub_testkit::{Place, Setup, SimRequest, SimResponse, Simulator};
use serde_json::{Value, json};

pub use account::account;
pub use limits::Limits;

use book::{Book, Content, Tab};
use cell::{Cell, Render};
use fields::masked;
use grid::Area;
use limits::Counter;
use refusal::Refusal;

/// Where the spreadsheet's owner lives.
const PLACE: Place = Place::Rome;

/// What became of the spreadsheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sharing {
    /// The account may read it.
    Readable,
    /// It belongs to somebody who shares it no more.
    Unshared,
    /// It is gone, or a document of another kind.
    Gone,
    /// It is a file in Microsoft's format.
    Office,
    /// It is a folder, or a file that is no document.
    Folder,
}

/// The app that is registered.
const APP: App = App {
    name: "google-sheets-sim",
    client_id: GoogleSheetsSimulator::CLIENT_ID,
    client_secret: GoogleSheetsSimulator::CLIENT_SECRET,
};

/// Scopes that open cells.
const CELLS: [&str; 5] = [
    "https://www.googleapis.com/auth/spreadsheets.readonly",
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/drive",
];

/// The made-up person's.
const ADDRESS: &str = "sample.user@example.com";

/// The simulated Google. Clones share everything, so keep one to change things while a server runs.
#[derive(Debug, Clone)]
pub struct GoogleSheetsSimulator {
    consent: Consent,
    token: Arc<str>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    book: Book,
    sharing: Sharing,
    enabled: bool,
    counter: Counter,
}

impl GoogleSheetsSimulator {
    /// The id of the app that is registered.
    pub const CLIENT_ID: &'static str = "310001-simulated.apps.googleusercontent.com";

    /// Its secret.
    pub const CLIENT_SECRET: &'static str = "google-sheets-sim-client-secret";

    /// What tells the made-up person from all others.
    pub const PERSON: &'static str = "100000000000000000001";

    /// The spreadsheet of a setup: exactly so many rows in all, most of them weighings; less than sixty are all weighings.
    ///
    /// Its access token derives from the seed, and never expires. It has no limits: a suite makes more requests than a minute
    /// allows while its clock stands still, and a demo must not wait. A test of limits asks for them with
    /// [`GoogleSheetsSimulator::set_limits`].
    pub fn seeded(setup: &Setup) -> Self {
        let consent = Consent::new(setup.seed, APP, &CELLS);
        consent.server().set(|rules| rules.refresh_lifetime = Some(TESTING));
        let token = format!("google-sheets-sim-{:016x}-access", setup.seed);
        consent.server().admit(&token, &[&["openid"][..], &CELLS].concat());
        let book = Book::new(setup);
        let state = State { book, sharing: Sharing::Readable, enabled: true, counter: Counter::default() };
        Self { consent, token: token.into(), state: Arc::new(Mutex::new(state)) }
    }

    /// The spreadsheet's id.
    pub fn spreadsheet(&self) -> String {
        self.state().book.id.clone()
    }

    /// The part that asks the user and issues tokens, to change its rules and to read what it was asked.
    ///
    /// By its rules the consent screen is in the state Testing: refresh tokens live seven days.
    pub fn oauth(&self) -> &AuthorizationServer {
        self.consent.server()
    }

    /// Sets the limits on reads, or switches them off.
    pub fn set_limits(&self, limits: Option<Limits>) {
        self.state().counter = Counter::new(limits);
    }

    /// Says what became of the spreadsheet.
    pub fn set_sharing(&self, sharing: Sharing) {
        self.state().sharing = sharing;
    }

    /// Switches the Sheets API of the app's Cloud project on or off.
    pub fn set_enabled(&self, enabled: bool) {
        self.state().enabled = enabled;
    }

    /// Sets the spreadsheet's time zone: `America/New_York`, `GMT-07:00`. The truth stays in the zone that it was made in.
    pub fn set_zone(&self, zone: &str) {
        self.state().book.zone = zone.to_owned();
    }

    /// Sorts the rows of every tab, the newest first or last.
    pub fn set_newest_first(&self, newest_first: bool) {
        self.state().book.newest_first = newest_first;
    }

    /// Gives a tab another title. False if there is none of that title.
    pub fn rename_tab(&self, from: &str, to: &str) -> bool {
        self.tab(from, |tab| tab.title = to.to_owned())
    }

    /// Writes another header in the place of one of the made-up person's. False if there is no tab of that title.
    pub fn rename_header(&self, tab: &str, from: &str, to: &str) -> bool {
        self.tab(tab, |tab| _ = tab.renamed.insert(from.to_owned(), to.to_owned()))
    }

    /// Deletes a tab. False if there is none of that title.
    pub fn delete_tab(&self, title: &str) -> bool {
        let tabs = &mut self.state().book.tabs;
        let before = tabs.len();
        tabs.retain(|tab| tab.title != title);
        tabs.len() < before
    }

    /// Writes the cells of a tab, which is added if there is none of that title: texts, numbers (dates as serial numbers),
    /// booleans, and null for an empty cell. The truth says nothing of it.
    pub fn write(&self, title: &str, cells: &Value) {
        let rows = cells.as_array().into_iter().flatten();
        let rows: Vec<Vec<Cell>> =
            rows.map(|row| row.as_array().into_iter().flatten().map(Cell::from).collect()).collect();
        let size = rows.len().max(1_000);
        let known = self.tab(title, |tab| {
            tab.rows = size;
            tab.content = Content::Cells(rows.clone());
        });
        if !known {
            let tabs = &mut self.state().book.tabs;
            let id = 700_000 + u32::try_from(tabs.len()).unwrap_or(0);
            let content = Content::Cells(rows);
            let (title, renamed) = (title.to_owned(), BTreeMap::new());
            tabs.push(Tab { id, title, rows: size, columns: 26, kind: "GRID", content, renamed });
        }
    }

    fn tab(&self, title: &str, change: impl FnOnce(&mut Tab)) -> bool {
        let mut state = self.state();
        let tab = state.book.tabs.iter_mut().find(|tab| tab.title == title);
        tab.map(change).is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &SimRequest) -> Result<Value, Refusal> {
        if request.bearer().is_none() {
            return Err(Refusal::denied("The request is missing a valid API key."));
        }
        let grant = self.consent.server().check(request.bearer(), request.at);
        let grant = grant.map_err(|_| Refusal::unauthenticated())?;
        let segments = request.segments();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["v1", "userinfo"]) => {
                person(&grant, Self::PERSON, ADDRESS).ok_or_else(Refusal::unauthenticated)
            }
            ("GET", ["v4", "spreadsheets", id, rest @ ..]) if rest.len() <= 2 => {
                self.state().open(&grant, id, request.at)?;
                self.read(request, rest)
            }
            _ => Err(Refusal::not_found()),
        }
    }

    fn read(&self, request: &SimRequest, rest: &[&str]) -> Result<Value, Refusal> {
        let book = &self.state().book;
        let answer = match rest {
            [] => book.structure(),
            ["values", range] => book.values(&SimRequest::decoded(range), render(request)?)?,
            ["values:batchGet"] => {
                let ranges = request.query.iter().filter(|(name, _)| name == "ranges");
                let ranges: Result<Vec<Value>, Refusal> =
                    ranges.map(|(_, range)| book.values(range, render(request)?)).collect();
                json!({ "spreadsheetId": book.id, "valueRanges": ranges? })
            }
            _ => return Err(Refusal::not_found()),
        };
        masked(answer, request.query("fields"))
    }
}

impl State {
    /// Lets a read of the spreadsheet through, or says why not.
    fn open(&mut self, grant: &Grant, id: &str, at: Timestamp) -> Result<(), Refusal> {
        if !CELLS.iter().any(|scope| grant.allows(scope)) {
            return Err(Refusal::denied("Request had insufficient authentication scopes.")
                .because("ACCESS_TOKEN_SCOPE_INSUFFICIENT"));
        }
        if !self.enabled {
            let text =
                "Google Sheets API has not been used in project 100000000001 before or it is disabled.";
            return Err(Refusal::denied(text).because("SERVICE_DISABLED"));
        }
        self.counter.count(at)?;
        match self.sharing {
            _ if id != self.book.id => Err(Refusal::not_found()),
            Sharing::Readable => Ok(()),
            Sharing::Unshared => Err(Refusal::denied("The caller does not have permission")),
            Sharing::Gone => Err(Refusal::not_found()),
            Sharing::Office => Err(Refusal::office()),
            Sharing::Folder => Err(Refusal::invalid("Request contains an invalid argument.")),
        }
    }
}

impl Book {
    fn values(&self, range: &str, render: Render) -> Result<Value, Refusal> {
        let area = Area::read(range, &self.tabs)?;
        let tab = &self.tabs[area.tab];
        if tab.kind != "GRID" {
            return Err(Refusal::invalid(format!("Unable to parse range: {range}")));
        }
        Ok(area.value_range(&tab.title, &self.cells(tab), render))
    }
}

/// How cells are to be written. Columns as the major dimension, and formulas, are not there.
fn render(request: &SimRequest) -> Result<Render, Refusal> {
    let bad = || Refusal::invalid("Request contains an invalid argument.");
    let choice = |name, default: &str, other: &str| match request.query(name) {
        None => Ok(true),
        Some(value) if value == default => Ok(true),
        Some(value) if value == other => Ok(false),
        Some(_) => Err(bad()),
    };
    if !choice("majorDimension", "ROWS", "DIMENSION_UNSPECIFIED")? {
        return Err(bad());
    }
    Ok(Render {
        formatted: choice("valueRenderOption", "FORMATTED_VALUE", "UNFORMATTED_VALUE")?,
        dates: !choice("dateTimeRenderOption", "SERIAL_NUMBER", "FORMATTED_STRING")?,
    })
}

impl Simulator for GoogleSheetsSimulator {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        if let Some(answer) = self.consent.answer(request) {
            return answer;
        }
        self.answer(request).map_or_else(Into::into, |body| SimResponse::json(200, &body))
    }

    fn refusal(&self, status: u16) -> SimResponse {
        Refusal::of(status).into()
    }
}

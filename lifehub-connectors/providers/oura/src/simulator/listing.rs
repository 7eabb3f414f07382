//! Lists: which entries lie between two dates, and in which pages they come.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;

use lifehub_core::clock::{Day, Offset, Timestamp};
use lifehub_testkit::{Shelf, Shelved, SimRequest, SimResponse};
use serde_json::{Value, json};

use super::collection::{Collection, Documents};
use super::problem;

/// The rows of a page, as clients have measured it.
const ROWS: usize = 1_000;

#[derive(Debug, Clone)]
pub(super) struct Paging {
    rows: usize,
    /// Part of each token: tokens of another generation are not known any more.
    generation: u32,
    pub(super) longest: Option<i32>,
    pub(super) repeats: bool,
    /// Before each page comes one without rows.
    pub(super) gaps: bool,
}

/// A page that a token stands for.
#[derive(Debug, Clone, Copy, Default)]
struct Page {
    /// How many rows come before it.
    first: usize,
    /// Whether its gap was served.
    past_gap: bool,
}

/// Where a list begins and ends, as asked for.
enum Bounds {
    Days(Day, Day),
    Times(Timestamp, Timestamp),
}

impl Paging {
    pub(super) fn new(setup: Option<usize>) -> Self {
        Self {
            rows: setup.unwrap_or(ROWS).clamp(1, ROWS),
            generation: 0,
            longest: None,
            repeats: false,
            gaps: false,
        }
    }

    /// Knows none of the tokens any more that were handed out so far.
    pub(super) fn forget(&mut self) {
        self.generation += 1;
    }

    /// The page that a request asks for.
    pub(super) fn answer(&self, shelf: &Shelf<Documents>, request: &SimRequest) -> SimResponse {
        let collection = shelf.kind().collection;
        let bounds = match Bounds::read(collection, request) {
            Ok(bounds) => bounds,
            Err(name) => {
                let fault = json!({ "loc": ["query", name], "msg": "invalid date format", "type": "value_error.date" });
                return SimResponse::json(422, &json!({ "detail": [fault] }));
            }
        };
        if self.longest.is_some_and(|longest| bounds.days() > longest) {
            return problem(400, "the range is too long");
        }
        let at = match request.query("next_token").map(|token| self.read(token, request)) {
            None => Page::default(),
            Some(Some(page)) => page,
            Some(None) => return problem(400, "invalid next_token"),
        };
        let contained = shelf.items().filter(|entry| bounds.contain(collection, entry));
        let rows: Vec<&Value> = contained.map(|entry| &entry.shown).collect();
        let is_gap = self.gaps && !at.past_gap;
        let page: Vec<&Value> =
            rows.iter().skip(at.first).take(if is_gap { 0 } else { self.rows }).copied().collect();
        let first = at.first + page.len();
        let more = is_gap || first < rows.len();
        let next = match self.repeats {
            true => Some(Page { first: self.rows, past_gap: false }),
            false => more.then_some(Page { first, past_gap: is_gap }),
        };
        let mut body = json!({ "data": page });
        match next.map(|page| self.token(page, request)) {
            Some(token) => body["next_token"] = json!(token),
            // The description of time series does not promise the member.
            None if collection == Collection::HeartRate => {}
            None => body["next_token"] = Value::Null,
        }
        SimResponse::json(200, &body)
    }

    /// A token counts rows, and belongs to one list.
    fn token(&self, page: Page, request: &SimRequest) -> String {
        let Page { first, past_gap } = page;
        format!("{first:x}-{}-{:x}-{:016x}", u8::from(past_gap), self.generation, list(request))
    }

    fn read(&self, token: &str, request: &SimRequest) -> Option<Page> {
        let mut parts = token.split('-');
        let first = usize::from_str_radix(parts.next()?, 16).ok()?;
        let page = Page { first, past_gap: parts.next()? == "1" };
        (self.token(page, request) == token).then_some(page)
    }
}

/// What tells lists apart: all parameters but the token.
fn list(request: &SimRequest) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.path.hash(&mut hasher);
    request.query.iter().filter(|(name, _)| name != "next_token").for_each(|pair| pair.hash(&mut hasher));
    hasher.finish()
}

impl Bounds {
    /// Reads both bounds, which have no defaults that are documented; gives the name of one that is missing or wrong.
    fn read(collection: Collection, request: &SimRequest) -> Result<Self, &'static str> {
        fn one<T: FromStr>(request: &SimRequest, name: &'static str) -> Result<T, &'static str> {
            request.query(name).and_then(|text| text.parse().ok()).ok_or(name)
        }
        Ok(match collection {
            Collection::HeartRate => {
                Self::Times(one(request, "start_datetime")?, one(request, "end_datetime")?)
            }
            _ => Self::Days(one(request, "start_date")?, one(request, "end_date")?),
        })
    }

    fn days(&self) -> i32 {
        match self {
            Self::Days(from, to) => to.as_number() - from.as_number() + 1,
            Self::Times(from, to) => i32::try_from(to.since(*from).as_secs() / 86_400).unwrap_or(i32::MAX),
        }
    }

    fn contain(&self, collection: Collection, entry: &Shelved) -> bool {
        match self {
            // Nobody has measured whether the end belongs to it.
            Self::Times(from, to) => *from <= entry.at && entry.at < *to,
            Self::Days(from, to) => {
                let day = match collection {
                    // It bears the local day, and is found under that of UTC.
                    Collection::Workout => Some(entry.at.day_at(Offset::UTC)),
                    _ => collection.day(&entry.sound),
                };
                let end = if collection.includes_end() { *to } else { Day::from_number(to.as_number() - 1) };
                day.is_some_and(|day| *from <= day && day <= end)
            }
        }
    }
}

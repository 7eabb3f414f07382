//! What a plan's records are told in, and how YNAB writes ids and amounts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lifehub_core::clock::{Day, Offset, Timestamp};
use lifehub_testkit::Seeded;
use serde_json::{Value, json};

/// The currency of a plan, and the day on which it is asked: shared by a plan and the kinds of its items.
#[derive(Debug, Clone)]
pub(super) struct Told(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    currency: Option<String>,
    day: Day,
}

impl Told {
    pub(super) fn new(currency: &str, at: Timestamp) -> Self {
        let state = State { currency: Some(currency.to_owned()), day: utc_day(at) };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn set_currency(&self, currency: Option<&str>) {
        self.state().currency = currency.map(str::to_owned);
    }

    pub(super) fn currency(&self) -> Option<String> {
        self.state().currency.clone()
    }

    /// The code by which records name it.
    pub(super) fn code(&self) -> String {
        self.currency().unwrap_or_else(|| "XXX".to_owned())
    }

    pub(super) fn set_day(&self, day: Day) {
        self.state().day = day;
    }

    pub(super) fn day(&self) -> Day {
        self.state().day
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record of a day.
pub(super) fn record(dataset: &str, key: &str, day: &Value, body: Value) -> Value {
    json!({
        "dataset": dataset, "key": key, "start": null, "end": null, "zone": null, "day": day, "body": body,
    })
}

pub(super) fn utc_day(at: Timestamp) -> Day {
    at.day_at(Offset::UTC)
}

/// The first day of a day's month.
pub(super) fn month(day: Day) -> Day {
    let text = day.to_string();
    let date = text.get(..8).map(|month| format!("{month}01"));
    date.and_then(|date| date.parse().ok()).unwrap_or(day)
}

/// What ids are made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    User,
    Plan,
    Account,
    Category,
    Group,
    Payee,
    Transaction,
    Part,
}

/// A UUID that follows from the seed: version 4 by its looks.
pub(super) fn uuid(seed: u64, what: What, number: u64) -> String {
    let mut dice = Seeded::new(seed).fork(0x1d00 + what as u64).fork(number);
    let mut bits = |width: u32| dice.whole(0, (1_i64 << width) - 1);
    format!("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", bits(32), bits(16), bits(12), 0x8000 | bits(14), bits(48))
}

/// Milliunits as records write an amount: two decimals, three where they are needed.
pub(super) fn amount(milliunits: &Value) -> String {
    let milliunits = milliunits.as_i64().unwrap_or_default();
    let (sign, size) = (if milliunits < 0 { "-" } else { "" }, milliunits.unsigned_abs());
    let text = format!("{sign}{}.{:03}", size / 1_000, size % 1_000);
    text.strip_suffix('0').unwrap_or(&text).to_owned()
}

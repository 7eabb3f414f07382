//! A plan: its lists, what changed in them since when, and what was told of them on which day.

use std::collections::BTreeMap;

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Change, Fact, Kind, Setup, Shelf, Shelved, instants};
use serde_json::{Value, json};

use super::budget::{Accounts, Categories, FEW_ACCOUNTS, FEW_CATEGORIES};
use super::payments::Payments;
use super::told::{Told, What, month, utc_day, uuid};

/// How many transactions a household has in a week.
const A_WEEK: f64 = 12.0;

/// The figure at which a plan's knowledge begins.
const FIRST_KNOWLEDGE: u64 = 8_000;

/// A plan of the made-up person.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) id: String,
    name: &'static str,
    told: Told,
    now: Timestamp,
    transactions: Shelf<Payments>,
    accounts: Shelf<Accounts>,
    categories: Shelf<Categories>,
    balances: Book,
    months: Book,
    /// Knowledge below it is refused.
    oldest_knowledge: u64,
}

/// What stood at the latest answer of each day (or month) on which it was asked, by the item's number and that day.
#[derive(Debug, Default)]
struct Book {
    asked: bool,
    facts: BTreeMap<(u64, Day), Fact>,
}

impl Plan {
    /// The plan of that number, with a share of the setup's items: so many of its transactions, accounts and categories.
    pub(super) fn new(
        setup: &Setup,
        number: u64,
        name: &'static str,
        currency: &str,
        part: [usize; 3],
    ) -> Self {
        let seed = setup.seed.wrapping_add(number);
        let now = setup.now;
        let told = Told::new(currency, now);
        let [payments, accounts, categories] = part;
        let kind = Payments { seed, told: told.clone(), stock: payments as u64 };
        let mut transactions = Shelf::empty(kind, seed, now);
        let mut last = now;
        for (place, at) in
            instants(&setup.clone().items(payments), 0.0).into_iter().take(payments).enumerate()
        {
            // Both sides of a transfer have one date.
            last = if transactions.kind().is_second_side(place as u64 + 1) { last } else { at };
            transactions.add(last);
        }
        let stocked = |count: usize| instants(&setup.clone().items(count), 0.0).into_iter().take(count);
        let mut plan = Self {
            id: uuid(setup.seed, What::Plan, number),
            name,
            now,
            transactions,
            accounts: Shelf::empty(Accounts { seed, told: told.clone() }, seed, now),
            categories: Shelf::empty(Categories { seed, told: told.clone() }, seed, now),
            told,
            balances: Book::default(),
            months: Book::default(),
            oldest_knowledge: FIRST_KNOWLEDGE,
        };
        stocked(accounts).for_each(|at| _ = plan.accounts.add(at));
        stocked(categories).for_each(|at| _ = plan.categories.add(at));
        plan
    }

    /// How many transactions, accounts and categories two years of plausible habits give.
    pub(super) fn habits(days: u16) -> [usize; 3] {
        [(f64::from(days) * A_WEEK / 7.0) as usize, FEW_ACCOUNTS, FEW_CATEGORIES]
    }

    /// As `/plans` lists it.
    pub(super) fn summary(&self) -> Value {
        let day = utc_day(self.now);
        json!({
            "id": self.id,
            "name": self.name,
            "last_modified_on": format!("{day}T08:00:00Z"),
            "first_month": "2024-01-01",
            "last_month": month(day),
            "date_format": { "format": "DD/MM/YYYY" },
            "currency_format": self.currency_format(),
        })
    }

    /// Null where YNAB does not know it.
    pub(super) fn currency_format(&self) -> Value {
        let format = |code: String| {
            json!({
                "iso_code": code, "example_format": "123.456,78", "decimal_digits": 2, "decimal_separator": ",",
                "symbol_first": false, "group_separator": ".", "currency_symbol": "¤", "display_symbol": true,
            })
        };
        self.told.currency().map_or(Value::Null, format)
    }

    pub(super) fn set_currency(&self, code: Option<&str>) {
        self.told.set_currency(code);
    }

    pub(super) fn rewrite_account(&mut self, number: u64, change: impl FnOnce(&mut Value)) {
        let Some(position) = position(&self.accounts, number) else { return };
        self.accounts.rewrite(position, |account| {
            change(account);
            true
        });
    }

    pub(super) fn delete_account(&mut self, number: u64) {
        let Some(from) = position(&self.accounts, number) else { return };
        self.accounts.change(&Change::Delete { from, count: 1 });
    }

    /// Refuses all knowledge that was given out so far.
    pub(super) fn forget_knowledge(&mut self) {
        self.oldest_knowledge += 1_000_000;
    }

    /// What happens in one of its lists.
    pub(super) fn change(&mut self, stream: &str, change: &Change) -> bool {
        match (stream, change) {
            // What an account held before stays; it is worth nothing from then on, which is no deletion of a fact.
            ("accounts", Change::Delete { .. }) => false,
            ("accounts", _) => self.accounts.change(change),
            ("categories", _) => self.categories.change(change),
            _ => self.transactions.change(change),
        }
    }

    /// Answers a list: all of it, or what changed since that knowledge, which is counted for each list. None for knowledge
    /// that it does not take.
    pub(super) fn list(
        &mut self,
        stream: &str,
        knowledge: Option<u64>,
        from: Day,
        at: Timestamp,
    ) -> Option<Value> {
        let since = match knowledge {
            Some(knowledge) => Some(knowledge.checked_sub(self.oldest_knowledge)?),
            None => None,
        };
        let today = utc_day(at);
        let (mut data, revision) = match stream {
            "accounts" => {
                self.told.set_day(today);
                self.balances.note(&self.accounts, (stream, &self.id, today), since, false);
                (json!({ stream: shown(&self.accounts, since) }), self.accounts.revision())
            }
            "categories" => {
                self.told.set_day(month(today));
                self.months.note(&self.categories, (stream, &self.id, month(today)), since, true);
                let groups = self.categories.kind().grouped(&shown(&self.categories, since));
                (json!({ "category_groups": groups }), self.categories.revision())
            }
            _ => {
                let mut all = shown(&self.transactions, since);
                let dated = |item: &Value| item["date"].as_str().and_then(|date| date.parse::<Day>().ok());
                all.retain(|item| dated(item).is_none_or(|date| date >= from));
                (json!({ stream: all }), self.transactions.revision())
            }
        };
        data["server_knowledge"] = json!(self.oldest_knowledge + revision);
        Some(data)
    }

    /// What a client should have that asked for everything.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let today = utc_day(self.now);
        let mut facts = self.transactions.facts("transactions", &self.id);
        self.told.set_day(today);
        facts.extend(self.balances.told(|| self.accounts.facts("accounts", &self.id)));
        self.told.set_day(month(today));
        facts.extend(self.months.told(|| self.categories.facts("categories", &self.id)));
        facts
    }
}

impl Book {
    /// Writes down what an answer tells. What goes is forgotten for the day, or leaves a last fact.
    fn note<K: Kind>(
        &mut self,
        shelf: &Shelf<K>,
        (stream, plan, day): (&str, &str, Day),
        since: Option<u64>,
        forget: bool,
    ) {
        self.asked = true;
        let is_told = |item: &Shelved| since.is_none_or(|since| item.revision > since);
        for (item, fact) in shelf.items().zip(shelf.facts(stream, plan)) {
            if is_told(item) {
                self.facts.insert((item.number, day), fact);
            }
        }
        for item in shelf.since(since.unwrap_or(0)).filter(|item| item.gone) {
            if forget {
                self.facts.remove(&(item.number, day));
            } else if since.is_some() {
                let mut last = item.sound.clone();
                last["deleted"] = json!(true);
                let fact = Fact::new(stream, shelf.kind().id(&last), shelf.kind().records(&last));
                self.facts.insert((item.number, day), fact.partition(plan));
            }
        }
    }

    /// What was told; before anybody asked, what the first answer would tell.
    fn told(&self, first: impl FnOnce() -> Vec<Fact>) -> Vec<Fact> {
        if self.asked { self.facts.values().cloned().collect() } else { first() }
    }
}

/// Where the item of a number stands, counted from the newest.
fn position<K: Kind>(shelf: &Shelf<K>, number: u64) -> Option<usize> {
    shelf.items().rev().position(|item| item.number == number)
}

/// The objects of a list as YNAB shows them. What is gone comes in a delta alone.
fn shown<K: Kind>(shelf: &Shelf<K>, since: Option<u64>) -> Vec<Value> {
    let of = |item: &Shelved| {
        let mut object = item.shown.clone();
        object["deleted"] = json!(item.gone);
        object
    };
    match since {
        Some(since) => shelf.since(since).map(of).collect(),
        None => shelf.items().map(of).collect(),
    }
}

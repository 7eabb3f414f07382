//! The calendar as the account that suites and the demo ask for.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_core::secret::Credentials;
use lifehub_testkit::{Access, Account, Change, Fact};
use serde_json::json;

use super::CalendarSimulator;
use super::entry::Entry;

impl Account for CalendarSimulator {
    fn access(&self, url: &str) -> Access {
        let token = self.world().token();
        Access {
            base_url: None,
            credentials: Credentials::none(),
            settings: json!({ "url": format!("{url}/calendars/{token}/basic.ics") }),
            oauth: None,
        }
    }

    /// Series are told to the end of the year after that in which the calendar stands.
    fn truth(&self) -> Vec<Fact> {
        let world = self.world();
        let year = Day::from_number(day_number(world.now)).to_string();
        let through = year.get(..4).and_then(|year| year.parse::<i16>().ok()).unwrap_or(0) + 1;
        let fact = |entry: &Entry| {
            let fact = Fact::new("events", &entry.uid, entry.records(through));
            Fact { records: fact.records.filter(|_| !entry.poisoned), ..fact }
        };
        world.current.entries.iter().map(fact).collect()
    }

    /// To lose its id makes no event unreadable (it is then known by its content), events have no versions by which a copy
    /// that lags behind could be told item by item, and there are neither pages nor cursors here: such changes are
    /// not known.
    fn change(&self, change: Change) -> bool {
        let mut world = self.world();
        match change {
            Change::Add => world.add(None),
            Change::AddLate(ago) => {
                let day = day_number(world.now - ago);
                world.add(Some(Day::from_number(day)));
            }
            Change::Edit(position) => {
                let Some(place) = world.place(position) else { return false };
                world.change(|entries| entries[place].edit());
            }
            Change::Delete { from, count } => {
                let Some(last) = world.place(from) else { return false };
                let first = (last + 1).saturating_sub(count);
                world.change(|entries| drop(entries.drain(first..=last)));
            }
            Change::Poison(position) => {
                let Some(place) = world.place(position) else { return false };
                world.change(|entries| entries[place].poisoned = true);
            }
            Change::Heal => {
                world.change(|entries| entries.iter_mut().for_each(|entry| entry.poisoned = false));
            }
            _ => return false,
        }
        true
    }
}

fn day_number(at: Timestamp) -> i32 {
    i32::try_from(at.as_seconds().div_euclid(86_400)).unwrap_or(0)
}

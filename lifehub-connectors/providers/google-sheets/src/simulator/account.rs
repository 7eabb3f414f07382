//! The spreadsheet's owner as suites, the demo and benchmarks see them.

use std::sync::Arc;

use lifehub_core::secret::{Credentials, Secret};
use lifehub_testkit::{Access, Account, Change, Fact, Setup};
use serde_json::json;

use super::{APP, GoogleSheetsSimulator};

/// The account of a made-up person at the simulated Google, who keeps weight, expenses and habits in one spreadsheet.
///
/// Changes happen to the rows of the weight, each of which has an id. A row that loses it has an empty cell there.
///
/// ```
/// use lifehub_testkit::{Account, Change, Setup};
///
/// let setup = Setup::new(1, "2026-08-10T12:00:00Z".parse()?).items(50);
/// let account = lifehub_google_sheets::simulator::account(&setup);
/// assert_eq!(account.truth().len(), 50);
/// assert!(account.change(Change::Add) && !account.change(Change::ExpireCursors));
/// assert_eq!(account.truth().len(), 51);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn account(setup: &Setup) -> Arc<dyn Account> {
    Arc::new(GoogleSheetsSimulator::seeded(setup))
}

/// A range comes in one answer, of one moment: there are no pages, links or cursors, no versions, and nothing is stale.
impl Account for GoogleSheetsSimulator {
    fn access(&self, url: &str) -> Access {
        let book = &self.state().book;
        let mut ranges = vec![
            json!({
                "name": "weight", "tab": "Weight", "cells": "A:F", "key": "Id",
                "date": "Date", "time": "Measured at",
                "as": { "vital": { "weight_kg": "Weight kg", "body_fat_ratio": "Body fat" } },
            }),
            json!({
                "name": "expenses", "sheet_id": 1_730_455_512, "header": 3, "date": "Date",
                "as": { "transaction": {
                    "spent": "Amount", "currency": "EUR", "currency_column": "Currency",
                    "payee": "Shop", "category": "Category", "memo": "Note",
                } },
            }),
            json!({
                "name": "habits", "tab": "Habits '26", "cells": "B2:F", "key": "Date", "date": "Date",
                "as": { "custom": {
                    "schema": "habits",
                    "metrics": { "pushups": "Push-ups", "water_l": "Water l", "read": "Read" },
                    "fields": { "note": "Note" },
                } },
            }),
        ];
        if book.is_small {
            ranges.truncate(1);
        }
        let address = format!("https://docs.google.com/spreadsheets/d/{}/edit?gid=0#gid=0", book.id);
        Access {
            base_url: Some(url.to_owned()),
            credentials: Credentials::none().with("access_token", Secret::new(&*self.token)),
            settings: json!({ "spreadsheet": address, "ranges": ranges }),
            oauth: Some(APP.access(url)),
        }
    }

    fn truth(&self) -> Vec<Fact> {
        self.state().book.facts()
    }

    fn change(&self, change: Change) -> bool {
        match change {
            Change::Withhold(scope) => {
                self.oauth().withhold(scope.as_deref());
                true
            }
            change => self.state().book.weight.change(&change),
        }
    }
}

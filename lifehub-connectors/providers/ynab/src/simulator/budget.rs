//! The accounts and categories of a household.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Kind, Seeded};
use serde_json::{Value, json};

use super::told::{Told, What, amount, record, uuid};

/// Name, YNAB's type, and the lowest and highest balance in whole units.
const ACCOUNTS: [(&str, &str, i64, i64); 7] = [
    ("Checking", "checking", 800, 4_200),
    ("Savings", "savings", 5_000, 22_000),
    ("Cash", "cash", 20, 180),
    ("Credit card", "creditCard", -1_400, -120),
    ("Mortgage", "mortgage", -180_000, -140_000),
    ("Brokerage", "otherAsset", 9_000, 31_000),
    ("Old savings", "savings", 40, 90),
];

/// How many accounts a household has.
pub(super) const FEW_ACCOUNTS: usize = ACCOUNTS.len();

/// Group, name, and what is assigned each month in whole units.
pub(super) const CATEGORIES: [(&str, &str, i64); 12] = [
    ("Everyday", "Groceries", 420),
    ("Everyday", "Eating out", 160),
    ("Everyday", "Transport", 70),
    ("Bills", "Electricity", 95),
    ("Bills", "Phone", 32),
    ("Fun", "Books", 40),
    ("Everyday", "Health", 60),
    ("Fun", "Clothes", 80),
    ("Fun", "Travel", 150),
    ("Bills", "Rent", 880),
    ("Savings", "Rainy days", 200),
    ("Internal Master Category", "Inflow: Ready to Assign", 0),
];

const GROUPS: [&str; 5] = ["Everyday", "Bills", "Fun", "Savings", "Internal Master Category"];

/// The name of the account of that number, from 1.
pub(super) fn account_name(number: u64) -> String {
    named(ACCOUNTS[place(number, ACCOUNTS.len())].0, number, ACCOUNTS.len())
}

/// Where a number stands in a list that begins anew after its end.
fn place(number: u64, length: usize) -> usize {
    usize::try_from(number.saturating_sub(1)).unwrap_or(0) % length
}

fn named(name: &str, number: u64, length: usize) -> String {
    if number <= length as u64 { name.to_owned() } else { format!("{name} {number}") }
}

/// Accounts: how they are made, changed and told.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) seed: u64,
    pub(super) told: Told,
}

impl Kind for Accounts {
    fn make(&self, number: u64, _: Timestamp, mut dice: Seeded) -> Value {
        let place = place(number, ACCOUNTS.len());
        let (_, kind, low, high) = ACCOUNTS[place];
        let balance = dice.whole(low * 100, high * 100) * 10;
        json!({
            "id": uuid(self.seed, What::Account, number),
            "name": account_name(number),
            "type": kind,
            "on_budget": low > -100_000 && kind != "otherAsset",
            "closed": place == ACCOUNTS.len() - 1,
            "note": null,
            "balance": balance,
            "cleared_balance": balance + 42_350,
            "uncleared_balance": -42_350,
            "balance_formatted": amount(&json!(balance)),
            "balance_currency": balance as f64 / 1_000.0,
            "transfer_payee_id": uuid(self.seed, What::Payee, 1_000 + number),
            "direct_import_linked": place < 2,
            "direct_import_in_error": false,
            "last_reconciled_at": "2026-01-01T08:12:44Z",
            "debt_original_balance": null,
            "debt_interest_rates": {},
            "debt_minimum_payments": {},
            "debt_escrow_amounts": {},
            "deleted": false,
        })
    }

    /// A fact of the day on which it is asked.
    fn id(&self, item: &Value) -> String {
        format!("{}@{}", item["id"].as_str().unwrap_or_default(), self.told.day())
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let id = item["id"].as_str().unwrap_or_default();
        let kind = match item["type"].as_str().unwrap_or_default() {
            kind @ ("checking" | "savings" | "cash") => kind,
            "creditCard" => "credit",
            "mortgage" => "loan",
            _ => "other",
        };
        let over = item["closed"] == true || item["deleted"] == true;
        let body = json!({
            "account": format!("{} ({})", item["name"].as_str().unwrap_or_default(), id.get(..8).unwrap_or(id)),
            "kind": kind,
            "amount": if over { "0.00".to_owned() } else { amount(&item["balance"]) },
            "currency": self.told.code(),
        });
        vec![record("balance", "", &json!(self.told.day()), body)]
    }

    /// Money comes in; to an account that was closed, too, which is open again then.
    fn edit(&self, item: &mut Value) -> bool {
        item["closed"] = json!(false);
        for member in ["balance", "cleared_balance"] {
            item[member] = json!(item[member].as_i64().unwrap_or_default() + 12_340);
        }
        true
    }

    fn spoil(&self, item: &mut Value) -> bool {
        item["balance"] = json!("a lot");
        true
    }

    fn unname(&self, item: &mut Value) -> bool {
        item.as_object_mut().is_some_and(|members| members.remove("id").is_some())
    }
}

/// Categories: how they are made, changed and told.
#[derive(Debug)]
pub(super) struct Categories {
    pub(super) seed: u64,
    pub(super) told: Told,
}

/// How many categories a household has.
pub(super) const FEW_CATEGORIES: usize = CATEGORIES.len();

impl Categories {
    /// Categories as YNAB lists them: below their groups, of which only those come that have some.
    pub(super) fn grouped(&self, categories: &[Value]) -> Value {
        let group = |(number, name): (usize, &&str)| {
            let own: Vec<&Value> = categories.iter().filter(|c| c["category_group_name"] == **name).collect();
            (!own.is_empty()).then(|| {
                json!({
                    "id": uuid(self.seed, What::Group, number as u64),
                    "name": name,
                    "hidden": false,
                    "internal": number == GROUPS.len() - 1,
                    "deleted": false,
                    "categories": own,
                })
            })
        };
        GROUPS.iter().enumerate().filter_map(group).collect()
    }
}

impl Kind for Categories {
    fn make(&self, number: u64, _: Timestamp, mut dice: Seeded) -> Value {
        let place = place(number, CATEGORIES.len());
        let (group, name, assigned) = CATEGORIES[place];
        let number_of_group = GROUPS.iter().position(|other| *other == group).unwrap_or_default();
        let budgeted = assigned * 1_000;
        let activity = -dice.whole(0, assigned * 90) * 10;
        json!({
            "id": uuid(self.seed, What::Category, number),
            "category_group_id": uuid(self.seed, What::Group, number_of_group as u64),
            "category_group_name": group,
            "name": named(name, number, CATEGORIES.len()),
            "hidden": number % 9 == 8,
            "internal": place == CATEGORIES.len() - 1,
            "note": if place == 8 { json!("two trips a year") } else { json!(null) },
            "budgeted": budgeted,
            "activity": activity,
            "balance": budgeted + activity,
            "goal_type": if place == 10 { json!("NEED") } else { json!(null) },
            "goal_target": if place == 10 { json!(3_000_000) } else { json!(null) },
            "deleted": false,
        })
    }

    /// A fact of the month in which it is asked.
    fn id(&self, item: &Value) -> String {
        format!("{}@{}", item["id"].as_str().unwrap_or_default(), self.told.day())
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let unit = self.told.code().to_lowercase();
        let units = |member: &str| json!(item[member].as_f64().unwrap_or_default() / 1_000.0);
        let mut body = json!({
            "schema": "category",
            "fields": {
                "name": item["name"],
                "group": item["category_group_name"],
                "note": item["note"],
                "currency": self.told.code(),
                "hidden": item["hidden"],
                "internal": item["internal"],
                "goal_target": item["goal_target"].is_number().then(|| amount(&item["goal_target"])),
            },
            "metrics": {},
        });
        for member in ["budgeted", "activity", "balance"] {
            body["metrics"][format!("{member}_{unit}")] = units(member);
        }
        vec![record("custom", "", &json!(self.told.day()), body)]
    }

    /// Something is spent.
    fn edit(&self, item: &mut Value) -> bool {
        for member in ["activity", "balance"] {
            item[member] = json!(item[member].as_i64().unwrap_or_default() - 4_560);
        }
        true
    }

    fn spoil(&self, item: &mut Value) -> bool {
        item["budgeted"] = json!("a lot");
        true
    }

    fn unname(&self, item: &mut Value) -> bool {
        item.as_object_mut().is_some_and(|members| members.remove("id").is_some())
    }
}

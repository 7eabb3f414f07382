//! The transactions of a household: salaries, purchases, transfers between its accounts, and splits.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Kind, Place, Seeded};
use serde_json::{Value, json};

use super::budget::{CATEGORIES, account_name};
use super::told::{Told, What, amount, record, uuid};

/// Every so many transactions there is a transfer, which YNAB has twice: once in each account.
const TRANSFERS: u64 = 24;

/// Every so many, one is split.
const SPLITS: u64 = 17;

/// Made-up payees by their category, the lowest and the highest amount in whole units, and how often they come.
const SHOPS: [(usize, &str, i64, i64, u32); 12] = [
    (0, "Greengrocer", 4, 38, 9),
    (0, "Example Market", 18, 110, 8),
    (1, "Trattoria Example", 22, 78, 4),
    (1, "Corner Café", 2, 9, 8),
    (2, "City Transit", 2, 35, 5),
    (3, "Example Power", 48, 130, 2),
    (4, "Example Telecom", 20, 35, 2),
    (5, "Bookshop \"Paper & Ink\"", 8, 46, 2),
    (6, "Pharmacy", 5, 60, 2),
    (7, "Clothing Example", 25, 160, 1),
    (8, "Example Rail", 19, 140, 2),
    (9, "Landlord Example", 880, 880, 1),
];

/// Transactions: how they are made, changed and told.
#[derive(Debug)]
pub(super) struct Payments {
    pub(super) seed: u64,
    pub(super) told: Told,
    /// How many there are at the start; what comes later is plain.
    pub(super) stock: u64,
}

impl Payments {
    /// Whether that is the second side of a transfer, which has the date of the first.
    pub(super) fn is_second_side(&self, number: u64) -> bool {
        number % TRANSFERS == 6 && number <= self.stock
    }

    fn is_first_side(&self, number: u64) -> bool {
        number % TRANSFERS == 5 && number < self.stock
    }

    fn id(&self, number: u64) -> String {
        uuid(self.seed, What::Transaction, number)
    }

    /// One of an account (the first is for daily payments), of so many milliunits.
    fn entry(&self, number: u64, date: Day, milliunits: i64, account: u64, payee: &str) -> Value {
        let symbol = self.told.currency().map_or("", |code| if code == "USD" { "$" } else { "€" });
        json!({
            "id": self.id(number),
            "date": date,
            "amount": milliunits,
            "amount_formatted": format!("{symbol}{}", amount(&json!(milliunits))),
            "amount_currency": milliunits as f64 / 1_000.0,
            "memo": null,
            "cleared": if number % 11 == 1 { "uncleared" } else { "cleared" },
            "approved": number % 13 != 1,
            "flag_color": if number % 29 == 1 { json!("") } else { json!(null) },
            "flag_name": null,
            "account_id": uuid(self.seed, What::Account, account),
            "payee_id": uuid(self.seed, What::Payee, payee.bytes().map(u64::from).sum()),
            "category_id": null,
            "transfer_account_id": null,
            "transfer_transaction_id": null,
            "matched_transaction_id": null,
            "import_id": null,
            "import_payee_name": null,
            "import_payee_name_original": null,
            "debt_transaction_type": null,
            "deleted": false,
            "account_name": account_name(account),
            "payee_name": payee,
            "category_name": null,
            "subtransactions": [],
        })
    }

    fn transfer(&self, number: u64, date: Day, from: bool) -> Value {
        let first = if from { number } else { number - 1 };
        let moved = Seeded::new(self.seed).fork(first).whole(5, 40) * 10_000;
        let (own, other) = if from { (1, 2) } else { (2, 1) };
        let payee = format!("Transfer : {}", account_name(other));
        let mut entry = self.entry(number, date, if from { -moved } else { moved }, own, &payee);
        entry["transfer_account_id"] = json!(uuid(self.seed, What::Account, other));
        entry["transfer_transaction_id"] = json!(self.id(if from { number + 1 } else { first }));
        entry
    }

    fn purchase(&self, number: u64, date: Day, dice: &mut Seeded) -> Value {
        let all: Vec<_> = SHOPS.iter().flat_map(|shop| std::iter::repeat_n(shop, shop.4 as usize)).collect();
        let Some(&&(category, payee, low, high, _)) = dice.pick(&all) else { return Value::Null };
        // Whole days since 1970 that fall on a Saturday, and months in which heating runs.
        let saturday = (date.as_number() - 2).rem_euclid(7) == 0;
        let winter = matches!(date.to_string().get(5..7), Some("12" | "01" | "02"));
        let more = (category == 0 && saturday) || (category == 3 && winter);
        let cents = dice.whole(low * 100, high * 100) * if more { 8 } else { 5 } / 5;
        let mut entry = self.entry(number, date, -cents * 10, if dice.chance(0.3) { 4 } else { 1 }, payee);
        categorize(&mut entry, self.seed, category);
        if dice.chance(0.7) {
            entry["import_id"] = json!(format!("YNAB:{}:{date}:1", -cents * 10));
            entry["import_payee_name"] = json!(payee.to_uppercase());
            entry["import_payee_name_original"] = json!(format!("{} 0042", payee.to_uppercase()));
        }
        if dice.chance(0.1) {
            entry["memo"] = json!("per la cena 🍝");
        }
        entry
    }

    /// A purchase for two categories, with some cash taken out on the way.
    fn split(&self, number: u64, date: Day, dice: &mut Seeded) -> Value {
        let parts = [dice.whole(900, 4_000) * 10, dice.whole(300, 2_500) * 10, 20_000];
        let mut entry = self.entry(number, date, -parts.iter().sum::<i64>(), 1, "Example Market");
        entry["category_name"] = json!("Split");
        let part = |(place, milliunits): (usize, &i64)| {
            let mut part = json!({
                "id": uuid(self.seed, What::Part, number * 4 + place as u64),
                "transaction_id": entry["id"],
                "amount": -milliunits,
                "memo": if place == 0 { json!("the weekly shop") } else { json!(null) },
                "payee_id": null,
                "payee_name": null,
                "category_id": null,
                "category_name": null,
                "transfer_account_id": null,
                "transfer_transaction_id": null,
                "deleted": false,
            });
            match place {
                2 => {
                    part["payee_name"] = json!("Transfer : Cash");
                    part["transfer_account_id"] = json!(uuid(self.seed, What::Account, 3));
                }
                _ => categorize(&mut part, self.seed, [0, 6][place]),
            }
            part
        };
        entry["subtransactions"] = parts.iter().enumerate().map(part).collect();
        entry
    }
}

fn categorize(entry: &mut Value, seed: u64, category: usize) {
    entry["category_id"] = json!(uuid(seed, What::Category, category as u64 + 1));
    entry["category_name"] = json!(CATEGORIES[category].1);
}

impl Kind for Payments {
    fn make(&self, number: u64, at: Timestamp, mut dice: Seeded) -> Value {
        let date = Place::Rome.day(at);
        if number == 1 {
            let mut entry = self.entry(1, date, 2_450_000, 1, "Starting Balance");
            entry["category_name"] = json!("Inflow: Ready to Assign");
            return entry;
        }
        if self.is_first_side(number) || self.is_second_side(number) {
            return self.transfer(number, date, self.is_first_side(number));
        }
        if number % SPLITS == 3 {
            return self.split(number, date, &mut dice);
        }
        if dice.chance(0.035) {
            let mut entry = self.entry(number, date, dice.whole(2_050, 2_400) * 1_000, 1, "Employer Example");
            entry["category_name"] = json!("Inflow: Ready to Assign");
            return entry;
        }
        let mut entry = self.purchase(number, date, &mut dice);
        if number % 97 == 50 {
            // As those have that were entered by a schedule.
            entry["id"] = json!(format!("{}_{date}", self.id(number)));
        }
        entry
    }

    fn id(&self, item: &Value) -> String {
        item["id"].as_str().unwrap_or_default().to_owned()
    }

    /// A split is told by its parts; a part without a payee or a note has those of the whole.
    fn records(&self, item: &Value) -> Vec<Value> {
        let payment = |part: &Value, key: &str| {
            let own = |member: &str| if part[member].is_null() { &item[member] } else { &part[member] };
            let moved = !part["transfer_account_id"].is_null() || *own("payee_name") == "Starting Balance";
            let body = json!({
                "amount": amount(&part["amount"]),
                "currency": self.told.code(),
                "payee": own("payee_name"),
                "memo": own("memo"),
                "category": part["category_name"],
                "account": item["account_name"],
                "transfer": moved.then_some(true),
            });
            record("transaction", key, &item["date"], body)
        };
        match item["subtransactions"].as_array().filter(|parts| !parts.is_empty()) {
            Some(parts) => {
                parts.iter().map(|part| payment(part, part["id"].as_str().unwrap_or_default())).collect()
            }
            None => vec![payment(item, "")],
        }
    }

    /// Another amount; of a split, that of its first part.
    fn edit(&self, item: &mut Value) -> bool {
        let dearer = |entry: &mut Value| {
            entry["amount"] = json!(entry["amount"].as_i64().unwrap_or_default() - 1_010);
        };
        dearer(item);
        if let Some(part) = item["subtransactions"].get_mut(0) {
            dearer(part);
        }
        true
    }

    fn spoil(&self, item: &mut Value) -> bool {
        item["amount"] = json!("a lot");
        true
    }

    fn unname(&self, item: &mut Value) -> bool {
        item.as_object_mut().is_some_and(|members| members.remove("id").is_some())
    }
}

//! The tab in which a made-up person notes what they spend: rows without ids, some of them twice.

use std::collections::BTreeMap;

use lifehub_core::clock::Timestamp;
use lifehub_core::record::Digest;
use lifehub_testkit::{Kind, Seeded};
use serde_json::{Value, json};

use super::PLACE;
use super::cell::Cell;

pub(super) const HEADERS: [&str; 6] = ["Date", "Shop", "Amount", "Currency", "Category", "Note"];

/// Shop, category, and amounts in cents.
const SHOPS: [(&str, &str, i64, i64); 6] = [
    ("Example Market", "Groceries", 800, 7_400),
    ("Café Sample", "Coffee", 120, 480),
    ("Made-up Railways", "Transport", 150, 6_900),
    ("Trattoria Esempio", "Eating out", 1_400, 5_200),
    ("Sample Pharmacy", "Health", 390, 3_100),
    ("Home & \"Garden\"", "", 500, 12_000),
];

/// The rows of the tab. What a row says follows from its instant alone, so that one added twice is there twice.
#[derive(Debug)]
pub(super) struct Expenses;

impl Kind for Expenses {
    fn make(&self, _: u64, at: Timestamp, _: Seeded) -> Value {
        let mut dice = Seeded::new(at.as_seconds().unsigned_abs());
        let (shop, category, low, high) = dice.pick(&SHOPS).copied().unwrap_or(SHOPS[0]);
        let refund = dice.chance(0.03);
        json!({
            "day": PLACE.day(at),
            "shop": shop,
            "cents": dice.whole(low, high) * if refund { -1 } else { 1 },
            // Where nothing is written, the money is that of home.
            "currency": if dice.chance(0.06) { "USD" } else { "" },
            // The formula that looks the category up does not find every shop.
            "category": if dice.chance(0.05) { "#N/A" } else { category },
            "note": if refund { "brought back" } else { "" },
        })
    }

    /// The digest of what it says: its cells in the place of the headers that the account's settings name.
    fn id(&self, item: &Value) -> String {
        let row = row(item);
        let members = ["payee", "spent", "currency", "category", "memo"];
        let filled = members.into_iter().zip(&row[1..]).filter(|(_, cell)| **cell != Cell::Empty);
        let mut says: BTreeMap<&str, Value> = filled.map(|(member, cell)| (member, cell.plain())).collect();
        says.entry("currency").or_insert(json!("EUR"));
        let says = serde_json::to_string(&says).unwrap_or_default();
        let content = format!(r#"{{"date":{},"as":{{"transaction":{says}}}}}"#, row[0].plain());
        Digest::of_bytes(content.as_bytes()).to_hex()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let cents = -item["cents"].as_i64().unwrap_or_default();
        let sign = if cents < 0 { "-" } else { "" };
        let known = |member: &str| item[member].as_str().filter(|text| !text.is_empty() && *text != "#N/A");
        vec![json!({
            "dataset": "transaction", "key": "", "start": null, "end": null, "zone": null, "day": item["day"],
            "body": {
                "amount": format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100),
                "currency": known("currency").unwrap_or("EUR"),
                "payee": known("shop"),
                "category": known("category"),
                "memo": known("note"),
            },
        })]
    }
}

/// The row of an item.
pub(super) fn row(item: &Value) -> Vec<Cell> {
    let text = |member: &str| match item[member].as_str().unwrap_or_default() {
        "#N/A" => Cell::Failed("#N/A"),
        text => Cell::text(text),
    };
    let day = item["day"].as_str().and_then(|day| day.parse().ok());
    vec![
        day.map_or(Cell::Empty, Cell::day),
        text("shop"),
        Cell::Number(item["cents"].as_i64().unwrap_or_default() as f64 / 100.0),
        text("currency"),
        text("category"),
        text("note"),
    ]
}

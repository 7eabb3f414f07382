//! The histories of dividends and of other movements of cash.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Kind, Seeded};
use serde_json::{Value, json};

use super::instrument::Instrument;
use super::wire::{decimal, hundredths, instant, meant, number as units};

/// Dividends.
#[derive(Debug, Clone)]
pub(super) struct Dividends;

/// Deposits, withdrawals, fees, transfers.
#[derive(Debug, Clone)]
pub(super) struct Transactions;

/// Something that looks like a UUID.
fn reference(dice: &mut Seeded, number: u64) -> String {
    let mut part = |digits: usize| format!("{:0digits$x}", dice.whole(0, 0xffff));
    format!("{}-{}-4{}-a{}-{number:012x}", part(8), part(4), &part(4)[1..], &part(4)[1..])
}

/// The record of a movement.
fn booked(at: &Value, amount: String, payee: &Value, category: &str, transfer: bool) -> Value {
    json!({
        "key": "", "dataset": "transaction",
        "start": meant(at.as_str().unwrap_or_default()), "end": null, "zone": null,
        "body": {
            "amount": amount, "currency": "EUR", "payee": payee, "category": category, "account": "Cash",
            "transfer": if transfer { json!(true) } else { Value::Null },
        },
    })
}

/// An amount is corrected.
fn corrected(item: &mut Value) -> bool {
    item["amount"] = units(hundredths(&item["amount"]) + 11, 2);
    true
}

fn spoiled(item: &mut Value) -> bool {
    item["amount"] = json!("to be announced");
    true
}

fn unnamed(item: &mut Value) -> bool {
    item.as_object_mut().is_some_and(|members| members.remove("reference").is_some())
}

impl Kind for Dividends {
    fn make(&self, number: u64, at: Timestamp, mut dice: Seeded) -> Value {
        let instrument = Instrument::number(dice.whole(1, Instrument::TRADED).unsigned_abs());
        let amount = units(dice.whole(120, 2_600), 2);
        json!({
            "reference": reference(&mut dice, number),
            "ticker": instrument.json()["ticker"],
            "instrument": instrument.json(),
            "type": if dice.chance(0.9) { "ORDINARY" } else { "RETURN_OF_CAPITAL" },
            "quantity": units(dice.whole(10_000, 900_000), 4),
            "grossAmountPerShare": units(dice.whole(10, 900), 2),
            "tickerCurrency": instrument.currency,
            "amount": amount,
            "currency": "EUR",
            "amountInEuro": amount,
            "paidOn": instant(at, number),
        })
    }

    fn id(&self, item: &Value) -> String {
        item["reference"].as_str().unwrap_or_default().to_owned()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let amount = decimal(&item["amount"], 0);
        vec![booked(&item["paidOn"], amount, &item["instrument"]["name"], "dividend", false)]
    }

    fn edit(&self, item: &mut Value) -> bool {
        corrected(item)
    }

    fn spoil(&self, item: &mut Value) -> bool {
        spoiled(item)
    }

    fn unname(&self, item: &mut Value) -> bool {
        unnamed(item)
    }
}

impl Kind for Transactions {
    fn make(&self, number: u64, at: Timestamp, mut dice: Seeded) -> Value {
        let (kind, cents) = match number % 7 {
            // Some with a sign and some without: which of them is right is not documented.
            3 => ("WITHDRAW", -100 * dice.whole(50, 400)),
            4 if number.is_multiple_of(2) => ("WITHDRAW", 100 * dice.whole(50, 400)),
            5 => ("FEE", dice.whole(50, 350)),
            6 => ("TRANSFER", 100 * dice.whole(-300, 300)),
            _ => ("DEPOSIT", 100 * dice.whole(50, 500)),
        };
        json!({
            "type": kind,
            "amount": units(cents, 2),
            "currency": "EUR",
            "reference": reference(&mut dice, number),
            "dateTime": instant(at, number),
        })
    }

    fn id(&self, item: &Value) -> String {
        item["reference"].as_str().unwrap_or_default().to_owned()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let amount = decimal(&item["amount"], 0);
        let leaving = || match amount.trim_start_matches('-') {
            "0.00" => "0.00".to_owned(),
            digits => format!("-{digits}"),
        };
        let (amount, category) = match item["type"].as_str() {
            Some("WITHDRAW") => (leaving(), "withdrawal"),
            Some("FEE") => (leaving(), "fee"),
            Some("TRANSFER") => (amount, "transfer"),
            _ => (amount, "deposit"),
        };
        vec![booked(&item["dateTime"], amount, &Value::Null, category, category != "fee")]
    }

    fn edit(&self, item: &mut Value) -> bool {
        corrected(item)
    }

    fn spoil(&self, item: &mut Value) -> bool {
        spoiled(item)
    }

    fn unname(&self, item: &mut Value) -> bool {
        unnamed(item)
    }
}

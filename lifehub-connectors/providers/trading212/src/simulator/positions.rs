//! What is held, and what the account is worth by it.

use std::collections::BTreeMap;

use lifehub_core::clock::{Day, Offset, Timestamp};
use lifehub_testkit::{Change, Fact, Kind, Seeded, Shelf};
use serde_json::{Value, json};

use super::instrument::{Instrument, priced_in};
use super::wire::{amount, decimal, hundredths, instant, meant, number as units};

/// Open positions.
#[derive(Debug, Clone)]
pub(super) struct Positions;

impl Kind for Positions {
    fn make(&self, number: u64, at: Timestamp, mut dice: Seeded) -> Value {
        let instrument = Instrument::number(number);
        let (quantity, in_pies) = (dice.whole(10_000, 900_000), dice.whole(0, 5_000));
        let paid = instrument.price * dice.whole(70, 105) / 100;
        let cents = |price: i64| quantity * price * instrument.rate() / 100_000_000;
        let (cost, value) = (cents(paid), cents(instrument.price));
        json!({
            "instrument": instrument.json(),
            "createdAt": instant(at, number),
            "quantity": units(quantity, 4),
            "quantityAvailableForTrading": units(quantity - in_pies, 4),
            "quantityInPies": units(in_pies, 4),
            "averagePricePaid": units(paid, 2),
            "currentPrice": units(instrument.price, 2),
            "walletImpact": {
                "currency": "EUR",
                "totalCost": units(cost, 2),
                "currentValue": units(value, 2),
                "unrealizedProfitLoss": units(value - cost, 2),
                "fxImpact": units(dice.whole(-900, 900), 2),
            },
        })
    }

    fn id(&self, item: &Value) -> String {
        item["instrument"]["ticker"].as_str().unwrap_or_default().to_owned()
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let (instrument, impact) = (&item["instrument"], &item["walletImpact"]);
        let (currency, shift) = priced_in(instrument);
        vec![json!({
            "key": "", "dataset": "custom",
            "start": meant(item["createdAt"].as_str().unwrap_or_default()), "end": null, "zone": null,
            "body": {
                "schema": "position",
                "fields": {
                    "ticker": instrument["ticker"],
                    "isin": instrument["isin"],
                    "name": instrument["name"],
                    "quantity": decimal(&item["quantity"], 0),
                    "quantity_available": decimal(&item["quantityAvailableForTrading"], 0),
                    "quantity_in_pies": decimal(&item["quantityInPies"], 0),
                    "average_price": decimal(&item["averagePricePaid"], shift),
                    "current_price": decimal(&item["currentPrice"], shift),
                    "price_currency": currency,
                    "cost": decimal(&impact["totalCost"], 0),
                    "value": decimal(&impact["currentValue"], 0),
                    "unrealized_profit": decimal(&impact["unrealizedProfitLoss"], 0),
                    "fx_impact": decimal(&impact["fxImpact"], 0),
                    "currency": "EUR",
                },
                "metrics": null,
            },
        })]
    }

    /// The market moves.
    fn edit(&self, item: &mut Value) -> bool {
        item["currentPrice"] = units(hundredths(&item["currentPrice"]) + 13, 2);
        let impact = &mut item["walletImpact"];
        for member in ["currentValue", "unrealizedProfitLoss"] {
            impact[member] = units(hundredths(&impact[member]) + 21, 2);
        }
        true
    }

    fn spoil(&self, item: &mut Value) -> bool {
        item["quantity"] = json!("some");
        true
    }

    fn unname(&self, item: &mut Value) -> bool {
        let instrument = item["instrument"].as_object_mut();
        instrument.is_some_and(|members| members.remove("ticker").is_some())
    }
}

/// Money in the account beside what is invested, and what the account was worth whenever somebody asked.
#[derive(Debug)]
pub(super) struct Worth {
    today: Day,
    /// Free, in pies, and reserved for orders; cents.
    cash: [i64; 3],
    broken: bool,
    /// The latest answer of each day.
    told: BTreeMap<Day, Told>,
}

/// Cash and investments, in cents, and whether the answer could be read.
type Told = (i64, i64, bool);

/// The number of the account.
const NUMBER: i64 = 40_123_456;

impl Worth {
    pub(super) fn seeded(seed: u64, now: Timestamp) -> Self {
        let mut dice = Seeded::new(seed).fork(1);
        let cash = [dice.whole(5_000, 90_000), dice.whole(0, 2_000), dice.whole(0, 10_000)];
        Self { today: now.day_at(Offset::UTC), cash, broken: false, told: BTreeMap::new() }
    }

    fn now(&self, positions: &Shelf<Positions>) -> Told {
        let value = |item: &Value| hundredths(&item["walletImpact"]["currentValue"]);
        (self.cash.iter().sum(), positions.items().map(|item| value(&item.sound)).sum(), self.broken)
    }

    /// What the provider answers, and writes down.
    pub(super) fn answer(&mut self, positions: &Shelf<Positions>, at: Timestamp) -> Value {
        let now = self.now(positions);
        self.told.insert(at.day_at(Offset::UTC), now);
        let ((cash, value, broken), [free, pies, reserved]) = (now, self.cash);
        let cost = positions.items().map(|item| hundredths(&item.sound["walletImpact"]["totalCost"]));
        let cost = cost.sum::<i64>();
        json!({
            "id": NUMBER,
            "currency": "EUR",
            "totalValue": units(cash + value, 2),
            "cash": {
                "availableToTrade": if broken { json!("soon") } else { units(free, 2) },
                "inPies": units(pies, 2),
                "reservedForOrders": units(reserved, 2),
            },
            "investments": {
                "currentValue": units(value, 2),
                "totalCost": units(cost, 2),
                "realizedProfitLoss": 233.1,
                "unrealizedProfitLoss": units(value - cost, 2),
            },
        })
    }

    /// The days on which somebody asked. Before anybody has, that on which the account stands.
    pub(super) fn facts(&self, positions: &Shelf<Positions>) -> Vec<Fact> {
        let unasked = self.told.is_empty().then(|| (self.today, self.now(positions)));
        let told = self.told.iter().map(|(day, told)| (*day, *told)).chain(unasked);
        told.map(|(day, (cash, investments, broken))| {
            let balance = |key: &str, account: &str, kind: &str, cents: i64| {
                json!({
                    "key": key, "dataset": "balance",
                    "start": null, "end": null, "zone": null, "day": day.to_string(),
                    "body": { "account": account, "kind": kind, "amount": amount(cents), "currency": "EUR" },
                })
            };
            let records = vec![
                balance("cash", "Cash", "cash", cash),
                balance("investments", "Investments", "investment", investments),
            ];
            let fact = Fact::new("account", format!("{NUMBER}@{day}"), records);
            Fact { records: fact.records.filter(|_| !broken), ..fact }
        })
        .collect()
    }

    /// Money comes, or an answer breaks. Days that are over cannot change.
    pub(super) fn change(&mut self, change: &Change) -> bool {
        match change {
            Change::Edit(0) => self.cash[0] += 12_345,
            Change::Poison(0) => self.broken = true,
            Change::Heal => self.broken = false,
            _ => return false,
        }
        true
    }
}

//! The history of orders: most are filled at once, some in two steps, some never; and splits are in it, too.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Kind, Seeded};
use serde_json::{Value, json};

use super::instrument::{Instrument, priced_in};
use super::wire::{amount, decimal, hundredths, instant, meant, number as units};

/// Orders with their fills.
#[derive(Debug, Clone)]
pub(super) struct Orders;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Cancelled,
    Split,
    Filled,
}

/// Whether it is the second fill of the order before.
fn is_second(number: u64) -> bool {
    number.is_multiple_of(9)
}

fn fate(number: u64) -> Fate {
    match number % 100 {
        _ if is_second(number) || is_second(number + 1) => Fate::Filled,
        n if n % 10 == 4 => Fate::Cancelled,
        n if n % 25 == 12 => Fate::Split,
        _ => Fate::Filled,
    }
}

impl Kind for Orders {
    fn make(&self, number: u64, at: Timestamp, mut dice: Seeded) -> Value {
        let fate = fate(number);
        let first = if is_second(number) { number - 1 } else { number };
        // What both fills of an order share follows from the order.
        let mut shared = Seeded::new(first);
        let instrument = Instrument::number(shared.whole(1, Instrument::TRADED).unsigned_abs());
        let sold = shared.chance(0.25);
        let by_value = shared.chance(0.2);
        let quantity = shared.whole(5_000, 400_000) * if sold { -1 } else { 1 };
        let mut order = json!({
            "id": 9_120_000_000_u64 + 7 * first,
            "strategy": if by_value { "VALUE" } else { "QUANTITY" },
            "type": "MARKET",
            "side": if sold { "SELL" } else { "BUY" },
            "ticker": instrument.json()["ticker"],
            "instrument": instrument.json(),
            "currency": "EUR",
            "status": if fate == Fate::Cancelled { "CANCELLED" } else { "FILLED" },
            "extendedHours": false,
            "initiatedFrom": if by_value { "AUTOINVEST" } else { "IOS" },
            "createdAt": instant(at, number),
        });
        if by_value {
            order["value"] = json!(50);
        } else {
            order["quantity"] = units(quantity, 4);
            order["filledQuantity"] = units(if fate == Fate::Cancelled { 0 } else { quantity }, 4);
        }
        if fate == Fate::Cancelled {
            return json!({ "order": order });
        }
        let price = instrument.price + dice.whole(-300, 300);
        let part = if is_second(number) { quantity / 4 } else { quantity };
        let cents = part.abs() * price * instrument.rate() / 100_000_000;
        let tax = |name: &str, cents: i64| {
            let (quantity, charged) = (units(-cents, 2), instant(at, 0));
            json!({ "name": name, "quantity": quantity, "currency": "EUR", "chargedAt": charged })
        };
        let taxes = match instrument.currency {
            _ if fate == Fate::Split => vec![],
            "EUR" if price < 10_000 => {
                vec![tax("FRENCH_TRANSACTION_TAX", 3 + cents / 300), tax("TRANSACTION_FEE", 9)]
            }
            "EUR" => vec![],
            _ => vec![tax("CURRENCY_CONVERSION_FEE", cents * 15 / 10_000)],
        };
        let fill = json!({
            "id": 7_700_000_000_u64 + 3 * number,
            "type": if fate == Fate::Split { "STOCK_SPLIT" } else { "TRADE" },
            "tradingMethod": if by_value { "OTC" } else { "TOTV" },
            "quantity": units(part, 4),
            "price": units(price, 2),
            "filledAt": instant(at, number),
            "walletImpact": {
                "currency": "EUR",
                "fxRate": units(instrument.rate(), 4),
                "netValue": units(cents, 2),
                "realisedProfitLoss": units(if sold { cents / 20 } else { 0 }, 2),
                "taxes": taxes,
            },
        });
        json!({ "order": order, "fill": fill })
    }

    fn id(&self, item: &Value) -> String {
        match item["fill"]["id"].as_u64() {
            Some(id) => format!("fill:{id}"),
            None => format!("order:{}", item["order"]["id"]),
        }
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        let (order, fill) = (&item["order"], &item["fill"]);
        if fill["type"] != "TRADE" {
            return vec![];
        }
        let (currency, shift) = priced_in(&order["instrument"]);
        let taxes = fill["walletImpact"]["taxes"].as_array().into_iter().flatten();
        let taken = amount(taxes.map(|tax| -hundredths(&tax["quantity"])).sum());
        // Taxes are in euros: in a price of another currency they have no place.
        let told = currency == "EUR" && fill["walletImpact"]["taxes"] != json!([]);
        vec![json!({
            "key": "", "dataset": "trade",
            "start": meant(fill["filledAt"].as_str().unwrap_or_default()), "end": null, "zone": null,
            "body": {
                "instrument": order["instrument"]["isin"],
                "side": if order["side"] == "SELL" { "sell" } else { "buy" },
                "quantity": decimal(&fill["quantity"], 0).trim_start_matches('-'),
                "price": decimal(&fill["price"], shift),
                "currency": currency,
                "fee": if told { json!(taken) } else { Value::Null },
            },
        })]
    }

    /// A price is corrected. What gives no record stays as it is.
    fn edit(&self, item: &mut Value) -> bool {
        let traded = item["fill"]["type"] == "TRADE";
        if traded {
            item["fill"]["price"] = units(hundredths(&item["fill"]["price"]) + 7, 2);
        }
        traded
    }

    fn spoil(&self, item: &mut Value) -> bool {
        item["order"]["instrument"] = json!("delisted");
        true
    }

    fn unname(&self, item: &mut Value) -> bool {
        let part = if item["fill"].is_object() { "fill" } else { "order" };
        item[part].as_object_mut().is_some_and(|members| members.remove("id").is_some())
    }
}

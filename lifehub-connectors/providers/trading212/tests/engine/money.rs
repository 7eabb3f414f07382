//! What the account is worth, and what is held.

use lifehub_core::record::DatasetInfo;
use lifehub_core::record::datasets::Decimal;
use lifehub_testkit::{Account as _, Change};
use serde_json::{Value, json};

use crate::rig::{ALL, DAY, Rig, small};

/// Cents in an amount of a record.
fn cents(amount: &Value) -> i64 {
    let amount: Decimal = amount.as_str().unwrap().parse().unwrap();
    (amount.to_f64() * 100.0).round() as i64
}

#[tokio::test]
async fn net_worth_is_cash_and_investments_and_nothing_counts_twice() {
    let rig = Rig::new(&small(""));
    rig.sync(&[]).await;
    rig.equals_truth(&ALL);
    let balances = rig.stored("account");
    let balances: Vec<&Value> = balances.values().flatten().collect();
    let of = |account: &str| {
        let balance = balances.iter().find(|record| record["body"]["account"] == account).unwrap();
        assert_eq!((&balance["day"], &balance["start"]), (&json!("2026-11-18"), &Value::Null));
        balance["body"].clone()
    };
    let (cash, investments) = (of("Cash"), of("Investments"));
    assert_eq!(
        (balances.len(), &cash["kind"], &investments["kind"]),
        (2, &json!("cash"), &json!("investment"))
    );
    let positions = rig.stored("positions");
    let held: i64 = positions.values().map(|records| cents(&records[0]["body"]["fields"]["value"])).sum();
    assert_eq!(cents(&investments["amount"]), held, "positions are what the investments are");

    // What counts as net worth is the balances alone.
    let records = rig.records("");
    let points = records.iter().flat_map(|record| {
        let info = DatasetInfo::find(record.record.dataset()).unwrap();
        info.points(record.record.body(), record.record.when()).unwrap()
    });
    let worth: f64 =
        points.filter(|point| point.metric == "finance.net_worth").map(|point| point.value).sum();
    let told = rig.simulator.truth();
    assert_eq!((worth * 100.0).round() as i64, cents(&cash["amount"]) + held);
    assert!(told.iter().any(|fact| fact.stream == "account"));
    let metrics = positions.values().all(|records| records[0]["body"].get("metrics").is_none());
    assert!(metrics, "a position yields no metric");
}

#[tokio::test]
async fn each_day_keeps_its_own_balance() {
    let rig = Rig::new(&small("account"));
    assert_eq!(rig.sync(&["account"]).await.inserted, 2);
    assert_eq!(rig.sync(&["account"]).await.updated, 0, "asked twice, told the same");
    rig.change(Change::Edit(0));
    assert_eq!(rig.sync(&["account"]).await.updated, 1, "the cash of today");
    let first = rig.stored("account");
    rig.clock.advance(DAY);
    rig.change(Change::Edit(0));
    let counts = rig.sync(&["account"]).await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (2, 0, 0));
    let both = rig.stored("account");
    assert_eq!(both.keys().collect::<Vec<_>>(), ["40123456@2026-11-18", "40123456@2026-11-19"]);
    assert_eq!(both["40123456@2026-11-18"], first["40123456@2026-11-18"]);
    rig.equals_truth(&["account"]);
}

#[tokio::test]
async fn a_closed_position_goes_and_the_histories_stay() {
    let rig = Rig::new(&small("positions"));
    rig.sync(&[]).await;
    rig.change(Change::Delete { from: 3, count: 2 });
    rig.change(Change::Edit(0));
    let counts = rig.sync(&[]).await;
    // The investments of today are worth something else by both.
    assert_eq!((counts.deleted, counts.updated, counts.inserted), (2, 2, 0));
    rig.equals_truth(&ALL);
}

#[tokio::test]
async fn pence_and_pounds_of_the_same_market_agree() {
    let rig = Rig::new(&small(""));
    rig.sync(&["orders", "positions"]).await;
    let orders = rig.stored("orders");
    let currencies = |id: &str| orders[id][0]["body"]["currency"].clone();
    assert!(orders.keys().all(|id| currencies(id) != "GBX"), "records have no pence");
    // Muster Foods is quoted at about 2425 pence, Example Telecom at about 88.
    for (isin, pounds) in [("GB00B00MUS38", 21.0..28.0), ("GB00B00EXT16", 0.84..0.92)] {
        let trades = orders.values().map(|records| &records[0]["body"]);
        let prices: Vec<f64> = trades
            .filter(|trade| trade["instrument"] == isin)
            .map(|trade| trade["price"].as_str().unwrap().parse().unwrap())
            .collect();
        assert!(!prices.is_empty() && prices.iter().all(|price| *price > 0.8), "{isin}");
        let near = prices.iter().filter(|price| pounds.contains(*price)).count();
        assert!(near > 0, "{isin}: {prices:?}");
    }
}

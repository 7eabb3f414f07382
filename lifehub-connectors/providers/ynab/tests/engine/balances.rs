//! Accounts: what each of them is worth, day by day, so that the days add up to a net worth.

use std::collections::BTreeMap;
use std::time::Duration;

use lifehub_testkit::{Account, Change};

use crate::rig::{DAY, Rig, rig};

/// The net worth of the latest day: the sum of the latest balance under each label, in hundredths.
fn net_worth(rig: &Rig) -> BTreeMap<String, i64> {
    let mut latest: BTreeMap<(String, String), (String, i64)> = BTreeMap::new();
    for record in rig.stored("accounts").into_values().flatten() {
        let text = |member: &str| record["body"][member].as_str().unwrap().to_owned();
        let (day, cents) = (record["day"].as_str().unwrap().to_owned(), text("amount").replace('.', ""));
        let entry = latest.entry((text("currency"), text("account"))).or_default();
        *entry = (day, cents.parse().unwrap()).max(entry.clone());
    }
    let mut sums = BTreeMap::new();
    for ((currency, _), (_, cents)) in latest {
        *sums.entry(currency).or_default() += cents;
    }
    sums
}

/// What the record of an account of the plan in euros says on a day.
fn amount(rig: &Rig, account: &str, day: &str) -> Option<String> {
    let records = rig.stored("accounts").into_values().flatten();
    let of_day = records.filter(|record| record["day"] == day && record["body"]["currency"] == "EUR");
    let mut own = of_day.filter(|record| record["body"]["account"].as_str().unwrap().starts_with(account));
    let amount = own.next().map(|record| record["body"]["amount"].as_str().unwrap().to_owned());
    assert!(own.next().is_none(), "{account} stands twice on {day}");
    amount
}

#[tokio::test]
async fn an_account_has_one_balance_a_day_and_only_changes_are_asked_for() {
    let rig = rig("accounts");
    rig.sync().await;
    rig.equals_truth("accounts");
    assert_eq!(rig.stored("accounts").len(), 16);
    assert!(rig.stored("accounts").keys().all(|id| id.ends_with("@2026-06-10")));
    // The same day: another amount replaces the first.
    assert!(rig.simulator.change(Change::Edit(2)));
    let counts = rig.sync().await;
    assert_eq!((counts.updated, counts.inserted), (1, 0));
    // A day without a change has no fact of its own.
    rig.clock.advance(DAY);
    assert_eq!(rig.sync().await.inserted, 0);
    // A day with one has one fact.
    assert!(rig.simulator.change(Change::Edit(2)));
    let counts = rig.sync().await;
    assert_eq!((counts.updated, counts.inserted), (0, 1));
    assert_eq!(rig.stored("accounts").keys().filter(|id| id.ends_with("@2026-06-11")).count(), 1);
    rig.equals_truth("accounts");
}

#[tokio::test]
async fn a_full_pass_neither_doubles_nor_flips() {
    let rig = rig("accounts");
    rig.sync().await;
    let before = rig.stored("accounts");
    assert!(rig.simulator.change(Change::Edit(2)));
    let worth = net_worth(&rig);
    rig.sync().await;
    let after = net_worth(&rig);
    assert_eq!(after["EUR"] - worth["EUR"], 1_234);
    assert_eq!(rig.sync_full().await.inserted, 0);
    assert_eq!((rig.stored("accounts").len(), net_worth(&rig)), (before.len(), after.clone()));
    // Each week there is one of itself: it has a fact of that day for every account, of the same amounts.
    rig.clock.advance(8 * DAY);
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (16, 0, 0), "nothing else is news");
    assert_eq!(net_worth(&rig), after);
    rig.equals_truth("accounts");
}

#[tokio::test]
async fn an_account_that_is_closed_or_deleted_is_worth_nothing_from_that_day_on() {
    let rig = rig("accounts");
    rig.sync().await;
    let before = net_worth(&rig)["EUR"];
    let cents = |account: &str| -> i64 {
        amount(&rig, account, "2026-06-10").unwrap().replace('.', "").parse().unwrap()
    };
    // Names are told apart by the first part of the account's id.
    let (checking, savings) = (cents("Checking ("), cents("Savings ("));
    assert!(checking != 0 && savings != 0);
    rig.clock.advance(DAY);
    rig.simulator.close_account(1);
    rig.simulator.delete_account(2);
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.deleted), (2, 0), "what was, was");
    for (account, of_before) in [("Checking (", checking), ("Savings (", savings)] {
        assert_eq!(amount(&rig, account, "2026-06-11").as_deref(), Some("0.00"), "{account}");
        assert_eq!(cents(account), of_before);
    }
    assert_eq!(net_worth(&rig)["EUR"], before - checking - savings);
    rig.equals_truth("accounts");
    rig.sync_full().await;
    assert_eq!(net_worth(&rig)["EUR"], before - checking - savings);
    rig.equals_truth("accounts");
}

#[tokio::test]
async fn an_account_that_is_renamed_does_not_count_twice() {
    let rig = rig("accounts");
    rig.sync().await;
    let before = net_worth(&rig);
    for (name, pause) in [("Main account", DAY), ("Main", Duration::ZERO), ("Daily / payments", 2 * DAY)] {
        rig.clock.advance(pause);
        rig.simulator.rename_account(1, name);
        rig.sync().await;
        assert_eq!(net_worth(&rig), before, "{name}");
        // What comes later on that day leaves it so.
        rig.simulator.rename_account(2, &format!("Savings, after {name}"));
        rig.sync().await;
        rig.sync_full().await;
        assert_eq!(net_worth(&rig), before, "after {name}");
    }
    assert_eq!(amount(&rig, "Checking (", "2026-06-11").as_deref(), Some("0.00"));
    assert_eq!(amount(&rig, "Main account (", "2026-06-11").as_deref(), Some("0.00"));
    assert_ne!(amount(&rig, "Main (", "2026-06-11").as_deref(), Some("0.00"));
}

#[tokio::test]
async fn a_plan_in_another_currency_is_read_anew_and_counts_in_one() {
    let rig = rig("accounts");
    rig.sync().await;
    let before = net_worth(&rig);
    rig.clock.advance(DAY);
    rig.simulator.set_currency(Some("CHF"));
    rig.sync().await;
    let after = net_worth(&rig);
    assert_eq!((after["CHF"], after["EUR"], after["USD"]), (before["EUR"], 0, before["USD"]));
    for stream in ["transactions", "categories"] {
        rig.equals_truth(stream);
    }
    let amounts = rig.stored("transactions").into_values().flatten();
    assert!(amounts.map(|record| record["body"]["currency"].clone()).all(|code| code != "EUR"));
    // Now that it is known, only changes are asked for again.
    rig.server.take_requests();
    assert_eq!(rig.sync().await.inserted, 0);
    assert!(rig.asked("/transactions").iter().all(|query| query.contains("last_knowledge_of_server=")));
}

#[tokio::test]
async fn a_plan_without_a_known_currency_is_read_as_one_of_none() {
    let rig = rig("accounts");
    rig.simulator.set_currency(None);
    rig.sync().await;
    rig.equals_truth("accounts");
    rig.equals_truth("transactions");
    assert!(net_worth(&rig).contains_key("XXX"));
}

//! What YNAB's objects mean, by its documentation. More stands in `fixtures/*.records.json`.
#![cfg(test)]

use lifehub_core::connector::Connector;
use lifehub_core::normalize::Reject;
use lifehub_core::page::{RawItem, RawJson};
use lifehub_core::record::{DatasetInfo, Record};
use lifehub_ynab::Ynab;
use serde_json::{Value, json};

/// Normalizes an object with what the connector adds to it.
fn normalize(stream: &str, added: Value, mut object: Value) -> Result<Vec<Record>, Reject> {
    object.as_object_mut().unwrap().extend(added.as_object().unwrap().clone());
    let body = RawJson::new(object.to_string()).unwrap();
    let item = RawItem { id: "1".into(), at: None, version: None, body };
    Ynab.manifest().stream(stream).unwrap().normalizer.normalize(&item)
}

fn transaction(members: Value) -> Result<Vec<Record>, Reject> {
    let mut object =
        json!({ "id": "1", "date": "2026-11-18", "amount": -42_350, "account_name": "Checking" });
    object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    normalize("transactions", json!({ "_currency": "EUR" }), object)
}

fn body(record: &Record) -> Value {
    serde_json::from_str(record.body()).unwrap()
}

/// What records add to spending and to income.
fn totals(records: &[Record]) -> (f64, f64) {
    let points = records.iter().flat_map(|record| {
        DatasetInfo::find(record.dataset()).unwrap().points(record.body(), record.when()).unwrap()
    });
    points.fold((0.0, 0.0), |(spending, income), point| match point.metric.as_ref() {
        "finance.spending" => (spending + point.value, income),
        "finance.income" => (spending, income + point.value),
        other => panic!("{other}"),
    })
}

#[test]
fn milliunits_are_thousandths_in_every_currency() {
    let check = |currency: &str, milliunits: i64, expected: &str| {
        let object = json!({ "id": "1", "date": "2026-11-18", "amount": milliunits });
        let records = normalize("transactions", json!({ "_currency": currency }), object).unwrap();
        assert_eq!(body(&records[0])["amount"], expected, "{milliunits} {currency}");
    };
    // The examples of YNAB's documentation.
    check("USD", 123_930, "123.93");
    check("USD", -220, "-0.22");
    check("EUR", 4_924_340, "4924.34");
    check("EUR", -2_990, "-2.99");
    check("JOD", -395_032, "-395.032");
    // A yen has no decimals, and is a thousand milliunits all the same.
    check("JPY", -1_250_000, "-1250.00");
    check("EUR", i64::MIN, "-9223372036854775.808");
    check("EUR", 0, "0.00");
}

#[test]
fn dates_have_no_zone_and_are_not_moved() {
    let records = transaction(json!({})).unwrap();
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        assert_eq!(records[0].day(&zone.parse().unwrap()).to_string(), "2026-11-18");
    }
}

#[test]
fn a_split_counts_by_its_parts_and_never_twice() {
    let part = |id: &str, amount: i64, more: Value| {
        let mut part = json!({ "id": id, "amount": amount, "deleted": false });
        part.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        part
    };
    let parts = json!([
        part("a", -30_000, json!({ "category_name": "Groceries" })),
        part("b", -10_000, json!({ "category_name": "Health", "memo": "plasters" })),
        part("c", -2_350, json!({ "transfer_account_id": "cash" })),
        part("d", -99_000, json!({ "deleted": true })),
    ]);
    let split = json!({ "category_name": "Split", "memo": "Saturday", "payee_name": "Market",
        "subtransactions": parts });
    let records = transaction(split).unwrap();
    assert_eq!(records.iter().map(Record::get_key).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(totals(&records), (40.0, 0.0));
    let told = |member: &str| records.iter().map(|record| body(record)[member].clone()).collect::<Vec<_>>();
    assert_eq!(told("category"), [json!("Groceries"), json!("Health"), json!(null)]);
    assert_eq!(told("memo"), ["Saturday", "plasters", "Saturday"]);
    assert_eq!(told("payee"), ["Market"; 3]);
    // One whose parts are all gone is whole again.
    let whole =
        transaction(json!({ "subtransactions": [part("d", -99_000, json!({ "deleted": true }))] })).unwrap();
    assert_eq!((whole.len(), whole[0].get_key(), totals(&whole)), (1, "", (42.35, 0.0)));
}

#[test]
fn neither_side_of_a_transfer_is_spending_or_income() {
    let transfer = |amount: i64| {
        let transfer = json!({ "amount": amount, "payee_name": "Transfer : Savings",
            "transfer_account_id": "0a1b2c3d-1111-4222-8333-000000000002" });
        transaction(transfer).unwrap()
    };
    for records in [transfer(-250_000), transfer(250_000)] {
        assert_eq!((body(&records[0])["transfer"].clone(), totals(&records)), (json!(true), (0.0, 0.0)));
    }
    assert_eq!(
        totals(&transaction(json!({ "amount": 250_000, "payee_name": "Employer" })).unwrap()),
        (0.0, 250.0)
    );
}

#[test]
fn opening_balances_and_adjustments_are_neither_spending_nor_income() {
    for payee in ["Starting Balance", "Manual Balance Adjustment", "Reconciliation Balance Adjustment"] {
        for amount in [-180_000_000, 2_450_000] {
            let records = transaction(json!({ "amount": amount, "payee_name": payee })).unwrap();
            assert_eq!(totals(&records), (0.0, 0.0), "{payee}");
        }
    }
}

#[test]
fn debts_are_negative_and_each_kind_of_account_is_known() {
    let kinds = [
        ("checking", "checking"),
        ("savings", "savings"),
        ("cash", "cash"),
        ("creditCard", "credit"),
        ("lineOfCredit", "credit"),
        ("mortgage", "loan"),
        ("autoLoan", "loan"),
        ("studentLoan", "loan"),
        ("personalLoan", "loan"),
        ("medicalDebt", "loan"),
        ("otherDebt", "loan"),
        ("otherLiability", "loan"),
        ("otherAsset", "other"),
        ("somethingNew", "other"),
    ];
    for (theirs, ours) in kinds {
        let account = json!({ "id": "0a1b2c3d-1111-4222-8333-444455556666", "name": "Account", "type": theirs,
            "balance": -172_400_010, "closed": false });
        let added = json!({ "_currency": "EUR", "_day": "2026-11-20" });
        let records = normalize("accounts", added, account).unwrap();
        let expected = json!({ "account": "Account (0a1b2c3d)", "kind": ours, "amount": "-172400.01", "currency": "EUR" });
        assert_eq!(body(&records[0]), expected);
    }
}

#[test]
fn what_is_no_transaction_is_rejected_without_its_values() {
    assert!(transaction(json!({})).is_ok());
    for (member, value) in [
        ("amount", json!("a lot, at home")),
        ("amount", json!(-42.35)),
        ("amount", json!(null)),
        ("date", json!("yesterday, at home")),
        ("subtransactions", json!([{ "id": "home" }])),
        ("payee_name", json!(["home"])),
    ] {
        let reason = transaction(json!({ member: value })).unwrap_err().to_string();
        assert!(!reason.is_empty() && !reason.contains("home"), "{member}: {reason}");
    }
    assert!(normalize("transactions", json!({}), json!({})).is_err());
}

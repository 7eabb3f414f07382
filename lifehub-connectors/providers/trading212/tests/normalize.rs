//! What becomes of single objects. Whole ones stand in `fixtures`.
#![cfg(test)]

use lifehub_core::connector::Connector as _;
use lifehub_core::normalize::Reject;
use lifehub_core::page::{RawItem, RawJson};
use lifehub_trading212::Trading212;
use serde_json::{Value, json};

/// The bodies of the records that a stream makes of a text.
fn read(stream: &str, body: &str) -> Result<Vec<Value>, Reject> {
    let body = RawJson::new(body.to_owned()).unwrap();
    let item = RawItem { id: "1".into(), at: None, version: None, body };
    let connector = Trading212;
    let records = connector.manifest().stream(stream).unwrap().normalizer.normalize(&item)?;
    Ok(records.iter().map(|record| serde_json::from_str(record.body()).unwrap()).collect())
}

#[track_caller]
fn one(stream: &str, body: &Value) -> Value {
    let mut records = read(stream, &body.to_string()).unwrap();
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn fill() -> Value {
    json!({
        "order": {
            "id": 1, "side": "BUY",
            "instrument": { "ticker": "EXTLl_EQ", "isin": "GB00B00EXT16", "currency": "GBX" },
        },
        "fill": {
            "id": 2, "type": "TRADE", "quantity": 20, "price": 88.1, "filledAt": "2026-11-17T10:02:12Z",
            "walletImpact": { "currency": "GBP", "taxes": [] },
        },
    })
}

#[test]
fn pence_are_given_in_pounds() {
    let trade = one("orders", &fill());
    assert_eq!((&trade["price"], &trade["currency"]), (&json!("0.881"), &json!("GBP")));
    let mut quoted = fill();
    quoted["order"]["instrument"]["currency"] = json!("GBP");
    assert_eq!(one("orders", &quoted)["price"], "88.10", "a pound is a pound");
    for (pence, pounds) in [(json!(1), "0.01"), (json!(0.5), "0.005"), (json!(250_000), "2500.00")] {
        let mut quoted = fill();
        quoted["fill"]["price"] = pence;
        assert_eq!(one("orders", &quoted)["price"], pounds);
    }
}

#[test]
fn fees_are_what_was_taken_in_the_currency_of_the_price() {
    let with = |taxes: Value| {
        let mut fill = fill();
        fill["fill"]["walletImpact"]["taxes"] = taxes;
        one("orders", &fill)["fee"].clone()
    };
    let tax = |quantity: f64, currency: &str| json!({ "quantity": quantity, "currency": currency });
    assert_eq!(with(json!([])), Value::Null);
    assert_eq!(with(json!([tax(-0.5, "GBP"), tax(0.125, "GBP"), tax(-12.0, "GBX")])), "0.745");
    assert_eq!(with(json!([tax(-0.5, "GBP"), tax(-0.03, "EUR")])), Value::Null, "half of it would mislead");
    assert_eq!(with(Value::Null), Value::Null);
}

#[test]
fn a_sale_has_a_positive_quantity() {
    let mut sold = fill();
    (sold["order"]["side"], sold["fill"]["quantity"]) = (json!("SELL"), json!(-20));
    let trade = one("orders", &sold);
    assert_eq!((&trade["side"], &trade["quantity"]), (&json!("sell"), &json!("20.00")));
}

#[test]
fn what_was_not_bought_or_sold_is_no_trade() {
    for other in ["STOCK_SPLIT", "SPIN_OFF", "STOCK_ACQUISITION", "A_TYPE_OF_TOMORROW"] {
        let mut action = fill();
        action["fill"]["type"] = json!(other);
        assert_eq!(read("orders", &action.to_string()), Ok(vec![]), "{other}");
        action["order"] = Value::Null;
        assert_eq!(read("orders", &action.to_string()), Ok(vec![]), "{other} without an order");
    }
    for status in ["CANCELLED", "REJECTED", "NEW"] {
        let mut order = fill();
        (order["order"]["status"], order["fill"]) = (json!(status), Value::Null);
        assert_eq!(read("orders", &order.to_string()), Ok(vec![]), "{status}");
    }
}

#[test]
fn digits_are_taken_from_the_text() {
    let body = fill().to_string().replace(":20,", ":0.12345678901234567890123,").replace(":88.1,", ":100e0,");
    let trade = &read("orders", &body).unwrap()[0];
    assert_eq!(trade["quantity"], "0.12345678901234567890123");
    assert_eq!(trade["price"], "1.00");
}

#[test]
fn movements_have_the_sign_of_what_they_do_to_the_account() {
    let of = |kind: &str, amount: f64| {
        let movement = json!({
            "type": kind, "amount": amount, "currency": "EUR", "reference": "r",
            "dateTime": "2026-11-01T07:00:03.120Z",
        });
        let body = one("transactions", &movement);
        (body["amount"].as_str().unwrap().to_owned(), body["transfer"] == true)
    };
    let check = |kind, amount, expected: &str, transfer| {
        assert_eq!(of(kind, amount), (expected.to_owned(), transfer), "{kind} {amount}");
    };
    check("DEPOSIT", 250.0, "250.00", true);
    check("DEPOSIT", -250.0, "-250.00", true);
    check("WITHDRAW", 250.0, "-250.00", true);
    check("WITHDRAW", -250.0, "-250.00", true);
    check("FEE", 0.7, "-0.70", false);
    check("FEE", -0.7, "-0.70", false);
    check("TRANSFER", 10.5, "10.50", true);
    check("TRANSFER", -10.5, "-10.50", true);
}

#[test]
fn the_offset_of_the_server_is_not_that_of_the_person() {
    let connector = Trading212;
    let stream = connector.manifest().stream("dividends").unwrap();
    for (paid, expected) in [
        ("2026-08-04T12:10:45.000+03:00", "2026-08-04T09:10:45Z"),
        ("2026-08-04T12:10:45Z", "2026-08-04T12:10:45Z"),
        ("2026-08-04T12:10:45+00:00", "2026-08-04T12:10:45Z"),
        ("2026-08-04T12:10:45.120+0200", "2026-08-04T10:10:45.12Z"),
        ("2026-08-04T00:10:45.123456+02:00", "2026-08-03T22:10:45.123456Z"),
        ("2026-08-04T12:10:45.123456789Z", "2026-08-04T12:10:45.123456Z"),
    ] {
        let body = json!({ "reference": "r", "amount": 1, "currency": "EUR", "paidOn": paid }).to_string();
        let item = RawItem { id: "1".into(), at: None, version: None, body: RawJson::new(body).unwrap() };
        let records = stream.normalizer.normalize(&item).unwrap();
        let start = records[0].when().start().unwrap();
        assert_eq!((start.offset, start.to_rfc3339().as_str()), (None, expected), "{paid}");
    }
}

#[test]
fn what_is_none_of_its_objects_is_rejected_without_its_values() {
    let with = |change: fn(&mut Value)| {
        let mut fill = fill();
        change(&mut fill);
        ("orders", fill.to_string())
    };
    let movement = |kind: &str, amount: &str| {
        let text = format!(
            r#"{{"type":"{kind}","amount":{amount},"currency":"EUR","dateTime":"2026-11-01T07:00:03Z"}}"#
        );
        ("transactions", text)
    };
    for (stream, body) in [
        with(|fill| fill["fill"]["price"] = json!("about 4711")),
        with(|fill| fill["fill"]["price"] = Value::Null),
        with(|fill| fill["fill"]["filledAt"] = json!("yesterday, 4711")),
        with(|fill| fill["order"]["side"] = json!("4711")),
        with(|fill| fill["order"]["instrument"] = json!("4711")),
        with(|fill| fill["fill"]["type"] = Value::Null),
        movement("LOTTERY_4711", "1"),
        movement("DEPOSIT", "\"4711 €\""),
        movement("DEPOSIT", "null"),
        ("account", json!({ "_day": "2026-11-18", "currency": "EUR", "cash": 4711 }).to_string()),
        ("positions", json!({ "instrument": { "ticker": "4711" } }).to_string()),
    ] {
        let reason = read(stream, &body).unwrap_err().to_string();
        assert!(!reason.is_empty() && !reason.contains("4711"), "{body}: {reason}");
    }
}

//! YNAB's objects as records.

use lifehub_core::prelude::*;
use serde::Deserialize;

use crate::list::{Frame, Framed};

/// Payees whose names YNAB keeps for itself: what they bring was there before, or corrects a balance.
const BOOKINGS: [&str; 3] =
    ["Starting Balance", "Manual Balance Adjustment", "Reconciliation Balance Adjustment"];

#[derive(Deserialize)]
struct Booked {
    /// Without a zone.
    date: Day,
    account_name: Option<String>,
    #[serde(default)]
    subtransactions: Vec<Part>,
    #[serde(flatten)]
    whole: Part,
}

/// A transaction, or a part of one that is split.
#[derive(Deserialize)]
struct Part {
    id: String,
    /// Milliunits: thousandths, whatever the currency; negative what the account paid.
    amount: i64,
    payee_name: Option<String>,
    memo: Option<String>,
    category_name: Option<String>,
    transfer_account_id: Option<String>,
    #[serde(default)]
    deleted: bool,
}

/// Makes the payment of a transaction; of one that is split, a payment of each part.
pub(crate) fn transaction(item: &RawItem) -> Records {
    let Framed { frame, object }: Framed<Frame, Booked> = item.body.read()?;
    let Booked { date, account_name, subtransactions, whole } = object;
    let record = |part: &Part| {
        let payee = filled(&part.payee_name).or_else(|| filled(&whole.payee_name));
        let transaction = Transaction {
            amount: Decimal::from_milliunits(part.amount),
            currency: frame.currency.clone(),
            memo: filled(&part.memo).or_else(|| filled(&whole.memo)),
            category: filled(&part.category_name),
            account: filled(&account_name),
            transfer: part.transfer_account_id.is_some()
                || payee.as_deref().is_some_and(|payee| BOOKINGS.contains(&payee)),
            payee,
        };
        Record::new(When::Day(date), &transaction)
    };
    // Deltas still name parts that are no more.
    let parts: Vec<&Part> = subtransactions.iter().filter(|part| !part.deleted).collect();
    if parts.is_empty() {
        return Ok(vec![record(&whole)?]);
    }
    parts.into_iter().map(|part| Ok(record(part)?.key(part.id.clone()))).collect()
}

/// Makes the balance of an account on the day of asking.
pub(crate) fn balance(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let (id, name): (String, String) = (fields.need("object.id")?, fields.need("object.name")?);
    // A plan that was started afresh has the names of the one before.
    let distinct: String = id.chars().take(8).collect();
    // Milliunits; debts are negative.
    let held: i64 = fields.need("object.balance")?;
    let [closed, deleted]: [Option<bool>; 2] = [fields.get("object.closed")?, fields.get("object.deleted")?];
    let is_over = closed == Some(true) || deleted == Some(true);
    let balance = Balance {
        account: format!("{name} ({distinct})"),
        kind: kind(fields.text("object.type")?.as_deref().unwrap_or_default()),
        amount: Decimal::from_milliunits(if is_over { 0 } else { held }),
        currency: fields.need("frame.currency")?,
    };
    Ok(vec![Record::new(When::Day(fields.need("frame.day")?), &balance)?])
}

fn kind(name: &str) -> AccountKind {
    match name {
        "checking" => AccountKind::Checking,
        "savings" => AccountKind::Savings,
        "cash" => AccountKind::Cash,
        "creditCard" | "lineOfCredit" => AccountKind::Credit,
        "mortgage" | "autoLoan" | "studentLoan" | "personalLoan" | "medicalDebt" | "otherDebt"
        | "otherLiability" => AccountKind::Loan,
        // `otherAsset` may be shares or a house.
        _ => AccountKind::Other,
    }
}

/// Makes what a category had in a month.
pub(crate) fn category(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let members = [
        ("object.name", "name"),
        ("object.category_group_name", "group"),
        ("object.note", "note"),
        ("object.hidden", "hidden"),
        // YNAB's own, such as "Inflow: Ready to Assign".
        ("object.internal", "internal"),
        ("frame.currency", "currency"),
    ];
    let target = fields.get("object.goal_target")?.map(Decimal::from_milliunits);
    let mut custom =
        fields.custom("category", &members)?.with("goal_target", target.map(|target| target.to_string()));
    let unit = fields.need::<String>("frame.currency")?.to_ascii_lowercase();
    for name in ["budgeted", "activity", "balance"] {
        let amount = Decimal::from_milliunits(fields.need(&format!("object.{name}"))?);
        custom = custom.metric(&format!("{name}_{unit}"), Some(amount.to_f64()));
    }
    Ok(vec![Record::new(When::Day(fields.need("frame.day")?), &custom)?])
}

fn filled(text: &Option<String>) -> Option<String> {
    text.as_ref().filter(|text| !text.trim().is_empty()).cloned()
}

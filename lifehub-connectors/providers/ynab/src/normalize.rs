//! YNAB's objects as records. What begins with an underscore, the connector has added.

use lifehub_core::prelude::*;

/// Payees whose names YNAB keeps for itself: what they bring was there before, or corrects a balance.
const BOOKINGS: [&str; 3] =
    ["Starting Balance", "Manual Balance Adjustment", "Reconciliation Balance Adjustment"];

/// Makes the payment of a transaction; of one that is split, a payment of each part.
pub(crate) fn transaction(item: &RawItem) -> Records {
    let whole = Fields::of(item)?;
    // Without a zone.
    let when = When::Day(whole.need("date")?);
    let record = |part: &Fields<'_>| -> Result<Record, Reject> {
        let of_either = |path: &str| Ok::<_, Reject>(part.text(path)?.or(whole.text(path)?));
        let payee = of_either("payee_name")?;
        let transaction = Transaction {
            amount: milliunits(part, "amount")?,
            currency: whole.need("_currency")?,
            memo: of_either("memo")?,
            category: part.text("category_name")?,
            account: whole.text("account_name")?,
            transfer: part.get::<String>("transfer_account_id")?.is_some()
                || payee.as_deref().is_some_and(|payee| BOOKINGS.contains(&payee)),
            payee,
        };
        Ok(Record::new(when.clone(), &transaction)?)
    };
    let mut records = Vec::new();
    for part in whole.list("subtransactions")? {
        // Deltas still name parts that are no more.
        if part.get("deleted")? != Some(true) {
            records.push(record(&part)?.key(part.need::<String>("id")?));
        }
    }
    if records.is_empty() { Ok(vec![record(&whole)?]) } else { Ok(records) }
}

/// Makes the balance of an account on the day of asking.
pub(crate) fn balance(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let (id, name): (String, String) = (fields.need("id")?, fields.need("name")?);
    // A plan that was started afresh has the names of the one before.
    let distinct: String = id.chars().take(8).collect();
    // Debts are negative.
    let held = milliunits(&fields, "balance")?;
    let [closed, deleted]: [Option<bool>; 2] = [fields.get("closed")?, fields.get("deleted")?];
    let is_over = closed == Some(true) || deleted == Some(true);
    let balance = Balance {
        account: format!("{name} ({distinct})"),
        kind: kind(fields.text("type")?.as_deref().unwrap_or_default()),
        amount: if is_over { Decimal::default() } else { held },
        currency: fields.need("_currency")?,
    };
    Ok(vec![Record::new(When::Day(fields.need("_day")?), &balance)?])
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
        ("name", "name"),
        ("category_group_name", "group"),
        ("note", "note"),
        ("hidden", "hidden"),
        // YNAB's own, such as "Inflow: Ready to Assign".
        ("internal", "internal"),
        ("_currency", "currency"),
    ];
    let target = fields.get("goal_target")?.map(Decimal::from_milliunits);
    let mut custom =
        fields.custom("category", &members)?.with("goal_target", target.map(|target| target.to_string()));
    let unit = fields.need::<String>("_currency")?.to_ascii_lowercase();
    for name in ["budgeted", "activity", "balance"] {
        let amount = milliunits(&fields, name)?;
        custom = custom.metric(&format!("{name}_{unit}"), Some(amount.to_f64()));
    }
    Ok(vec![Record::new(When::Day(fields.need("_day")?), &custom)?])
}

/// An amount in thousandths, whatever the currency; negative what an account paid.
fn milliunits(fields: &Fields<'_>, path: &str) -> Result<Decimal, Reject> {
    Ok(Decimal::from_milliunits(fields.need(path)?))
}

//! A row as the records that its range's settings make of it.

use lifehub_core::prelude::*;

use crate::mapping::{Kind, is_currency};
use crate::row::{Cell, Cells, Row, Says};

/// Makes the records of a row: none, if it says nothing of what is asked for.
///
/// A cell with an error where a number is needed rejects the row, so that its last good records stay; where a text may
/// stand, the text is left out.
pub(crate) fn row(item: &RawItem) -> Records {
    let row: Row = item.body.read()?;
    match &row.r#as {
        Says::Vital(cells) => vitals(&row, cells),
        Says::Transaction(cells) => match transaction(cells)? {
            Some(transaction) => Ok(vec![Record::new(row.when()?, &transaction)?]),
            None => Ok(vec![]),
        },
        Says::Custom { schema, metrics, fields } => {
            let mut custom = Custom { schema: schema.clone(), ..Custom::default() };
            for (name, value) in metrics {
                let number = match Cell::of(Some(value)) {
                    Cell::Boolean(ticked) => Some(f64::from(u8::from(ticked))),
                    cell => cell.number(name)?,
                };
                custom = custom.metric(name, number);
            }
            for (name, value) in fields {
                let value: Option<CustomValue> = match Cell::of(Some(value)) {
                    Cell::Empty | Cell::Failed => None,
                    Cell::Boolean(value) => Some(value.into()),
                    Cell::Number(value) => Some(value.into()),
                    Cell::Text(text) => Some(text.into()),
                };
                custom = custom.with(name, value);
            }
            match custom.metrics.is_empty() && custom.fields.is_empty() {
                true => Ok(vec![]),
                false => Ok(vec![Record::new(row.when()?, &custom)?]),
            }
        }
    }
}

fn vitals(row: &Row, cells: &Cells<Kind>) -> Records {
    let mut records = Vec::new();
    for (Kind(kind), value) in cells {
        let name = kind.as_str();
        let Some(value) = Cell::of(Some(value)).number(name)? else { continue };
        if kind.unit() == "ratio" && !(0.0..=1.0).contains(&value) {
            return Err(Reject::new(format!("`{name}` is a fraction from 0 to 1: use a percent format")));
        }
        records.push(Record::new(row.when()?, &Vital::new(*kind, value))?.key(name));
    }
    Ok(records)
}

fn transaction(cells: &Cells) -> Result<Option<Transaction>, Reject> {
    let cell = |member| Cell::of(cells.get(member));
    let number = |member| cell(member).number(member)?.map(|number| decimal(member, number)).transpose();
    let (spent, received) = (number("spent")?, number("received")?);
    let amount = match (number("amount")?, spent, received) {
        (None, Some(spent), Some(received)) if !spent.is_zero() && !received.is_zero() => {
            return Err(Reject::new("both `spent` and `received` hold an amount"));
        }
        (Some(amount), ..) => amount,
        (None, Some(spent), received) if !spent.is_zero() || received.is_none() => -spent,
        (None, _, Some(received)) => received,
        (None, _, None) => return Ok(None),
    };
    let currency = cell("currency").text().filter(|code| is_currency(code));
    Ok(Some(Transaction {
        amount,
        currency: currency
            .ok_or_else(|| Reject::new("there is no currency with a code like EUR"))?
            .to_ascii_uppercase(),
        payee: cell("payee").text(),
        memo: cell("memo").text(),
        category: cell("category").text(),
        account: cell("account").text(),
        transfer: false,
    }))
}

/// The amount that a sheet means: it calculates in binary and shows 15 digits, so that 3.3 may come as 3.3000000000000003.
fn decimal(member: &str, number: f64) -> Result<Decimal, Reject> {
    format!("{number:.14e}").parse().map_err(|_| Reject::new(format!("`{member}` is out of range")))
}

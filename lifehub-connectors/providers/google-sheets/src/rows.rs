//! From the cells of a range to raw items: columns are found by their headers, and each row gets an id.

use std::collections::{BTreeMap, HashMap};

use lifehub_core::prelude::*;
use lifehub_core::record::Digest;
use serde_json::Value;

use crate::mapping::{As, Header};
use crate::row::{Cell, Cells, Row, Says};
use crate::settings::Range;
use crate::sheet::misfit;

/// A longer key counts by its digest: an id has its limits, a cell may hold a book.
const LONGEST_KEY: usize = 200;

/// The items of a range, in the order of its rows.
///
/// # Errors
/// If a column is not there, or is there twice.
pub(crate) fn items(range: &Range, zone: &str, cells: Vec<Vec<Value>>) -> Result<Vec<Item>> {
    let mut rows = cells.into_iter().skip(range.header - 1);
    let columns = Columns::find(range, &rows.next().unwrap_or_default())?;
    let mut occurrences = HashMap::new();
    let mut items = Vec::new();
    for cells in rows {
        let mut row = columns.row(range, &cells);
        let key = range.key.as_ref().map(|key| Cell::of(columns.cell(key, &cells).as_ref()).text());
        if row.is_blank() {
            continue;
        }
        // Without the zone: another one makes no other row of it.
        let content = RawJson::of(&row)?;
        row.zone = range.time.as_ref().map(|_| zone.to_owned());
        let body = RawJson::of(&row)?;
        let known_by = match key {
            None => Digest::of_bytes(content.as_bytes()).to_hex(),
            Some(Some(key)) if key.len() > LONGEST_KEY => Digest::of_bytes(key.as_bytes()).to_hex(),
            Some(Some(key)) => key,
            Some(None) => {
                let reason = "the column of `key` is empty or holds an error".to_owned();
                items.push(Item::Broken { body, reason });
                continue;
            }
        };
        let nth = occurrences.entry(known_by.clone()).or_insert(0_u32);
        *nth += 1;
        let at = row.when().ok().and_then(|when| when.start().map(|start| start.at));
        items.push(Item::Put(RawItem { id: format!("{known_by}#{nth}"), at, version: None, body }));
    }
    Ok(items)
}

/// Where each column is that a range reads.
struct Columns<'a>(BTreeMap<&'a Header, usize>);

impl<'a> Columns<'a> {
    fn find(range: &'a Range, row: &[Value]) -> Result<Self> {
        let title = |value: &Value| Header::new(&Cell::of(Some(value)).text().unwrap_or_default());
        let titles: Vec<Header> = row.iter().map(title).collect();
        if titles.iter().all(Header::is_empty) {
            let text = format!("row {} of the cells is empty and names no columns", range.header);
            return Err(misfit(
                text,
                "set tab, cells and header so that this row is the one with the headers",
            ));
        }
        let mut columns = BTreeMap::new();
        for (member, header) in range.columns() {
            let mut places = titles.iter().enumerate().filter(|(_, title)| *title == header);
            let fault = match (places.next(), places.next()) {
                (Some((place, _)), None) => {
                    columns.insert(header, place);
                    continue;
                }
                (None, _) => format!("no column has the header {header} that `{member}` names"),
                (Some(_), Some(_)) => format!("two columns have the header {header} that `{member}` names"),
            };
            let hint = "give the header back to the one column that is meant, or set another; what was read before stays";
            return Err(misfit(fault, hint));
        }
        Ok(Self(columns))
    }

    /// What a row has in a column, unless that is nothing.
    fn cell(&self, header: &Header, cells: &[Value]) -> Option<Value> {
        let value = cells.get(*self.0.get(header)?)?;
        (!matches!(Cell::of(Some(value)), Cell::Empty)).then(|| value.clone())
    }

    fn row(&self, range: &Range, cells: &[Value]) -> Row {
        let cell = |header: &Header| self.cell(header, cells);
        let named = |columns: &BTreeMap<String, Header>| -> Cells {
            columns.iter().filter_map(|(name, header)| Some((name.clone(), cell(header)?))).collect()
        };
        let says = match &range.r#as {
            As::Vital(columns) => Says::Vital(
                columns.iter().filter_map(|(kind, header)| Some((*kind, cell(header)?))).collect(),
            ),
            As::Transaction(payment) => {
                // The column goes before the constant, and both stand for the currency.
                let name = |member| if member == "currency_column" { "currency" } else { member }.to_owned();
                let own =
                    payment.columns().filter_map(|(member, header)| Some((name(member), cell(header)?)));
                let mut cells: Cells = own.collect();
                if let Some(code) = payment.currency.clone().filter(|_| !cells.is_empty()) {
                    cells.entry("currency".to_owned()).or_insert(code.into());
                }
                Says::Transaction(cells)
            }
            As::Custom(fact) => Says::Custom {
                schema: fact.schema.clone(),
                metrics: named(&fact.metrics),
                fields: named(&fact.fields),
            },
        };
        Row {
            date: range.date.as_ref().and_then(cell),
            time: range.time.as_ref().and_then(cell),
            zone: None,
            r#as: says,
        }
    }
}

//! Exact amounts of money, and pence as parts of a pound.

use lifehub_core::prelude::*;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A number by its digits in the JSON text: a binary fraction holds fifteen of them, and a quantity of shares has more.
#[derive(Clone, Copy)]
pub(crate) struct Amount(pub(crate) Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// An amount in a currency as ISO 4217 knows it. London's shares are quoted in pence, `GBX`.
pub(crate) fn money(amount: Amount, currency: &str) -> Result<(Decimal, String), Reject> {
    match currency {
        "GBX" => Ok((format!("{}e-2", amount.0).parse()?, "GBP".to_owned())),
        _ => Ok((amount.0, currency.to_owned())),
    }
}

/// An amount without its sign.
pub(crate) fn magnitude(amount: Decimal) -> Decimal {
    if amount.is_negative() { -amount } else { amount }
}

/// All of them together.
pub(crate) fn sum(amounts: impl IntoIterator<Item = Decimal>) -> Result<Decimal, Reject> {
    let texts: Vec<String> = amounts.into_iter().map(|amount| amount.to_string()).collect();
    let parts = || texts.iter().filter_map(|text| text.split_once('.'));
    let scale = parts().map(|(_, fraction)| fraction.len()).max().unwrap_or(0);
    // In units of the last digit of the most exact of them.
    let mut total: i128 = 0;
    for (whole, fraction) in parts() {
        let units: Option<i128> = format!("{whole}{fraction:0<scale$}").parse().ok();
        total = units
            .and_then(|units| total.checked_add(units))
            .ok_or_else(|| Reject::new("the sum of the amounts is out of range"))?;
    }
    Ok(format!("{total}e-{scale}").parse()?)
}

//! What can be bought in the made-up market.

use serde_json::{Value, json};

/// A share or a fund.
#[derive(Debug)]
pub(super) struct Instrument {
    ticker: String,
    name: String,
    isin: String,
    /// As it is quoted: `GBX` are pence.
    pub(super) currency: &'static str,
    /// What one costs, in hundredths.
    pub(super) price: i64,
}

/// Ticker, name, ISIN, currency, price.
const KNOWN: [(&str, &str, &str, &str, i64); 8] = [
    ("EXTLl_EQ", "Example Telecom", "GB00B00EXT16", "GBX", 8_810),
    ("SAMP_US_EQ", "Sample Devices", "US0000000017", "USD", 18_450),
    ("WRLDd_EQ", "World Index Fund", "IE00B0000W27", "EUR", 11_230),
    ("MUSTl_EQ", "Muster Foods", "GB00B00MUS38", "GBX", 242_500),
    ("PARCp_EQ", "Parcours SA", "FR0000000049", "EUR", 6_415),
    ("BLUE_US_EQ", "Bluewater Energy", "US0000000058", "USD", 7_320),
    ("GILTl_EQ", "Gilt Fund", "GB00B00GLT64", "GBP", 9_875),
    ("NORDa_EQ", "Nordlicht NV", "NL0000000075", "EUR", 51_240),
];

impl Instrument {
    /// How many are traded every day.
    pub(super) const TRADED: i64 = KNOWN.len() as i64;

    /// That one, counted from 1: those that are traded every day first, after them as many as are asked for.
    pub(super) fn number(number: u64) -> Self {
        let place = usize::try_from(number).unwrap_or(usize::MAX).wrapping_sub(1);
        let (ticker, name, isin, currency, price) = KNOWN[place % KNOWN.len()];
        let instrument =
            |ticker: String, name: String, isin: String| Self { ticker, name, isin, currency, price };
        match place < KNOWN.len() {
            true => instrument(ticker.to_owned(), name.to_owned(), isin.to_owned()),
            false => instrument(
                format!("S{number:03}l_EQ"),
                format!("Sample Holding {number}"),
                format!("GB00SMP{number:05}"),
            ),
        }
    }

    /// Its members in orders, dividends and positions.
    pub(super) fn json(&self) -> Value {
        json!({ "ticker": self.ticker, "name": self.name, "isin": self.isin, "currency": self.currency })
    }

    /// Ten-thousandths of a euro for a unit of its currency.
    pub(super) fn rate(&self) -> i64 {
        match self.currency {
            "GBX" => 116,
            "GBP" => 11_600,
            "USD" => 9_200,
            _ => 10_000,
        }
    }
}

/// The currency in which records give a price, and by how many digits the point moves on the way there.
pub(super) fn priced_in(instrument: &Value) -> (&str, usize) {
    match instrument["currency"].as_str() {
        Some("GBX") => ("GBP", 2),
        other => (other.unwrap_or_default(), 0),
    }
}

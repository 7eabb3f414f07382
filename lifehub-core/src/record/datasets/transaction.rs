//! `transaction`: money in or out of an account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Decimal;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// Money in or out of an account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// How much, seen from the account: negative what it paid, positive what it received.
    pub amount: Decimal,
    /// ISO 4217 code, `EUR`, or another short code without `/` (a coin, points of a shop).
    pub currency: String,
    /// Who received or sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<String>,
    /// The bank's or the person's note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
    /// Its category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The account, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether it only moves money between the person's own accounts: such a transaction is neither spending nor income.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transfer: bool,
}

impl Dataset for Transaction {
    const NAME: &'static str = "transaction";
    const TITLE: &'static str = "Payments";
    const METRICS: &'static [Metric] = &[
        Metric { name: "finance.spending", unit: "currency", aggregation: Aggregation::Sum },
        Metric { name: "finance.income", unit: "currency", aggregation: Aggregation::Sum },
    ];

    /// The label is the currency. Both metrics are positive.
    fn points(&self, _: &When) -> Vec<Point> {
        if self.transfer || self.amount.is_zero() {
            return Vec::new();
        }
        let metric = if self.amount.is_negative() { "finance.spending" } else { "finance.income" };
        vec![Point::new(metric, self.amount.to_f64().abs()).label(self.currency.clone())]
    }
}

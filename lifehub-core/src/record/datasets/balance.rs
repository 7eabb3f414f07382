//! `balance`: what an account holds at a moment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Decimal;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// What an account holds at a moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// The account, by a name that no other account of the connection bears.
    pub account: String,
    /// What kind of account it is.
    pub kind: AccountKind,
    /// What it is worth to its owner; debts are negative.
    pub amount: Decimal,
    /// ISO 4217 code, `EUR`, or another short code without `/` (a coin, points of a shop).
    pub currency: String,
}

/// What kind of account holds the money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountKind {
    /// For daily payments.
    Checking,
    /// For savings.
    Savings,
    /// Coins and notes, and money that waits at a broker.
    Cash,
    /// A credit card or a line of credit.
    Credit,
    /// A loan or a mortgage.
    Loan,
    /// Shares, funds, coins.
    Investment,
    /// Things of value: a house, a car.
    Property,
    /// None of these, or the provider does not say.
    #[default]
    Other,
}

impl Dataset for Balance {
    const NAME: &'static str = "balance";
    const TITLE: &'static str = "Account balances";
    const METRICS: &'static [Metric] =
        &[Metric { name: "finance.net_worth", unit: "currency", aggregation: Aggregation::Last }];

    /// The label is `currency/account`, `EUR/Savings`. Under the currency alone the latest account would stand for all of
    /// them. So the net worth of a day is the sum over the labels of one currency (what stands before the first `/`),
    /// where an account without a balance on that day keeps its latest one from before.
    fn points(&self, _: &When) -> Vec<Point> {
        let label = format!("{}/{}", self.currency, self.account);
        vec![Point::new("finance.net_worth", self.amount.to_f64()).label(label)]
    }
}

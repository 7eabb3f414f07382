//! `trade`: something bought or sold on a market.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Decimal;
use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// A purchase or sale of shares, funds or coins that took place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trade {
    /// What was traded: ticker, ISIN or name.
    pub instrument: String,
    /// Bought or sold.
    pub side: TradeSide,
    /// How many; positive on both sides.
    pub quantity: Decimal,
    /// Price of one, in `currency`.
    pub price: Decimal,
    /// ISO 4217 code, `EUR`, or another short code without `/` (a coin, points of a shop).
    /// A price in a part of a currency (pence, `GBX`) is given in the currency.
    pub currency: String,
    /// What the broker and the state took, in `currency`; not part of the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Decimal>,
}

/// Which way a trade went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TradeSide {
    /// Money for the instrument.
    Buy,
    /// The instrument for money.
    Sell,
}

impl Dataset for Trade {
    const NAME: &'static str = "trade";
    const TITLE: &'static str = "Trades";
    const METRICS: &'static [Metric] =
        &[Metric { name: "finance.invested", unit: "currency", aggregation: Aggregation::Sum }];

    /// Price times quantity, fees apart; sales count negative. The label is the currency.
    fn points(&self, _: &When) -> Vec<Point> {
        // Some providers sign the quantity of a sale. The side alone decides, so that no sale turns into a purchase.
        let worth = self.quantity.to_f64().abs() * self.price.to_f64();
        let invested = match self.side {
            TradeSide::Buy => worth,
            TradeSide::Sell => -worth,
        };
        vec![Point::new("finance.invested", invested).label(self.currency.clone())]
    }
}

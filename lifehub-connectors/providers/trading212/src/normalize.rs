//! What Trading 212's objects stand for: trades, movements of cash, balances, positions.
//!
//! All times are taken as instants in UTC: the offset in them is that of the provider's servers (`Z`, or `+03:00` in
//! older dividends), not that of the person, whose zone decides the day.

use lifehub_core::prelude::*;
use serde::de::IgnoredAny;

/// The account in which uninvested money lies: by the same name in its balance and in its movements.
const CASH: &str = "Cash";

fn at(instant: Timestamp) -> When {
    When::At(Moment::utc(instant))
}

/// An amount in a currency as ISO 4217 knows it. London's shares are quoted in pence, `GBX`.
fn money(fields: &Fields<'_>, amount: &str, currency: &str) -> Result<(Decimal, String), Reject> {
    let (amount, currency): (Decimal, String) = (fields.need_amount(amount)?, fields.need(currency)?);
    if currency != "GBX" {
        return Ok((amount, currency));
    }
    let pounds = amount.point_left(2).ok_or_else(|| Reject::new("an amount of pence is out of range"))?;
    Ok((pounds, "GBP".to_owned()))
}

fn sum(one: Decimal, other: Decimal) -> Result<Decimal, Reject> {
    one.checked_add(other).ok_or_else(|| Reject::new("the sum of the amounts is out of range"))
}

/// Makes the trade of a fill. An order that was not filled is none, and neither are splits, spin-offs and mergers, which
/// are fills of other types: what they do to a holding shows in the positions.
pub(crate) fn order(item: &RawItem) -> Records {
    let order = Fields::of(item)?;
    // Tickers are of Trading 212's own making; everybody knows the ISIN.
    let instrument = match order.text("order.instrument.isin")? {
        Some(isin) => Some(isin),
        None => order.text("order.instrument.ticker")?,
    };
    if order.get::<IgnoredAny>("fill")?.is_none() || order.need::<String>("fill.type")? != "TRADE" {
        return Ok(vec![]);
    }
    let (price, currency) = money(&order, "fill.price", "order.instrument.currency")?;
    let trade = Trade {
        instrument: instrument.ok_or_else(|| Reject::new("`order.instrument.isin` is missing"))?,
        side: match order.need::<String>("order.side")?.as_str() {
            "BUY" => TradeSide::Buy,
            "SELL" => TradeSide::Sell,
            _ => return Err(Reject::new("`order.side` is neither BUY nor SELL")),
        },
        // Negative where something is sold.
        quantity: order.need_amount("fill.quantity")?.abs(),
        price,
        fee: fee(&order.list("fill.walletImpact.taxes")?, &currency)?,
        currency,
    };
    Ok(vec![Record::new(at(order.need("fill.filledAt")?), &trade)?])
}

/// What was taken, if anything was, and all of it in the currency of the price. (Taxes come in the account's. `fxRate`
/// leads from one to the other, but in which direction is not documented, and neither is the sign of a tax.)
fn fee(taxes: &[Fields<'_>], currency: &str) -> Result<Option<Decimal>, Reject> {
    let mut fee = None;
    for tax in taxes {
        let (amount, of) = money(tax, "quantity", "currency")?;
        if of != currency {
            return Ok(None);
        }
        fee = Some(sum(fee.unwrap_or_default(), amount.abs())?);
    }
    Ok(fee)
}

/// Makes the income of a dividend.
pub(crate) fn dividend(item: &RawItem) -> Records {
    booked(&Fields::of(item)?, "paidOn", "dividend")
}

/// Makes the transaction of a movement of cash. All but fees only move the person's own money.
pub(crate) fn transaction(item: &RawItem) -> Records {
    let movement = Fields::of(item)?;
    let category = match movement.need::<String>("type")?.as_str() {
        "DEPOSIT" => "deposit",
        "TRANSFER" => "transfer",
        "WITHDRAW" => "withdrawal",
        "FEE" => "fee",
        // What another one would do to the account is not guessed.
        _ => return Err(Reject::new("`type` is none of DEPOSIT, TRANSFER, WITHDRAW, FEE")),
    };
    booked(&movement, "dateTime", category)
}

fn booked(movement: &Fields<'_>, time: &str, category: &str) -> Records {
    let (amount, currency) = money(movement, "amount", "currency")?;
    let transaction = Transaction {
        // With or without a minus, these leave the account.
        amount: if matches!(category, "withdrawal" | "fee") { -amount.abs() } else { amount },
        currency,
        payee: movement.text("instrument.name")?.or(movement.text("instrument.ticker")?),
        category: Some(category.to_owned()),
        account: Some(CASH.to_owned()),
        transfer: !matches!(category, "dividend" | "fee"),
        ..Transaction::default()
    };
    Ok(vec![Record::new(at(movement.need(time)?), &transaction)?])
}

/// Makes the balances of a day: uninvested money, wherever in the account it lies, and what is invested. Together they
/// are the account's `totalValue`.
pub(crate) fn account(item: &RawItem) -> Records {
    let account = Fields::of(item)?;
    let (day, currency): (Day, String) = (account.need("_day")?, account.need("currency")?);
    let mut cash = account.need_amount("cash.availableToTrade")?;
    for bound in ["cash.inPies", "cash.reservedForOrders"] {
        cash = sum(cash, account.amount(bound)?.unwrap_or_default())?;
    }
    let balance = |account: &str, kind, amount, key| -> Result<Record, Reject> {
        let balance = Balance { account: account.into(), kind, amount, currency: currency.clone() };
        Ok(Record::new(When::Day(day), &balance)?.key(key))
    };
    let invested = account.need_amount("investments.currentValue")?;
    Ok(vec![
        balance(CASH, AccountKind::Cash, cash, "cash")?,
        balance("Investments", AccountKind::Investment, invested, "investments")?,
    ])
}

/// Makes the holding of a position, on the day on which it was opened: prices in the instrument's currency, values in the
/// account's. It yields no metric: what it is worth is in the balance of the investments already.
pub(crate) fn position(item: &RawItem) -> Records {
    let position = Fields::of(item)?;
    let texts = [
        ("instrument.ticker", "ticker"),
        ("instrument.isin", "isin"),
        ("instrument.name", "name"),
        ("walletImpact.currency", "currency"),
    ];
    let mut custom = position.custom("position", &texts)?;
    let amounts = [
        ("quantityAvailableForTrading", "quantity_available"),
        ("quantityInPies", "quantity_in_pies"),
        ("walletImpact.totalCost", "cost"),
        ("walletImpact.currentValue", "value"),
        ("walletImpact.unrealizedProfitLoss", "unrealized_profit"),
        ("walletImpact.fxImpact", "fx_impact"),
    ];
    // Exact amounts are texts.
    for (path, name) in amounts {
        custom = custom.with(name, position.amount(path)?.map(|amount| amount.to_string()));
    }
    for (path, name) in [("averagePricePaid", "average_price"), ("currentPrice", "current_price")] {
        let (price, currency) = money(&position, path, "instrument.currency")?;
        custom = custom.with(name, Some(price.to_string())).with("price_currency", Some(currency));
    }
    let custom = custom.with("quantity", Some(position.need_amount("quantity")?.to_string()));
    Ok(vec![Record::new(at(position.need("createdAt")?), &custom)?])
}

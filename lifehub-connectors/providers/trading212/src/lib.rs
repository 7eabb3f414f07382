//! Trading 212: the orders, dividends, cash movements, balances and open positions of one investment account.
//!
//! Facts are from Trading 212's API documentation (<https://docs.trading212.com/api>); see the README for what is read,
//! the limits, and the quirks.

mod normalize;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;
use serde::de::IgnoredAny;

const ORDERS: &str = "/api/v0/equity/history/orders";
const DIVIDENDS: &str = "/api/v0/equity/history/dividends";
const TRANSACTIONS: &str = "/api/v0/equity/history/transactions";
const SUMMARY: &str = "/api/v0/equity/account/summary";
const POSITIONS: &str = "/api/v0/equity/positions";

/// The most that Trading 212 gives a page of a history.
const LIMIT: u32 = 50;

/// Things are only added to a history. What changes in it later (an order's state, a tax, a corrected dividend) is found
/// by reading its last days again.
const LOOKBACK: Duration = DAY.saturating_mul(30);

/// Reads Trading 212.
#[derive(Debug)]
pub struct Trading212;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| Manifest {
    id: "trading212",
    title: "Trading 212",
    about: "Trades, dividends, cash movements, balances and open positions of one investment account",
    docs: "https://docs.trading212.com/api",
    // The host alone: the paths of next pages come with `/api/v0`, and are followed as they are.
    base_url: "https://live.trading212.com",
    origins: &[],
    auth: Auth::basic(
        CredentialField::secret("api_key", "API key"),
        CredentialField::secret("api_secret", "API secret"),
    ),
    // A burst serves the page or two that a usual sync reads; a longer walk goes on at the pace that is left.
    quotas: vec![
        quota("orders", ORDERS, 6, 60).burst(2),
        quota("dividends", DIVIDENDS, 6, 60).burst(2),
        quota("transactions", TRANSACTIONS, 6, 60).burst(2),
        quota("account", SUMMARY, 1, 5),
        quota("positions", POSITIONS, 1, 1),
    ],
    streams: vec![
        StreamSpec::incremental("orders", "Orders", &["trade"], normalize::order)
            .lookback(LOOKBACK)
            .scopes(&["history:orders"]),
        StreamSpec::incremental("dividends", "Dividends", &["transaction"], normalize::dividend)
            .lookback(LOOKBACK)
            .scopes(&["history:dividends"]),
        StreamSpec::incremental("transactions", "Cash movements", &["transaction"], normalize::transaction)
            .lookback(LOOKBACK)
            .scopes(&["history:transactions"]),
        StreamSpec::snapshot("account", "Account value", &["balance"], normalize::account)
            .scopes(&["account"]),
        // One answer has all of them, and one that is closed is in it no more.
        StreamSpec::snapshot("positions", "Open positions", &["custom"], normalize::position)
            .absence(Absence::MeansGone)
            .scopes(&["portfolio"]),
    ],
    settings: no_settings(),
    terms: Terms {
        // No such duty is known, and it is the person's own history.
        delete_on_withdrawal: false,
        ..Terms::owner_only("https://www.trading212.com/legal-documentation/API-Terms_EN.pdf")
    },
});

/// Each account has its own, per path. Other programs of the same person spend from the same account: that the answers'
/// headers (`x-ratelimit-remaining`, `x-ratelimit-reset`) say so is heard without a word here.
fn quota(name: &'static str, path: &'static str, limit: u32, seconds: u64) -> QuotaSpec {
    QuotaSpec::sliding(name, QuotaScope::Connection, limit, Duration::from_secs(seconds)).only(path)
}

/// Bodies differ from server to server and may be empty, so that the status alone decides.
const REFUSED: &[Refused] = &[
    Refused::on(401, ErrorKind::Unauthorized, "Trading 212 does not accept the API key").hint(
        "make a key in the Trading 212 app (Settings, API) and connect the account again with key and secret; a key of \
         a practice account needs base_url = \"https://demo.trading212.com\"",
    ),
    Refused::on(403, ErrorKind::Forbidden, "the API key does not allow this").hint(
        "a permission is missing, or this machine in the key's list of addresses: in the Trading 212 app, make a key that \
         may read account data, history and portfolio, and connect the account again",
    ),
    Refused::on(404, ErrorKind::NotFound, "there is no such API at this address")
        .hint("base_url is https://live.trading212.com or https://demo.trading212.com, without a path"),
];

#[async_trait]
impl Connector for Trading212 {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let read = |answer: &Answer| {
            let (id, currency): (i64, String) = (answer.member("id")?, answer.member("currency")?);
            Ok(Identity { account: id.to_string(), title: Some(format!("{id} ({currency})")) })
        };
        cx.get(SUMMARY).parse(read).await
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        let (items, covers) = match at.stream {
            "orders" => return list(cx, ORDERS, cursor, order).await,
            "dividends" => return list(cx, DIVIDENDS, cursor, |entry| booking(entry, "paidOn")).await,
            "transactions" => {
                return list(cx, TRANSACTIONS, cursor, |entry| booking(entry, "dateTime")).await;
            }
            "account" => (vec![cx.get(SUMMARY).parse(worth).await?], Coverage::Nothing),
            "positions" => {
                // Each instrument is held in one.
                let key = |entry: &Fields<'_>| entry.need::<String>("instrument.ticker").map(ItemKey::new);
                let items = cx.get(POSITIONS).parse(Answer::items).await?;
                (items.into_iter().map(|body| Item::read(body, key)).collect(), Coverage::Whole)
            }
            _ => return Err(at.unknown()),
        };
        Ok(Page { items, next: go_on(None::<PagePath>, covers)? })
    }

    fn classify(&self) -> Option<Classify> {
        Some(|answer| refused(answer, REFUSED))
    }
}

/// Orders and fills are numbered apart, so that a number alone is not unique. An order that is filled in several steps
/// comes several times.
fn order(entry: &Fields<'_>) -> Result<ItemKey, Reject> {
    let (kind, time) = match entry.get::<IgnoredAny>("fill")? {
        Some(_) => ("fill", "filledAt"),
        None => ("order", "createdAt"),
    };
    let id: i64 = entry.need(&format!("{kind}.id"))?;
    Ok(ItemKey::new(format_args!("{kind}:{id}")).at(entry.maybe(&format!("{kind}.{time}"))))
}

/// A dividend, or another movement of cash.
fn booking(entry: &Fields<'_>, time: &str) -> Result<ItemKey, Reject> {
    Ok(ItemKey::new(entry.need::<String>("reference")?).at(entry.maybe(time)))
}

/// A page of a history. It comes newest first and knows no "since": a live pass ends with the first page that lies
/// before the look-back as a whole, whichever of its times the list goes by.
async fn list(
    cx: &Context<'_>,
    path: &str,
    cursor: Option<&Cursor>,
    key: fn(&Fields<'_>) -> Result<ItemKey, Reject>,
) -> Result<Page> {
    let place: PagePath = resume(cursor)?;
    let read = |answer: &Answer| {
        let page = answer.fields()?;
        let items = page.items("items")?;
        // An empty page is the end, wherever it leads.
        let link = page.text("nextPagePath")?.filter(|_| !items.is_empty());
        Ok((items, next_page(answer, link)?))
    };
    let (items, next) = cx.page(&place, cx.get(path).query("limit", LIMIT)).parse(read).await?;
    let items: Vec<Item> = items.into_iter().map(|body| Item::read(body, key)).collect();
    let next = next.filter(|_| !is_before(&items, cx.pass().from));
    Ok(Page { items, next: go_on(next, Coverage::Nothing)? })
}

/// Where `nextPagePath` leads: a path from the root of the host, all of its parameters included. Some versions of the
/// server write the word `null` into it where the list ends.
fn next_page(answer: &Answer, link: Option<String>) -> Result<Option<PagePath>> {
    let is_end = |link: &String| link.split(['?', '&', '=']).any(|part| part == "null");
    match link.filter(|link| !is_end(link)) {
        // It stands below the base URL, wherever an operator put that.
        Some(path) if path.starts_with('/') && !path.starts_with("//") => {
            Ok(Some(PagePath { path: Some(path) }))
        }
        link => PagePath::linked(answer, link.as_deref()),
    }
}

/// Whether all of a page is older than that. What bears no time that can be read may be new.
fn is_before(items: &[Item], from: Option<Timestamp>) -> bool {
    items.iter().all(|item| matches!(item, Item::Put(RawItem { at: Some(at), .. }) if Some(*at) < from))
}

/// What the account is worth, once a day: the provider tells of the moment alone, and not which.
fn worth(answer: &Answer) -> Result<Item> {
    let (id, day): (i64, Day) = (answer.member("id")?, answer.sent.utc_day());
    let body = answer.raw(answer.json()?).with("_day", day.to_string());
    Ok(Item::Put(RawItem { id: format!("{id}@{day}"), at: None, version: None, body }))
}

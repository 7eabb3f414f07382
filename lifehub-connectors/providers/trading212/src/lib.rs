//! Trading 212: the orders, dividends, cash movements, balances and open positions of one investment account.
//!
//! Facts are from Trading 212's API documentation (<https://docs.trading212.com/api>); see the README for what is read,
//! the limits, and the quirks.

mod key;
mod normalize;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::normalize::Normalizer;
use lifehub_core::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

const ORDERS: &str = "/api/v0/equity/history/orders";
const DIVIDENDS: &str = "/api/v0/equity/history/dividends";
const TRANSACTIONS: &str = "/api/v0/equity/history/transactions";
const SUMMARY: &str = "/api/v0/equity/account/summary";
const POSITIONS: &str = "/api/v0/equity/positions";

/// The most that Trading 212 gives a page of a history.
const LIMIT: u32 = 50;

/// Reads Trading 212.
#[derive(Debug)]
pub struct Trading212 {
    manifest: Manifest,
}

impl Default for Trading212 {
    fn default() -> Self {
        Self { manifest: manifest() }
    }
}

fn manifest() -> Manifest {
    Manifest {
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
        quotas: quotas(),
        streams: vec![
            history("orders", "Orders", &["trade"], normalize::order).scopes(&["history:orders"]),
            history("dividends", "Dividends", &["transaction"], normalize::dividend)
                .scopes(&["history:dividends"]),
            history("transactions", "Cash movements", &["transaction"], normalize::transaction)
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
    }
}

/// A list to which things are only added. What changes in it later (an order's state, a tax, a corrected dividend) is
/// found by reading the last 30 days again.
fn history(
    name: &'static str,
    title: &'static str,
    datasets: &'static [&'static str],
    normalizer: impl Normalizer + 'static,
) -> StreamSpec {
    StreamSpec::incremental(name, title, datasets, normalizer).lookback(30 * DAY)
}

/// Each account has its own, per path. A burst serves the page or two that a usual sync reads; a longer walk goes on at
/// the pace that is left. Other programs of the same person spend from the same account: that the answers' headers
/// (`x-ratelimit-remaining`, `x-ratelimit-reset`) say so is heard without a word here.
fn quotas() -> Vec<QuotaSpec> {
    let quota = |name, path, limit, seconds, burst| {
        QuotaSpec::sliding(name, QuotaScope::Connection, limit, Duration::from_secs(seconds))
            .burst(burst)
            .only(path)
    };
    vec![
        quota("orders", ORDERS, 6, 60, 2),
        quota("dividends", DIVIDENDS, 6, 60, 2),
        quota("transactions", TRANSACTIONS, 6, 60, 2),
        quota("account", SUMMARY, 1, 5, 1),
        quota("positions", POSITIONS, 1, 1, 1),
    ]
}

/// Bodies differ from server to server and may be empty, so that the status alone decides.
const REFUSED: &[Refused] = &[
    Refused::on(
        401,
        ErrorKind::Unauthorized,
        "Trading 212 does not accept the API key",
        "make a key in the Trading 212 app (Settings, API) and connect the account again with key and secret; a key of \
         a practice account needs base_url = \"https://demo.trading212.com\"",
    ),
    Refused::on(
        403,
        ErrorKind::Forbidden,
        "the API key does not allow this",
        "a permission is missing, or this machine in the key's list of addresses: in the Trading 212 app, make a key that \
         may read account data, history and portfolio, and connect the account again",
    ),
    Refused::on(
        404,
        ErrorKind::NotFound,
        "there is no such API at this address",
        "base_url is https://live.trading212.com or https://demo.trading212.com, without a path",
    ),
];

#[async_trait]
impl Connector for Trading212 {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let answer = cx.get(SUMMARY).send().await?;
        let (id, currency): (i64, String) = (answer.member("id")?, answer.member("currency")?);
        Ok(Identity { account: id.to_string(), title: Some(format!("{id} ({currency})")) })
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        match at.stream {
            "orders" => list(cx, ORDERS, cursor, key::order).await,
            "dividends" => list(cx, DIVIDENDS, cursor, key::dividend).await,
            "transactions" => list(cx, TRANSACTIONS, cursor, key::transaction).await,
            "account" => account(cx).await,
            "positions" => positions(cx).await,
            _ => Err(at.unknown()),
        }
    }

    fn classify(&self) -> Option<Classify> {
        Some(|answer| refused(answer, REFUSED))
    }
}

/// A page of a history. It comes newest first and knows no "since": a live pass ends with the first page that lies
/// before the look-back as a whole, whichever of its times the list goes by.
async fn list(
    cx: &Context<'_>,
    path: &str,
    cursor: Option<&Cursor>,
    key: fn(Value) -> ItemKey,
) -> Result<Page> {
    let place: PagePath = resume(cursor)?;
    let call = match &place.path {
        Some(path) => cx.get(path),
        None => cx.get(path).query("limit", LIMIT),
    };
    let read = |answer: &Answer| {
        let items = answer.items_at("items")?;
        // An empty page is the end, wherever it leads.
        let link = answer.member_opt::<String>("nextPagePath")?.filter(|_| !items.is_empty());
        Ok((items, next_page(answer, link)?))
    };
    let (items, next) = call.parse(read).await.map_err(|error| match error.kind() {
        ErrorKind::Invalid if place.path.is_some() => forgotten(&error),
        _ => error,
    })?;
    let items: Vec<Item> = items.into_iter().map(|body| Item::read(body, key)).collect();
    let next = next.filter(|_| !is_before(&items, cx.pass().from));
    Ok(Page { items, next: go_on(next, Coverage::Nothing)? })
}

/// Where `nextPagePath` leads: a path from the root of the host, all of its parameters included. Some versions of the
/// server write the word `null` into it where the list ends.
fn next_page(answer: &Answer, link: Option<String>) -> Result<Option<PagePath>> {
    let is_end = |link: &String| link.is_empty() || link.split(['?', '&', '=']).any(|part| part == "null");
    let Some(link) = link.filter(|link| !is_end(link)) else { return Ok(None) };
    let path = match link.starts_with('/') && !link.starts_with("//") {
        // It stands below the base URL, wherever an operator put that.
        true => link,
        false => answer.path_of(&link)?,
    };
    Ok(Some(PagePath { path: Some(path) }))
}

/// A 400 to a path that the provider handed out itself: what it points at is no more.
fn forgotten(refused: &Error) -> Error {
    let text = "Trading 212 does not take the path of its own next page";
    let hint =
        "the list was read from its newest item again; if that helps nothing, it is the provider's fault";
    let error = Error::new(ErrorKind::CursorExpired, text).hint(hint);
    refused.context().iter().fold(error, |error, (name, value)| error.with(name, value))
}

/// Whether all of a page is older than that. What bears no time that can be read may be new.
fn is_before(items: &[Item], from: Option<Timestamp>) -> bool {
    items.iter().all(|item| matches!(item, Item::Put(RawItem { at: Some(at), .. }) if Some(*at) < from))
}

/// What the account is worth, once a day: the provider tells of the moment alone, and not which.
async fn account(cx: &Context<'_>) -> Result<Page> {
    let read = |answer: &Answer| {
        let (id, summary): (i64, &RawValue) = (answer.member("id")?, answer.json()?);
        let day = answer.sent.utc_day();
        let body = RawJson::new(format!(r#"{{"day":"{day}","summary":{}}}"#, summary.get()))?;
        Ok(Item::Put(RawItem { id: format!("{id}@{day}"), at: None, version: None, body }))
    };
    let items = vec![cx.get(SUMMARY).parse(read).await?];
    Ok(Page { items, next: go_on(None::<PagePath>, Coverage::Nothing)? })
}

async fn positions(cx: &Context<'_>) -> Result<Page> {
    let items = cx.get(POSITIONS).parse(Answer::items).await?;
    let items = items.into_iter().map(|body| Item::read(body, key::position)).collect();
    Ok(Page { items, next: go_on(None::<PagePath>, Coverage::Whole)? })
}

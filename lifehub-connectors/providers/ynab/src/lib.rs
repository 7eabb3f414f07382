//! YNAB: the transactions, account balances and categories of a person's plans (which were called budgets until 2026).
//!
//! Facts are from YNAB's API documentation (<https://api.ynab.com>) and its description of the endpoints; see the README
//! for what is read, the limits, and the quirks.

mod list;
mod normalize;
mod refusal;
#[cfg(feature = "simulator")]
pub mod simulator;

use std::collections::BTreeMap;

use lifehub_core::prelude::*;
use serde::de::IgnoredAny;

use list::Known;

/// From when on transactions are asked for, in **every** call. Without it YNAB leaves out what is dated more than a year
/// ago: of a delta too, while its knowledge goes on, so that the change would never come again.
const SINCE: &str = "1970-01-01";

/// The most that a list may take. It comes whole, with about a kilobyte for each transaction: some have thirty years of them.
const LARGEST: usize = 128 << 20;

/// Stands for a plan whose currency YNAB does not tell: ISO 4217's code for none.
const NO_CURRENCY: &str = "XXX";

/// Reads YNAB.
#[derive(Debug)]
pub struct Ynab;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| Manifest {
    id: "ynab",
    title: "YNAB",
    about: "Transactions, account balances and categories of your plans",
    docs: "https://api.ynab.com",
    base_url: "https://api.ynab.com/v1",
    origins: &[],
    auth: Auth::oauth2(OAUTH),
    // Per access token, of which a connection has one at a time.
    quotas: vec![QuotaSpec::sliding("hour", QuotaScope::Connection, 200, HOUR).burst(50)],
    // Between the weekly full passes, live ones ask for what changed; that names what is gone. No stream needs a scope
    // of its own: every token may read.
    streams: vec![
        StreamSpec::incremental("transactions", "Transactions", &["transaction"], normalize::transaction)
            .absence(Absence::MeansGone),
        // What an account held on a day stays true when the account is no more.
        StreamSpec::incremental("accounts", "Account balances", &["balance"], normalize::balance),
        StreamSpec::incremental("categories", "Categories by month", &["custom"], normalize::category)
            .absence(Absence::MeansGone),
    ],
    settings: no_settings(),
    // Nothing in them asks for data to be deleted, only to be passed on to nobody unknown to its owner.
    terms: Terms { delete_on_withdrawal: false, ..Terms::owner_only("https://api.ynab.com/#terms") },
});

/// YNAB's consent. Access tokens live for two hours; a refresh token dies when the access token that came of it is first
/// used. Only the user can take the consent back, in YNAB's settings.
const OAUTH: OAuthSpec =
    OAuthSpec::new("https://app.ynab.com/oauth/authorize", "https://app.ynab.com/oauth/token")
        .scopes(&["read-only"])
        .client_auth(ClientAuth::Form);

/// The currency of a plan; all of its accounts have the same.
async fn currency(cx: &Context<'_>, plan: &str) -> Result<String> {
    const FORMAT: &str = "data.settings.currency_format";
    let settings = cx.get("/plans").segment(plan).segment("settings");
    let code = settings.parse(|answer| match answer.member::<Option<IgnoredAny>>(FORMAT)? {
        Some(_) => answer.member(&format!("{FORMAT}.iso_code")),
        None => Ok(NO_CURRENCY.to_owned()),
    });
    code.await
}

#[async_trait]
impl Connector for Ynab {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    /// YNAB tells nothing of a user but an id.
    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let account = cx.get("/user").parse(|answer| answer.member("data.user.id")).await?;
        Ok(Identity { account, title: None })
    }

    /// The plans, by their ids: `last-used` and `default` would be another plan tomorrow.
    async fn partitions(&self, cx: &Context<'_>, _stream: &str) -> Result<Vec<Partition>> {
        let call = cx.get("/plans").query("include_accounts", false);
        let plans =
            call.parse(|answer| answer.items_at("data.budgets").or_else(|_| answer.items_at("data.plans")));
        let partition = |plan: &RawJson| {
            let plan = Fields::read(plan)?;
            Ok(Partition { id: plan.need::<String>("id")?.into(), title: plan.need("name")? })
        };
        plans.await?.iter().map(partition).collect()
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        let Place { stream, partition: plan } = at;
        if MANIFEST.stream(stream).is_none() {
            return Err(at.unknown());
        }
        let before: Option<Known> = cursor.map(Cursor::read).transpose()?;
        let currency = currency(cx, plan).await?;
        let day = list::day(stream, cx.now().utc_day());
        // Whether what did not change since is still right. A balance stays that of its day, but the amounts of a category
        // are those of the current month.
        let holds =
            |before: &&Known| before.currency == currency && (stream == "accounts" || before.day == day);
        let since = before.as_ref().filter(holds).map(|before| before.knowledge);
        let call = cx
            .get("/plans")
            .segment(plan)
            .segment(stream)
            .query_opt("since_date", (stream == "transactions").then_some(SINCE))
            .token("last_knowledge_of_server", since)
            .max_bytes(LARGEST);
        let (knowledge, objects) = call
            .parse(|answer| Ok((answer.member("data.server_knowledge")?, list::objects(stream, answer)?)))
            .await?;
        let mut known = Known { knowledge, currency, day, names: BTreeMap::new() };
        let mut items: Vec<Item> =
            objects.into_iter().map(|(object, gone)| known.item(stream, object, gone)).collect();
        let covers = if since.is_none() { list::covers(stream, &items) } else { Coverage::Nothing };
        if let Some(before) = before {
            items.extend(known.follow(before)?);
        }
        Ok(Page { items, next: Next::caught_up(&known, covers)? })
    }

    fn classify(&self) -> Option<Classify> {
        Some(|answer| refused(answer, refusal::REFUSED))
    }
}

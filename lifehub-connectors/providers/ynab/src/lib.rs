//! YNAB: the transactions, account balances and categories of a person's plans (which were called budgets until 2026).
//!
//! Facts are from YNAB's API documentation (<https://api.ynab.com>) and its description of the endpoints; see the README
//! for what is read, the limits, and the quirks.

mod list;
mod normalize;
mod refusal;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;
use serde::Deserialize;

use list::{Frame, Known, List};

/// From when on transactions are asked for, in **every** call. Without it YNAB leaves out what is dated more than a year
/// ago: of a delta too, while its knowledge goes on, so that the change would never come again.
const SINCE: &str = "1970-01-01";

/// The most that a list may take. It comes whole, with about a kilobyte for each transaction: some have thirty years of them.
const LARGEST: usize = 128 << 20;

/// Stands for a plan whose currency YNAB does not tell: ISO 4217's code for none.
const NO_CURRENCY: &str = "XXX";

/// Reads YNAB.
#[derive(Debug)]
pub struct Ynab {
    manifest: Manifest,
}

impl Default for Ynab {
    fn default() -> Self {
        Self { manifest: manifest() }
    }
}

fn manifest() -> Manifest {
    Manifest {
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
    }
}

/// YNAB's consent. Access tokens live for two hours; a refresh token dies when the access token that came of it is first
/// used. Only the user can take the consent back, in YNAB's settings.
const OAUTH: OAuthSpec =
    OAuthSpec::new("https://app.ynab.com/oauth/authorize", "https://app.ynab.com/oauth/token")
        .scopes(&["read-only"])
        .client_auth(ClientAuth::Form);

/// The currency of a plan; all of its accounts have the same.
async fn currency(cx: &Context<'_>, plan: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Format {
        iso_code: String,
    }
    let settings = cx.get("/plans").segment(plan).segment("settings");
    let format = settings.parse(|answer| answer.member::<Option<Format>>("data.settings.currency_format"));
    Ok(format.await?.map_or_else(|| NO_CURRENCY.to_owned(), |format| format.iso_code))
}

#[async_trait]
impl Connector for Ynab {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// YNAB tells nothing of a user but an id.
    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let account = cx.get("/user").parse(|answer| answer.member("data.user.id")).await?;
        Ok(Identity { account, title: None })
    }

    /// The plans, by their ids: `last-used` and `default` would be another plan tomorrow.
    async fn partitions(&self, cx: &Context<'_>, _stream: &str) -> Result<Vec<Partition>> {
        #[derive(Deserialize)]
        struct Plan {
            id: String,
            name: String,
        }
        let call = cx.get("/plans").query("include_accounts", false);
        let plans = call.parse(|answer| match answer.member_opt::<Vec<Plan>>("data.budgets")? {
            Some(plans) => Ok(plans),
            None => answer.member("data.plans"),
        });
        let partition = |plan: Plan| Partition { id: plan.id.into(), title: Some(plan.name) };
        Ok(plans.await?.into_iter().map(partition).collect())
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        if self.manifest.stream(at.stream).is_none() {
            return Err(at.unknown());
        }
        let known: Option<Known> = cursor.map(Cursor::read).transpose()?;
        let frame = Frame::new(at.stream, currency(cx, at.partition).await?, cx.now());
        let since =
            known.as_ref().filter(|known| known.holds(at.stream, &frame)).map(|known| known.knowledge);
        let mut list = cx
            .get("/plans")
            .segment(at.partition)
            .segment(at.stream)
            .query_opt("since_date", (at.stream == "transactions").then_some(SINCE))
            .query_opt("last_knowledge_of_server", since)
            .max_bytes(LARGEST)
            .parse(|answer| List::read(at.stream, &frame, answer))
            .await
            .map_err(|error| match since {
                // All but the knowledge is as in the call that gave it out.
                Some(_) if error.kind() == ErrorKind::Invalid => {
                    Error::new(ErrorKind::CursorExpired, "YNAB does not take the knowledge that it gave out")
                }
                _ => error,
            })?;
        let covers = if since.is_none() { list.covers(at.stream) } else { Coverage::Nothing };
        known.map_or(Ok(()), |known| list.follow(known))?;
        let cursor = Cursor::new(&list.known)?;
        Ok(Page { items: list.items, next: Next::CaughtUp { cursor, covers } })
    }

    fn classify(&self) -> Option<Classify> {
        Some(refusal::read)
    }
}

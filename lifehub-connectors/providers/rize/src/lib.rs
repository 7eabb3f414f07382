//! Rize: sessions of focus, meetings and breaks, and the sums of each day.
//!
//! Rize publishes endpoint, keys and the form of errors (<https://docs.rize.io/category/rize-graphql-api>); its schema
//! is known from public clients alone. See the README for what that means, what is read, and the quirks.

mod normalize;
mod query;
mod refusal;
mod settings;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;
use serde_json::json;

use query::GRAPHQL;
use settings::Settings;

/// The days that one request asks for.
const WINDOW: u16 = 30;

/// How far the clocks of the earth's zones are behind UTC, and ahead of it. Rize counts days by a zone of the user that
/// it does not tell.
const BEHIND: Duration = HOUR.saturating_mul(12);
const AHEAD: Duration = HOUR.saturating_mul(14);

/// Reads Rize.
#[derive(Debug)]
pub struct Rize;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    // There is no updated-since: edits are found by reading the last week again, later ones by the full pass. One
    // answer holds all of a window, so that what it lacks is gone.
    let reread = |stream: StreamSpec| stream.lookback(7 * DAY).absence(Absence::MeansGone);
    let sessions = StreamSpec::incremental("sessions", "Sessions", &["focus"], normalize::session);
    let days = StreamSpec::incremental("daily_summary", "Days", &["productivity"], normalize::day);
    Manifest {
        id: "rize",
        title: "Rize",
        about: "Focus, meetings and breaks of one person, and the sums of each day",
        docs: "https://docs.rize.io/category/rize-graphql-api",
        base_url: "https://api.rize.io/api/v1",
        origins: &[],
        auth: Auth::api_key(AuthScheme::bearer("api_key")),
        // No limit is published: one request at a time, half a second apart.
        quotas: vec![QuotaSpec::sliding("pace", QuotaScope::Connection, 120, MINUTE).burst(1)],
        streams: vec![reread(sessions).interval(30 * MINUTE), reread(days).interval(3 * HOUR)],
        settings: SettingsSchema::of::<Settings>(),
        terms: Terms { delete_on_withdrawal: false, ..Terms::owner_only("https://rize.io/terms-of-service") },
    }
});

#[async_trait]
impl Connector for Rize {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    /// By the e-mail address, as Rize is not known to tell an id of its users.
    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let query = cx.graphql(GRAPHQL, "query { currentUser { email name } }", &json!({}));
        let read = |answer: &Answer| {
            let user = answer.fields()?;
            let email = user.text("data.currentUser.email")?.ok_or_else(refusal::wrong_key)?;
            let title = user.text("data.currentUser.name")?.unwrap_or_else(|| email.clone());
            Ok(Identity { account: email.to_lowercase(), title: Some(title) })
        };
        query.parse(read).await
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        let start = cx.settings::<Settings>()?.start();
        let pass = cx.pass();
        let first = pass.from.map_or(start, |from| (from - BEHIND).utc_day().max(start));
        let last = (pass.to + AHEAD).utc_day().max(first);
        let span: Option<DaySpan> = resume(cursor)?;
        let span = span.unwrap_or_else(|| DaySpan::first(first, last, WINDOW));
        let items = match at.stream {
            "sessions" => query::sessions(cx, span).await?,
            "daily_summary" => query::days(cx, span).await?,
            _ => return Err(at.unknown()),
        };
        // From the first midnight on. What lies before a start that was moved is not gone.
        let begin = start.start_utc() - Duration::from_secs(1);
        let covers = Coverage::Span { from: pass.from.map_or(begin, |from| from.max(begin)), to: pass.to };
        Ok(Page { items, next: go_on(span.next(last, WINDOW).map(Some), covers)? })
    }

    fn classify(&self) -> Option<Classify> {
        Some(refusal::read)
    }
}

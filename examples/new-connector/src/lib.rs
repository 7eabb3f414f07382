//! Timebook: tracked time. The provider is made up; the connector is the template for a real one.
//!
//! Copy the crate, then go through it from the top: the manifest, what a page is, `normalize.rs`, `simulator.rs`. The
//! suite in `tests/conformance.rs` tells what is still wrong.

mod normalize;
#[cfg(feature = "simulator")]
pub mod simulator;

use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::clock::Timestamp;
use lifehub_core::connector::{
    Absence, Auth, Connector, Context, Identity, Manifest, StreamSpec, Terms, Visibility, no_settings,
};
use lifehub_core::http::{QuotaScope, QuotaSpec};
use lifehub_core::page::{Coverage, Cursor, Item, ItemKey, Maybe, Page, Place, RawJson};
use lifehub_core::paginate::{PagePath, go_on, resume};
use lifehub_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Reads Timebook.
#[derive(Debug)]
pub struct Timebook {
    manifest: Manifest,
}

impl Default for Timebook {
    fn default() -> Self {
        Self { manifest: manifest() }
    }
}

/// All that is known before the first request. Each figure is a fact of the provider's documentation.
fn manifest() -> Manifest {
    Manifest {
        id: "timebook",
        title: "Timebook",
        about: "Tracked time",
        docs: "https://timebook.example/docs",
        base_url: "https://api.timebook.example",
        origins: &[],
        // A token that its user copies from the provider, by the name `access_token`.
        auth: Auth::bearer(),
        quotas: vec![QuotaSpec::fixed("hour", QuotaScope::Connection, 1_000, Duration::from_secs(3600))],
        streams: vec![
            StreamSpec::incremental("entries", "Time entries", &["focus"], normalize::entry)
                // The permission that a token needs; a provider with a consent page calls it a scope.
                .scopes(&["entries:read"])
                // Raise it whenever the same item would give other records.
                .version(1)
                // Pages are numbered: an entry that goes shifts all behind it, so one walk alone proves no absence.
                .absence(Absence::MeansGoneIfConfirmed)
                // Entries are corrected for two weeks; later edits wait for the full pass.
                .lookback(14 * DAY)
                .interval(Duration::from_secs(3600))
                .full_every(7 * DAY),
        ],
        settings: no_settings(),
        terms: Terms {
            visible_to: Visibility::OwnersChoice,
            language_models: true,
            delete_on_withdrawal: false,
            attribution: None,
            url: "https://timebook.example/terms",
        },
    }
}

/// A page as it comes. Its entries stay text: the engine stores them as they are.
#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
    /// A link to the next page; null on the last. Required: an answer without it is no list.
    #[serde(deserialize_with = "Option::deserialize")]
    next: Option<String>,
}

/// What the engine must know of an entry. Everything else is the normalizer's.
#[derive(Deserialize)]
struct Head {
    id: i64,
    #[serde(default)]
    started_at: Maybe<Timestamp>,
    #[serde(default)]
    version: Maybe<u64>,
}

#[async_trait]
impl Connector for Timebook {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        #[derive(Deserialize)]
        struct Me {
            id: String,
            name: Option<String>,
        }
        let me: Me = cx.get("/v1/me").json().await?;
        Ok(Identity { account: me.id, title: me.name })
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        if at.stream != "entries" {
            return Err(Error::new(ErrorKind::Unsupported, format!("there is no stream {:?}", at.stream)));
        }
        // The first page of a pass has no path yet; all others are where the provider said.
        let place: PagePath = resume(cursor)?;
        let from = cx.pass().from;
        let call = match &place.path {
            Some(path) => cx.get(path),
            // `since` is inclusive, as a resume point must be.
            None => cx.get("/v1/entries").query_opt("since", from),
        };
        let (items, next): (Vec<RawJson>, _) = call
            .parse(|answer| {
                let list: List<'_> = answer.json()?;
                let items = list.entries.iter().map(|part| answer.raw(part)).collect();
                Ok((items, PagePath::linked(answer, list.next.as_deref())?))
            })
            .await?;
        // For what the whole pass is complete, once its last page is read.
        let covers = match from {
            Some(from) => Coverage::Span { from, to: cx.pass().to },
            None => Coverage::Whole,
        };
        let read = |body| {
            Item::read(body, |head: Head| ItemKey::new(head.id).at(head.started_at.0).version(head.version.0))
        };
        Ok(Page { items: items.into_iter().map(read).collect(), next: go_on(next, covers)? })
    }
}

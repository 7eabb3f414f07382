//! Timebook: tracked time. The provider is made up; the connector is the template for a real one.
//!
//! Copy the crate, then go through it from the top: the manifest, what a page is, `normalize.rs`, `simulator.rs`. The
//! suite in `tests/conformance.rs` tells what is still wrong.

mod normalize;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;

/// Reads Timebook.
#[derive(Debug)]
pub struct Timebook;

/// All that is known before the first request. Each figure is a fact of the provider's documentation.
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| Manifest {
    id: "timebook",
    title: "Timebook",
    about: "Tracked time",
    docs: "https://timebook.example/docs",
    base_url: "https://api.timebook.example",
    origins: &[],
    // A token that its user copies from the provider, by the name `access_token`.
    auth: Auth::bearer(),
    quotas: vec![QuotaSpec::fixed("hour", QuotaScope::Connection, 1_000, HOUR)],
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
            .interval(HOUR)
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
});

#[async_trait]
impl Connector for Timebook {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        cx.get("/v1/me").parse(|me| Identity::of(me, "id", "name")).await
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        if at.stream != "entries" {
            return Err(at.unknown());
        }
        // The first page of a pass has no path yet; all others are where the provider said.
        let place: PagePath = resume(cursor)?;
        let from = cx.pass().from;
        // `since` is inclusive, as a resume point must be.
        let first = cx.get("/v1/entries").query_opt("since", from);
        let (items, next) = cx
            .page(&place, first)
            .parse(|answer| {
                let list = answer.fields()?;
                // Null on the last page. An answer without it is no list.
                let link: Option<String> = list.nullable("next")?;
                Ok((list.items("entries")?, PagePath::linked(answer, link.as_deref())?))
            })
            .await?;
        // What the engine must know of an entry. Everything else is the normalizer's.
        let key = |entry: &Fields<'_>| {
            let key = ItemKey::new(entry.id("id")?).at(entry.maybe("started_at"));
            Ok(key.version(entry.maybe::<u64>("version")))
        };
        let items = items.into_iter().map(|body| Item::read(body, key)).collect();
        // For what the whole pass is complete, once its last page is read.
        Ok(Page { items, next: go_on(next, Coverage::since(from, cx.pass().to))? })
    }
}

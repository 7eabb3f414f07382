//! Open-Meteo: the weather of one place, day by day; forecasts that turn into history by themselves.
//!
//! Facts are from Open-Meteo's documentation (<https://open-meteo.com/en/docs>); see the README for what is read, the
//! limits, and the quirks.

mod columns;
mod normalize;
mod refusal;
mod settings;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;
use serde::{Deserialize, Serialize};

use columns::{ARCHIVE, HOME, Source};
use settings::Settings;

/// The days that one request asks for: a year, so that it stays light.
const DAYS: u16 = 366;

/// The days back that every pass reads again. Reanalysis trails by about five; until it is there, the forecast of the
/// day stands in.
const RECENT: i32 = 10;

/// Reads Open-Meteo.
#[derive(Debug)]
pub struct OpenMeteo;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    // Counted for each address in weighted calls, from the start of the minute, the hour and the UTC day
    // (<https://open-meteo.com/en/pricing>).
    let limit = |name, limit, every| QuotaSpec::fixed(name, QuotaScope::App, limit, every);
    Manifest {
        id: "open-meteo",
        title: "Open-Meteo",
        about: "The weather of a place by day: past years and the days ahead",
        docs: "https://open-meteo.com/en/docs",
        base_url: HOME,
        origins: &[ARCHIVE],
        auth: Auth::none(),
        quotas: vec![limit("minute", 600, MINUTE), limit("hour", 5_000, HOUR), limit("day", 10_000, DAY)],
        streams: vec![
            StreamSpec::incremental("daily", "Days", &["weather"], normalize::day)
                .lookback(DAY * RECENT as u32)
                .interval(6 * HOUR)
                // What is revised later than the look-back reaches is found by reading all of it again.
                .full_every(30 * DAY),
        ],
        settings: SettingsSchema::of::<Settings>(),
        terms: Terms {
            // CC BY 4.0 (<https://open-meteo.com/en/license>).
            attribution: Some("Weather data by Open-Meteo.com"),
            ..Terms::owners_choice("https://open-meteo.com/en/terms")
        },
    }
});

/// Where a pass stands, once it has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// At this span of the archive.
    Archive(DaySpan),
    /// At its last page: from the first of the latest days that the archive lacks to those ahead.
    Forecast(Day),
}

/// The first of the recent days that the last page of the archive lacks.
fn first_gap(items: &[Item], page: DaySpan, recent: Day) -> Day {
    let has = |day: Day| items.iter().any(|item| matches!(item, Item::Put(put) if put.id == day.to_string()));
    // If the page begins later, the one before may lack some too. Versions settle what then comes twice.
    let mut day = recent;
    while page.from <= recent && day <= page.to && has(day) {
        day = day.plus(1);
    }
    day
}

#[async_trait]
impl Connector for OpenMeteo {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    /// There is no account: a place and a dataset stand for one. One day of the archive shows that the provider takes
    /// all of the settings.
    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let settings: Settings = cx.settings()?;
        let day = settings.day(cx.now()).plus(-RECENT);
        settings.read(cx, Source::Archive, DaySpan { from: day, to: day }).await?;
        let Settings { latitude, longitude, .. } = settings;
        let account = format!("{latitude:.4},{longitude:.4}/{}", settings.model());
        Ok(Identity { account, title: Some(settings.place) })
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        if at.stream != "daily" {
            return Err(at.unknown());
        }
        let settings: Settings = cx.settings()?;
        // By the clock, not by the pass's end: one that goes on days later must not ask for days that are over.
        let today = settings.day(cx.now());
        let yesterday = today.plus(-1);
        let start = settings.start(cx.pass().to).min(today);
        let recent = today.plus(-RECENT).max(start);
        let step = resume::<Option<Step>>(cursor)?.unwrap_or_else(|| {
            let from = cx.pass().from.map_or(start, |from| settings.day(from).max(start));
            match from <= yesterday {
                true => Step::Archive(DaySpan::first(from, yesterday, DAYS)),
                false => Step::Forecast(recent),
            }
        });
        let (items, next) = match step {
            Step::Archive(days) => {
                let items = settings.read(cx, Source::Archive, days).await?;
                let next = days.next(yesterday, DAYS).map(Step::Archive);
                let next = next.unwrap_or_else(|| Step::Forecast(first_gap(&items, days, recent)));
                (items, Some(next))
            }
            Step::Forecast(from) => {
                let (from, to) = (from.max(recent), today.plus(i32::from(settings.forecast_days) - 1));
                // Without days ahead, and with none that the archive lacks, there is nothing to ask for.
                let items = match from <= to {
                    true => settings.read(cx, Source::Forecast, DaySpan { from, to }).await?,
                    false => vec![],
                };
                (items, None)
            }
        };
        Ok(Page { items, next: go_on(next.map(Some), Coverage::Nothing)? })
    }

    fn classify(&self) -> Option<Classify> {
        Some(|answer| refused(answer, refusal::REFUSED))
    }
}

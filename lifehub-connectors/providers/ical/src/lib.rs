//! Calendar feeds: the events of one iCalendar file, at a (mostly secret) address or on the disk.
//!
//! Facts are from RFC 5545 and RFC 7986, and from what Google, Outlook and Apple write; see the README for what is read
//! and the quirks.

mod body;
mod calendar;
mod feed;
mod items;
mod length;
mod line;
mod normalize;
mod part;
mod rule;
mod rules;
mod series;
mod settings;
#[cfg(feature = "simulator")]
pub mod simulator;
mod time;
mod zone;

use jiff::civil::Date;
use lifehub_core::connector::read_settings;
use lifehub_core::prelude::*;

use feed::Mark;
use settings::Settings;

/// Reads one calendar.
#[derive(Debug)]
pub struct Ical;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| Manifest {
    id: "ical",
    title: "Calendar feed",
    about: "The events of a calendar at an address or in a file (iCalendar, .ics)",
    docs: "https://www.rfc-editor.org/rfc/rfc5545",
    // Nothing is asked here: the settings name the address.
    base_url: "https://calendar.invalid",
    origins: &[],
    auth: Auth::none(),
    quotas: Vec::new(),
    streams: vec![
        // Every pass reads the whole file, look-back and all, but only a live one has the validators of the last.
        StreamSpec::incremental("events", "Events", &["event"], normalize::event)
            // One answer holds everything.
            .absence(Absence::MeansGone)
            .lookback(DAY)
            .full_every(DAY),
    ],
    settings: SettingsSchema::of::<Settings>(),
    terms: Terms::owners_choice("https://www.rfc-editor.org/rfc/rfc5545"),
});

/// The first day of the month in which a pass began.
fn month(cx: &Context<'_>) -> Date {
    time::shown(cx.pass().to.as_seconds()).date().first_of_month()
}

#[async_trait]
impl Connector for Ical {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        let settings: Settings = cx.settings()?;
        let got = feed::get(cx, &settings.source, Mark::default(), None).await?;
        let own = got.and_then(|(calendar, _)| calendar.name);
        Ok(Identity { account: settings.source.account(), title: settings.name.or(own) })
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        if at.stream != "events" {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("a calendar has no stream {:?}", at.stream),
            ));
        }
        let settings: Settings = cx.settings()?;
        let month = month(cx);
        let mark = Mark::new(&settings, month);
        let known = cursor.map(Cursor::read::<Mark>).transpose()?;
        let known = known.filter(|known| cx.pass().kind == PassKind::Live && known.allows(&mark));

        let (items, covers, mark) =
            match feed::get(cx, &settings.source, mark.clone(), known.as_ref()).await? {
                Some((calendar, mark)) => {
                    let (items, covers) = items::items(calendar, settings.zone.as_ref(), month)?;
                    (items, covers, mark)
                }
                None => (Vec::new(), Coverage::Nothing, known.unwrap_or(mark)),
            };
        Ok(Page { items, next: Next::CaughtUp { cursor: Cursor::new(&mark)?, covers } })
    }

    fn base_url(&self, settings: &serde_json::Value) -> Result<Option<String>> {
        read_settings::<Settings>(settings)?.source.origin()
    }

    fn classify(&self) -> Option<Classify> {
        Some(feed::classify)
    }
}

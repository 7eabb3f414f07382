//! Getting the file: over HTTP with the validators of the last answer, or from the disk.

use jiff::civil::Date;
use jiff::fmt::rfc2822::DateTimeParser;
use lifehub_core::connector::Context;
use lifehub_core::http::Answer;
use lifehub_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt as _;
use url::{Position, Url};

use crate::calendar::Calendar;
use crate::settings::{Settings, Source};

/// As many bytes as an answer may have (rule 8).
const MOST: u64 = 32 << 20;

/// Raised when raw items take another form: an unchanged file is then read again.
const FORM: u32 = 1;

/// What the last answer was, and all else on which the items depend: where the next live pass starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    /// A digest of where the calendar is.
    source: String,
    /// The zone that the settings name.
    zone: Option<String>,
    /// The month of the pass, from which it follows how far series are expanded and where they stand.
    month: Date,
    /// The form of raw items.
    form: u32,
    /// `ETag` and `Last-Modified`, as they came.
    etag: Option<String>,
    modified: Option<String>,
}

impl Mark {
    /// The mark of a pass of that month, before anything was read.
    pub(crate) fn new(settings: &Settings, month: Date) -> Self {
        let zone = settings.zone.as_ref().map(|zone| zone.name().to_owned());
        Self { source: settings.source.account(), zone, month, form: FORM, ..Self::default() }
    }

    /// Whether an unchanged file gives unchanged items.
    pub(crate) fn allows(&self, other: &Self) -> bool {
        let Self { source, zone, month, form, .. } = self;
        (source, zone, month, form) == (&other.source, &other.zone, &other.month, &other.form)
    }

    /// Whether an answer is a copy from before the last one: a server among several that lags behind.
    fn is_newer_than(&self, modified: Option<&str>) -> bool {
        let read = |text: &str| DateTimeParser::new().parse_timestamp(text).ok();
        let both = self.modified.as_deref().and_then(read).zip(modified.and_then(read));
        both.is_some_and(|(known, now)| now < known)
    }
}

/// Gets the calendar. `None` if it is as `known` says; else the calendar, and the mark with its validators.
///
/// # Errors
/// If it is not there, is no calendar, or not whole.
pub(crate) async fn get(
    cx: &Context<'_>,
    source: &Source,
    mark: Mark,
    known: Option<&Mark>,
) -> Result<Option<(Calendar, Mark)>> {
    match source {
        Source::Address(url) => over_http(cx, url, mark, known).await,
        Source::File(_) => from_disk(cx).await.map(|calendar| Some((calendar, mark))),
    }
}

async fn over_http(
    cx: &Context<'_>,
    url: &Url,
    mark: Mark,
    known: Option<&Mark>,
) -> Result<Option<(Calendar, Mark)>> {
    let mut call =
        cx.get(&url[Position::BeforePath..]).secret_path().header("accept", "text/calendar, */*;q=0.1");
    if let Some(etag) = known.and_then(|known| known.etag.as_deref()) {
        call = call.header("if-none-match", etag);
    }
    if let Some(modified) = known.and_then(|known| known.modified.as_deref()) {
        call = call.header("if-modified-since", modified);
    }
    call.parse(|answer| {
        let modified = answer.header("last-modified");
        if answer.status.as_u16() == 304 && known.is_some() {
            return Ok(None);
        }
        let calendar = Calendar::read(&answer.body)?;
        if known.is_some_and(|known| known.is_newer_than(modified)) {
            return Ok(None);
        }
        let text = |header: Option<&str>| header.map(str::to_owned);
        let mark = Mark { etag: text(answer.header("etag")), modified: text(modified), ..mark.clone() };
        Ok(Some((calendar, mark)))
    })
    .await
}

async fn from_disk(cx: &Context<'_>) -> Result<Calendar> {
    let file = cx.file("file").await?;
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).await.map_err(|e| {
        Error::new(ErrorKind::Invalid, format!("the calendar file cannot be read: {}", e.kind()))
            .hint("check that it is still there")
    })?;
    if bytes.len() as u64 > MOST {
        return Err(Error::new(ErrorKind::TooLarge, "the calendar file is too large").with("limit", MOST));
    }
    // What is wrong with a file is wrong with it the next time too.
    Calendar::read(&bytes).map_err(|error| error.temporary(false))
}

/// What a refusal means where the address is the credential. A 410 is no cursor that expired.
pub(crate) fn classify(answer: &Answer) -> Option<Error> {
    let (kind, message) = match answer.status.as_u16() {
        401 => (ErrorKind::Unauthorized, "the calendar's address asks for a log-in"),
        403 => (ErrorKind::Forbidden, "the calendar's address is not open to whoever has it (any more)"),
        // The setting is wrong, not a path of ours.
        404 | 410 => (ErrorKind::Invalid, "there is no calendar at this address (any more)"),
        _ => return None,
    };
    let hint = "the secret address may have been reset: copy it again and set it anew";
    Some(Error::new(kind, message).with("status", answer.status.as_u16()).hint(hint))
}

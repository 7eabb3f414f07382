//! Rows and what they mean: the columns of each, read and written in one place.

use std::borrow::Cow;

use lifehub_core::clock::{Day, Offset, Timestamp, Zone};
use lifehub_core::engine::{ItemRef, ItemState, KnownItem, KnownRecord, RecordState, RunEntry, Sighting};
use lifehub_core::record::{ConnectionId, Digest, Moment, RecordId, RunId, UserId, When};
use lifehub_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::database::{Args, Place, Row, Rows, get, get_bytes, get_name, get_u64, signed};
use crate::record::StoredRecord;
use crate::rollup::Fact;

/// The columns of a [`When`], in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WhenColumns {
    start: Option<i64>,
    start_offset: Option<i32>,
    end: Option<i64>,
    end_offset: Option<i32>,
    zone: Option<String>,
    end_zone: Option<String>,
    day: i32,
}

impl WhenColumns {
    pub(super) fn of(when: &When, day: Day) -> Self {
        let name =
            |moment: Option<&Moment>| moment.and_then(|m| m.zone.as_ref()).map(|zone| zone.name().to_owned());
        let offset = |moment: Option<&Moment>| moment.and_then(|m| m.offset).map(Offset::as_seconds);
        let (start, end) = (when.start(), when.end());
        let (zone, end_zone) = (name(start), name(end));
        Self {
            start: start.map(|m| m.at.as_micros()),
            start_offset: offset(start),
            end: end.map(|m| m.at.as_micros()),
            end_offset: offset(end),
            // Few spans end in another zone than they began in.
            end_zone: (end.is_some() && end_zone != zone).then(|| end_zone.unwrap_or_default()),
            zone,
            day: day.as_number(),
        }
    }

    /// Reads seven columns from this one on.
    pub(super) fn read(row: &Row, first: usize) -> Result<Self> {
        Ok(Self {
            start: get(row, first)?,
            start_offset: get(row, first + 1)?,
            end: get(row, first + 2)?,
            end_offset: get(row, first + 3)?,
            zone: get(row, first + 4)?,
            end_zone: get(row, first + 5)?,
            day: get(row, first + 6)?,
        })
    }

    /// Adds the columns from the start to the zone of the end.
    pub(super) fn push(self, rows: &mut Rows<'_>) {
        rows.push(self.start);
        rows.push(self.start_offset);
        rows.push(self.end);
        rows.push(self.end_offset);
        rows.push(self.zone);
        rows.push(self.end_zone);
    }

    pub(super) fn day(&self) -> i32 {
        self.day
    }

    pub(super) fn when(&self) -> When {
        let zone = |name: Option<&str>| name.and_then(|name| name.parse::<Zone>().ok());
        let moment = |at, offset: Option<i32>, name| Moment {
            at: Timestamp::from_micros(at),
            offset: offset.and_then(|seconds| Offset::from_seconds(seconds).ok()),
            zone: zone(name),
        };
        let name = self.zone.as_deref();
        match (self.start, self.end) {
            (None, _) => When::Day(Day::from_number(self.day)),
            (Some(start), None) => When::At(moment(start, self.start_offset, name)),
            (Some(start), Some(end)) => When::Span {
                start: moment(start, self.start_offset, name),
                end: moment(end, self.end_offset, self.end_zone.as_deref().or(name)),
            },
        }
    }
}

pub(super) fn item_state(state: ItemState) -> i32 {
    match state {
        ItemState::Live => 0,
        ItemState::Gone => 1,
    }
}

pub(super) fn record_state(number: i32) -> RecordState {
    match number {
        0 => RecordState::Live,
        1 => RecordState::Gone,
        _ => RecordState::Removed,
    }
}

/// An identity row as SQLite gives it.
#[derive(Deserialize)]
struct StoredIdentity<'a>(
    i64,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    u32,
    i64,
    Option<i64>,
    Option<i64>,
    i64,
    i32,
    i32,
    i32,
);

/// Reads a row of an answer to `KNOWN`.
pub(super) fn known_items(row: &Row, known: &mut Vec<KnownItem>) -> Result<()> {
    match row {
        Row::Sqlite(_) => {
            let text = get::<Option<&str>>(row, 0)?.unwrap_or("[]");
            let stored: Vec<StoredIdentity<'_>> = serde_json::from_str(text).map_err(|_| damaged())?;
            for identity in stored {
                known.push(identity.known()?);
            }
        }
        #[cfg(feature = "postgres")]
        Row::Postgres(_) => known.push(known_item(row, 0)?),
    }
    Ok(())
}

/// Reads an identity row from this column on.
pub(super) fn known_item(row: &Row, first: usize) -> Result<KnownItem> {
    match row {
        Row::Sqlite(_) => {
            let stored: StoredIdentity<'_> = serde_json::from_str(get(row, first)?).map_err(|_| damaged())?;
            stored.known()
        }
        #[cfg(feature = "postgres")]
        Row::Postgres(_) => {
            let instant = |column| get::<Option<i64>>(row, column).map(|at| at.map(Timestamp::from_micros));
            let sighting = Sighting {
                id: get_name(row, first + 1)?,
                hash: Digest::from_bytes(get_bytes(row, first + 2)?),
                normalizer: get(row, first + 3)?,
                generation: get_u64(row, first + 4)?,
                at: instant(first + 5)?,
                version: get::<Option<i64>>(row, first + 6)?.map(i64::cast_unsigned),
                observed: Timestamp::from_micros(get(row, first + 7)?),
                state: live_or_gone(get(row, first + 8)?),
            };
            Ok(KnownItem {
                item: ItemRef(get(row, first)?),
                sighting,
                quarantined: get(row, first + 9)?,
                held: get(row, first + 10)?,
            })
        }
    }
}

fn damaged() -> Error {
    Error::new(ErrorKind::Storage, "stored items cannot be read back")
}

fn live_or_gone(state: i32) -> ItemState {
    if state == 0 { ItemState::Live } else { ItemState::Gone }
}

impl StoredIdentity<'_> {
    fn known(self) -> Result<KnownItem> {
        let Self(item, id, hash, normalizer, generation, at, version, observed, state, quarantined, held) =
            self;
        let hash = u128::from_str_radix(&hash, 16).map_err(|_| damaged())?;
        let sighting = Sighting {
            id: id.into_owned(),
            hash: Digest::from_bytes(hash.to_be_bytes()),
            normalizer,
            generation: u64::try_from(generation).unwrap_or(0),
            at: at.map(Timestamp::from_micros),
            // A version fills 64 bits: it is kept bit by bit.
            version: version.map(i64::cast_unsigned),
            observed: Timestamp::from_micros(observed),
            state: live_or_gone(state),
        };
        Ok(KnownItem { item: ItemRef(item), sighting, quarantined: quarantined != 0, held: held != 0 })
    }
}

pub(super) fn known_record(row: &Row) -> Result<KnownRecord> {
    Ok(KnownRecord {
        item: ItemRef(get(row, 0)?),
        record: RecordId::from_bytes(get_bytes(row, 1)?),
        dataset: get(row, 2)?,
        key: get_name(row, 3)?,
        digest: Digest::from_bytes(get_bytes(row, 4)?),
        day: Day::from_number(get(row, 5)?),
        state: record_state(get(row, 6)?),
    })
}

/// A record in an answer to `FACTS_OF_DAYS`.
#[derive(Deserialize)]
struct StoredFact<'a>(
    i64,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    Option<i64>,
    Option<i32>,
    Option<i64>,
    Option<i32>,
    i32,
    #[serde(borrow)] Cow<'a, str>,
);

/// Reads a row of an answer to `FACTS_OF_DAYS`: rows of records, and what each adds to its day.
pub(super) fn facts(row: &Row) -> Result<Vec<(i64, Fact)>> {
    match row {
        Row::Sqlite(_) => {
            let damaged = |_| Error::new(ErrorKind::Storage, "stored records cannot be read back");
            let Some(text) = get::<Option<&str>>(row, 0)? else { return Ok(Vec::new()) };
            let stored: Vec<StoredFact<'_>> = serde_json::from_str(text).map_err(damaged)?;
            let fact = |StoredFact(row, id, dataset, start, start_offset, end, end_offset, day, body)| {
                let columns =
                    WhenColumns { start, start_offset, end, end_offset, zone: None, end_zone: None, day };
                Ok((row, Fact::of(id.parse()?, &dataset, &body, &columns.when(), day)))
            };
            stored.into_iter().map(fact).collect()
        }
        #[cfg(feature = "postgres")]
        Row::Postgres(_) => {
            let id = RecordId::from_bytes(get_bytes(row, 1)?);
            let columns = WhenColumns {
                start: get(row, 3)?,
                start_offset: get(row, 4)?,
                end: get(row, 5)?,
                end_offset: get(row, 6)?,
                zone: None,
                end_zone: None,
                day: get(row, 7)?,
            };
            let fact = Fact::of(id, get(row, 2)?, get(row, 8)?, &columns.when(), columns.day);
            Ok(vec![(get(row, 0)?, fact)])
        }
    }
}

/// Reads `record_columns!()`; the row and its sort instant are for cursors.
pub(super) fn stored_record(row: &Row) -> Result<(StoredRecord, i64, i64)> {
    let id = RecordId::from_bytes(get_bytes(row, 1)?);
    let text = |at: Option<i64>, offset: Option<i32>| {
        let offset = offset.and_then(|seconds| Offset::from_seconds(seconds).ok());
        at.map(|at| Moment { at: Timestamp::from_micros(at), offset, zone: None }.to_rfc3339())
    };
    let body = RawValue::from_string(get(row, 14)?).map_err(|_| {
        Error::new(ErrorKind::Storage, "the body of a stored record is damaged")
            .with("record", id)
            .hint("run `lifehub doctor`, and restore a backup if it agrees")
    })?;
    let record = StoredRecord {
        id,
        connection: ConnectionId::from_bytes(get_bytes(row, 2)?),
        provider: get(row, 3)?,
        stream: get_name(row, 4)?,
        external_id: get_name(row, 5)?,
        key: get_name(row, 6)?,
        dataset: get(row, 7)?,
        start: text(get(row, 8)?, get(row, 9)?),
        end: text(get(row, 10)?, get(row, 11)?),
        zone: get(row, 12)?,
        day: Day::from_number(get(row, 13)?),
        body,
        seq: get_u64(row, 15)?,
        changed_at: Timestamp::from_micros(get(row, 16)?),
        deleted: record_state(get(row, 17)?) != RecordState::Live,
    };
    Ok((record, get(row, 0)?, get(row, 18)?))
}

/// The parameters of `RUN_UPSERT`.
pub(super) fn run_args(place: Place, run: &RunEntry) -> Result<Args<'_>> {
    let report = serde_json::to_string(&run.report)
        .map_err(|e| Error::new(ErrorKind::Internal, format!("a report does not fit JSON: {e}")))?;
    let dues = serde_json::to_string(&run.dues)
        .map_err(|e| Error::new(ErrorKind::Internal, format!("a schedule does not fit JSON: {e}")))?;
    Ok(Args::at(place)
        .with(run.id.as_bytes())
        .with(signed(run.epoch))
        .with(run.started_at.as_micros())
        .with(run.finished_at.map(Timestamp::as_micros))
        .with(run.resume_at.map(Timestamp::as_micros))
        .with(report)
        .with(dues))
}

pub(super) fn run_entry(row: &Row) -> Result<RunEntry> {
    let instant = |column| get::<Option<i64>>(row, column).map(|at| at.map(Timestamp::from_micros));
    let report = serde_json::from_str(get(row, 5)?)
        .map_err(|_| Error::new(ErrorKind::Storage, "the report of a stored run is unreadable"))?;
    Ok(RunEntry {
        id: RunId::from_bytes(get_bytes(row, 0)?),
        epoch: get_u64(row, 1)?,
        started_at: Timestamp::from_micros(get(row, 2)?),
        finished_at: instant(3)?,
        resume_at: instant(4)?,
        // What cannot be read is due at once.
        dues: serde_json::from_str(get(row, 6)?).unwrap_or_default(),
        report,
    })
}

pub(super) fn user_id(row: &Row, column: usize) -> Result<UserId> {
    get_bytes(row, column).map(UserId::from_bytes)
}

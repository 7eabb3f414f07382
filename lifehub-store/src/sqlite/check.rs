//! What `doctor` asks: is the database sound, and do its roll-ups say what its records give?

use std::collections::{BTreeMap, BTreeSet, HashSet};

use lifehub_core::Result;
use lifehub_core::clock::Day;
use lifehub_core::record::{ConnectionId, RecordId};
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use super::days::{facts_of, read_tally};
use super::fault::fault;
use super::statement::{Args, get, get_bytes, row, rows};
use super::{Store, migrate, sql, vault};
use crate::rollup::{RollupDifference, Series, Tally, tally};

/// How many days are compared at once.
const SPAN: i32 = 64;

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// What is wrong with it; empty if nothing is.
    pub problems: Vec<String>,
    /// What to do about a problem.
    pub hint: &'static str,
}

/// What comparing records and roll-ups found.
#[derive(Default)]
struct Figures {
    differences: Vec<RollupDifference>,
    unreadable: Vec<RecordId>,
}

impl Store {
    /// Checks the database from the file to the figures: slow on a large one, and it changes nothing.
    ///
    /// # Errors
    /// If the database cannot even be read.
    pub async fn check(&self) -> Result<Vec<Finding>> {
        let mut conn = self.0.db.read().await?;
        let version = migrate::version(&mut conn).await?;
        let schema = (version != migrate::VERSION)
            .then(|| format!("the schema is of version {version} instead of {}", migrate::VERSION));
        let key = self.0.keys.problem().map(|e| e.to_string());
        let unopened = vault::count_unopened(&mut conn, &self.0.keys).await?;
        let integrity = rows(&mut conn, sql::INTEGRITY, Args::new()).await?;
        let integrity: Vec<String> = integrity.iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
        let mut orphans = rows(&mut conn, sql::FOREIGN_KEYS, Args::new()).await?.len() as u64;
        if let Some(counted) = row(&mut conn, sql::ORPHANS, Args::new()).await? {
            orphans += super::statement::get_u64(&counted, 0)?;
        }
        drop(conn);
        let Figures { differences, unreadable } = self.figures().await?;
        let finding = |check, problems, hint| Finding { check, problems, hint };
        let damaged = "restore a backup: this should never happen, please report it";
        Ok(vec![
            finding(
                "schema version",
                schema.into_iter().collect(),
                "run the version that wrote the database",
            ),
            finding(
                "master key",
                key.into_iter().collect(),
                "restore the key file, readable by its owner alone",
            ),
            finding(
                "credentials",
                (unopened > 0).then(|| format!("{unopened} do not open")).into_iter().collect(),
                "`lifehub sync --all` names the connections: connect those accounts again",
            ),
            finding(
                "database pages and indexes",
                integrity.into_iter().filter(|line| line != "ok").collect(),
                damaged,
            ),
            finding(
                "references between rows",
                (orphans > 0)
                    .then(|| format!("{orphans} rows refer to what is not there"))
                    .into_iter()
                    .collect(),
                damaged,
            ),
            finding(
                "bodies of records",
                unreadable.iter().map(|id| format!("record {id} is not one of its dataset")).collect(),
                "run `lifehub replay`: it makes the records anew from what the provider sent",
            ),
            finding(
                "roll-ups",
                differences
                    .iter()
                    .map(|d| {
                        format!("{} of {} on {} is not what its records give", d.metric, d.connection, d.day)
                    })
                    .collect(),
                damaged,
            ),
        ])
    }

    /// Recomputes every roll-up from the records and lists those that differ. There should be none.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn verify_rollups(&self) -> Result<Vec<RollupDifference>> {
        Ok(self.figures().await?.differences)
    }

    async fn figures(&self) -> Result<Figures> {
        let mut conn = self.0.db.read().await?;
        let connections = rows(&mut conn, sql::ALL_CONNECTIONS, Args::new()).await?;
        let mut figures = Figures::default();
        for connection in &connections {
            let (row_id, id) = (get(connection, 0)?, ConnectionId::from_bytes(get_bytes(connection, 1)?));
            let Some(span) = row(&mut conn, sql::DAYS_OF_CONNECTION, Args::new().with(row_id)).await? else {
                continue;
            };
            let (Some(mut first), Some(last)) =
                (get::<Option<i32>>(&span, 0)?, get::<Option<i32>>(&span, 1)?)
            else {
                continue;
            };
            while first <= last {
                // Records and roll-ups of one moment.
                let mut tx = conn.begin().await.map_err(fault)?;
                compare(&mut tx, (row_id, id), first, &mut figures).await?;
                tx.rollback().await.map_err(fault)?;
                first += SPAN;
            }
        }
        Ok(figures)
    }
}

async fn compare(
    conn: &mut SqliteConnection,
    (connection, id): (i64, ConnectionId),
    first: i32,
    figures: &mut Figures,
) -> Result<()> {
    let days: Vec<i32> = (first..first + SPAN).collect();
    let facts = facts_of(conn, connection, &days, i64::MAX, &HashSet::new()).await?;
    figures.unreadable.extend(facts.iter().filter(|fact| !fact.readable).map(|fact| fact.record));
    let expected = tally(facts);
    let mut stored: BTreeMap<i32, BTreeMap<Series, Tally>> = BTreeMap::new();
    let span = Args::new().with(connection).with(first).with(first + SPAN - 1);
    for row in &rows(conn, sql::ROLLUPS_OF_SPAN, span).await? {
        let series = (get::<String>(row, 1)?.into(), get::<String>(row, 2)?.into());
        stored.entry(get(row, 0)?).or_default().insert(series, read_tally(row, 3)?);
    }
    let keys = |days: &BTreeMap<i32, BTreeMap<Series, Tally>>| {
        let of_day = |(day, rows): (&i32, &BTreeMap<Series, Tally>)| {
            rows.keys().map(|series| (*day, series.clone())).collect::<Vec<_>>()
        };
        days.iter().flat_map(of_day).collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<_> = keys(&expected).union(&keys(&stored)).cloned().collect();
    for (day, series) in all {
        let find = |days: &BTreeMap<i32, BTreeMap<Series, Tally>>| days.get(&day)?.get(&series).copied();
        let (stored, expected) = (find(&stored), find(&expected));
        if stored != expected {
            figures.differences.push(RollupDifference {
                connection: id,
                metric: series.0.to_string(),
                label: series.1.to_string(),
                day: Day::from_number(day),
                stored,
                expected,
            });
        }
    }
    Ok(())
}

//! What `doctor` asks: is the database sound, and do its roll-ups say what its records give?

use std::collections::{BTreeMap, BTreeSet, HashSet};

use lifehub_core::Result;
use lifehub_core::clock::Day;
use lifehub_core::record::{ConnectionId, RecordId};

use super::Store;
use super::days::{facts_of, read_tally};
use crate::database::{Args, Conn, Place, Scope, get, get_bytes, get_name, get_u64, row, rows};
use crate::rollup::{RollupDifference, Series, Tally, tally};
use crate::sql::query as sql;

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
        let unopened = self.count_unopened().await?;
        let mut conn = self.0.db.read(Scope::All).await?;
        conn.take_time().await?;
        let schema = conn.schema_problem().await?;
        let key = self.0.keys.problem().map(|e| e.to_string());
        let integrity = rows(&mut conn, sql::INTEGRITY, Args::new()).await?;
        let integrity: Vec<String> = integrity.iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
        let orphans = row(&mut conn, sql::ORPHANS, Args::new()).await?;
        let orphans = orphans.map_or(Ok(0), |row| get_u64(&row, 0))?;
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
        let mut conn = self.0.db.read(Scope::All).await?;
        conn.take_time().await?;
        let connections = rows(&mut conn, sql::ALL_CONNECTIONS, Args::new()).await?;
        let mut figures = Figures::default();
        for connection in &connections {
            let place = Place { user: get(connection, 0)?, connection: get(connection, 1)? };
            let id = ConnectionId::from_bytes(get_bytes(connection, 2)?);
            let Some(span) = row(&mut conn, sql::DAYS_OF_CONNECTION, Args::at(place)).await? else {
                continue;
            };
            let (Some(mut first), Some(last)) =
                (get::<Option<i32>>(&span, 0)?, get::<Option<i32>>(&span, 1)?)
            else {
                continue;
            };
            while first <= last {
                // Records and roll-ups of one moment.
                conn.freeze().await?;
                compare(&mut conn, (place, id), first, &mut figures).await?;
                conn.thaw().await?;
                first += SPAN;
            }
        }
        Ok(figures)
    }
}

async fn compare(
    conn: &mut Conn,
    (place, id): (Place, ConnectionId),
    first: i32,
    figures: &mut Figures,
) -> Result<()> {
    let days: Vec<i32> = (first..first + SPAN).collect();
    let facts = facts_of(conn, place, &days, i64::MAX, &HashSet::new()).await?;
    figures.unreadable.extend(facts.iter().filter(|fact| !fact.readable).map(|fact| fact.record));
    let expected = tally(facts);
    let mut stored: BTreeMap<i32, BTreeMap<Series, Tally>> = BTreeMap::new();
    let span = Args::at(place).with(first).with(first + SPAN - 1);
    for row in &rows(conn, sql::ROLLUPS_OF_SPAN, span).await? {
        let series = (get::<String>(row, 1)?.into(), get_name(row, 2)?.into());
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

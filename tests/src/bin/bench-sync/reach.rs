//! The reaches: how far a sync may stand above the floor, and how much memory it may take.

use serde::Serialize;

use crate::cli::{Database, Pass, Program};
use crate::figures::{Row, Scenario};

/// Processor time of a first sync, in that of the floor's first run.
const FIRST_CPU: f64 = 2.5;
/// Processor time of a full pass in which nothing has changed, in that of the floor's second run.
const FULL_CPU: f64 = 1.5;
/// Wall time of a first sync from a provider that is far away, in that of the floor, which asks for one page after another.
const FAR_WALL: f64 = 1.05;
/// Resident memory of any sync, whatever its history.
const PEAK_MIB: f64 = 64.0;

/// One thing that has to hold.
#[derive(Debug, Serialize)]
pub(crate) struct Reach {
    /// What is judged.
    pub(crate) name: String,
    /// What was measured.
    pub(crate) value: f64,
    /// The most that it may be.
    pub(crate) limit: f64,
    /// Whether it is not more.
    pub(crate) met: bool,
}

impl Reach {
    fn new(name: String, value: f64, limit: f64) -> Self {
        Self { name, value, limit, met: value.is_finite() && value <= limit }
    }
}

/// Everything that has to hold of these rows.
pub(crate) fn of(rows: &[Row]) -> Vec<Reach> {
    rows.iter().filter(|row| row.program == Program::Lifehub).flat_map(|row| of_row(rows, row)).collect()
}

fn of_row(rows: &[Row], row: &Row) -> Vec<Reach> {
    let mut reaches = Vec::new();
    let pass = row.pass.title();
    let at =
        format!("{}, {} items, {} a page", row.database.title(), row.setting.items, row.setting.per_page);
    if row.setting.scenario != Scenario::Far {
        let name = format!("{pass}, {at}: peak memory in MiB");
        reaches.push(Reach::new(name, row.median.peak_mib, PEAK_MIB));
    }
    let Some(floor) = beside(rows, row) else { return reaches };
    let cpu = row.median.cpu_s / floor.median.cpu_s;
    match (row.setting.scenario, row.pass) {
        (Scenario::Near, Pass::First) => {
            reaches.push(Reach::new(format!("{pass}, {at}: CPU, in the floor's"), cpu, FIRST_CPU));
        }
        // The floor of PostgreSQL writes every row again, and nothing is easier than to take less.
        (Scenario::Near, Pass::Full) if row.database == Database::Sqlite => {
            reaches.push(Reach::new(
                format!("{pass}, {at}: CPU, in the floor's second run's"),
                cpu,
                FULL_CPU,
            ));
        }
        (Scenario::Far, Pass::First) if row.database == Database::Sqlite => {
            let wall = row.median.wall_s / floor.median.wall_s;
            let latency = row.setting.latency_ms;
            let name = format!("{pass}, {at}, {latency} ms a request: wall time, in the floor's");
            reaches.push(Reach::new(name, wall, FAR_WALL));
        }
        _ => {}
    }
    reaches
}

/// The floor's row for the same.
pub(crate) fn beside<'a>(rows: &'a [Row], row: &Row) -> Option<&'a Row> {
    rows.iter().find(|other| {
        other.program == Program::Floor
            && (other.setting, other.database, other.pass) == (row.setting, row.database, row.pass)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Setting;
    use crate::process::Run;

    fn row(
        scenario: Scenario,
        (database, pass): (Database, Pass),
        program: Program,
        cpu_s: f64,
        peak_mib: u64,
    ) -> Row {
        let setting = Setting { scenario, items: 10, per_page: 5, latency_ms: 0 };
        let run = Run {
            wall_s: cpu_s * 2.0,
            user_s: cpu_s / 4.0,
            system_s: cpu_s / 4.0,
            server_s: cpu_s / 2.0,
            peak_bytes: peak_mib << 20,
            provider_cpu_s: 0.0,
            items: 10,
            pages: 3,
        };
        Row::new(setting, (database, pass, program), vec![run])
    }

    #[test]
    fn a_missed_reach_is_found() {
        let check = |scenario, case: (Database, Pass), cpu_s, peak_mib, expected: &[bool]| {
            let other = if case.0 == Database::Sqlite { Database::Postgres } else { Database::Sqlite };
            let rows = [
                row(scenario, case, Program::Lifehub, cpu_s, peak_mib),
                row(scenario, (other, case.1), Program::Floor, 100.0, 1000),
                row(scenario, case, Program::Floor, 1.0, 1000),
            ];
            let met: Vec<bool> = of(&rows).iter().map(|reach| reach.met).collect();
            assert_eq!(met, expected, "{scenario:?} {case:?} {cpu_s} {peak_mib}");
        };
        for database in [Database::Sqlite, Database::Postgres] {
            check(Scenario::Near, (database, Pass::First), 2.5, 64, &[true, true]);
            check(Scenario::Near, (database, Pass::First), 2.6, 65, &[false, false]);
            check(Scenario::Near, (database, Pass::Live), 9.0, 65, &[false]);
            check(Scenario::Large, (database, Pass::First), 9.0, 65, &[false]);
        }
        check(Scenario::Near, (Database::Sqlite, Pass::Full), 1.5, 10, &[true, true]);
        check(Scenario::Near, (Database::Sqlite, Pass::Full), 1.6, 10, &[true, false]);
        check(Scenario::Near, (Database::Postgres, Pass::Full), 9.0, 10, &[true]);
        check(Scenario::Far, (Database::Sqlite, Pass::First), 1.05, 65, &[true]);
        check(Scenario::Far, (Database::Sqlite, Pass::First), 1.06, 10, &[false]);
        check(Scenario::Far, (Database::Postgres, Pass::First), 9.0, 10, &[]);
    }
}

//! What was measured, in numbers: a row for each pass of each program, with its runs and their medians.

use serde::Serialize;

use crate::cli::{Database, Pass, Program, Scale};
use crate::machine::Machine;
use crate::process::Run;
use crate::reach::Reach;

/// All of it: the JSON document.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) machine: Machine,
    pub(crate) scale: Scale,
    /// The mean length of an item's JSON text.
    pub(crate) item_bytes: usize,
    pub(crate) rows: Vec<Row>,
    /// Whether the reaches count; a quick run is too short for that.
    pub(crate) judged: bool,
    pub(crate) reaches: Vec<Reach>,
}

impl Measured {
    /// False if a reach that counts is missed.
    pub(crate) fn passed(&self) -> bool {
        passed(self.judged, &self.reaches)
    }
}

fn passed(judged: bool, reaches: &[Reach]) -> bool {
    !judged || reaches.iter().all(|reach| reach.met)
}

/// What a setting is there to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scenario {
    /// What a sync costs, from a provider that answers at once.
    Near,
    /// How long it takes, from a provider that takes its time.
    Far,
    /// Whether memory grows with history.
    Large,
}

/// Under which circumstances something is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Setting {
    pub(crate) scenario: Scenario,
    pub(crate) items: usize,
    pub(crate) per_page: usize,
    /// How long the provider waits before each answer.
    pub(crate) latency_ms: u64,
}

/// One pass of one program on one database.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    pub(crate) setting: Setting,
    pub(crate) database: Database,
    pub(crate) pass: Pass,
    pub(crate) program: Program,
    pub(crate) median: Median,
    /// In the order of the rounds.
    pub(crate) runs: Vec<Run>,
}

impl Row {
    pub(crate) fn new(
        setting: Setting,
        (database, pass, program): (Database, Pass, Program),
        runs: Vec<Run>,
    ) -> Self {
        Self { setting, database, pass, program, median: Median::of(&runs), runs }
    }
}

/// The middle of what each run cost, each figure by itself.
#[derive(Debug, Serialize)]
pub(crate) struct Median {
    pub(crate) items_per_s: f64,
    pub(crate) wall_s: f64,
    /// User and system together, of the process and of the database server.
    pub(crate) cpu_s: f64,
    /// The process's part of that.
    pub(crate) client_s: f64,
    /// The server's part of that.
    pub(crate) server_s: f64,
    pub(crate) peak_mib: f64,
    /// The provider's processor time by the wall time: 1 keeps one core busy.
    pub(crate) provider_share: f64,
}

impl Median {
    fn of(runs: &[Run]) -> Self {
        let middle = |figure: fn(&Run) -> f64| median(runs.iter().map(figure).collect());
        Self {
            items_per_s: middle(|run| run.items as f64 / run.wall_s),
            wall_s: middle(|run| run.wall_s),
            cpu_s: middle(Run::cpu_s),
            client_s: middle(|run| run.user_s + run.system_s),
            server_s: middle(|run| run.server_s),
            peak_mib: middle(|run| run.peak_bytes as f64 / f64::from(1 << 20)),
            provider_share: middle(|run| run.provider_cpu_s / run.wall_s),
        }
    }
}

/// The value in the middle; the mean of the two in the middle of an even number.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 0 => f64::midpoint(values[half - 1], values[half]),
        _ => values[half],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_value_in_the_middle() {
        let check = |values: &[f64], expected: f64| assert_eq!(median(values.to_vec()), expected);
        check(&[], 0.0);
        check(&[3.0], 3.0);
        check(&[9.0, 1.0, 2.0], 2.0);
        check(&[4.0, 1.0, 3.0, 100.0], 3.5);
    }

    #[test]
    fn a_missed_reach_fails_a_run_that_is_judged() {
        let check = |met, judged, expected| {
            let reach = Reach { name: String::new(), value: 1.0, limit: 1.0, met };
            let met = Reach { name: String::new(), value: 1.0, limit: 1.0, met: true };
            assert_eq!(passed(judged, &[met, reach]), expected);
        };
        check(true, true, true);
        check(false, true, false);
        check(false, false, true);
    }
}

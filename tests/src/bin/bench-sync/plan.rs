//! What is measured, in which order: for each setting a provider, over it rounds in which both programs take turns.

use std::collections::BTreeMap;

use crate::cli::{Pass, Program, Scale};
use crate::figures::{Measured, Row, Scenario, Setting};
use crate::machine::Machine;
use crate::process::{Provider, Run};
use crate::{Outcome, progress, reach};

/// A setting, and what is done in it.
struct Part {
    setting: Setting,
    rounds: usize,
    /// Of the sync, one after another in one database.
    lifehub: &'static [Pass],
    /// Of the floor. Its second run reads and upserts all of it again, since it knows no other way.
    floor: &'static [Pass],
}

/// Measures everything.
pub(crate) fn run(scale: &Scale) -> Outcome<Measured> {
    let machine = Machine::of(&scale.dir);
    let (mut rows, mut item_bytes) = (Vec::new(), 0);
    for part in parts(scale) {
        let Setting { items, per_page, latency_ms, .. } = part.setting;
        progress(&format!("a provider of {items} items, {per_page} a page, {latency_ms} ms a request"));
        let provider = Provider::start(items, per_page, latency_ms)?;
        if item_bytes == 0 {
            item_bytes = provider.ready.item_bytes;
        }
        rows.extend(part.measure(&provider, scale)?);
    }
    let reaches = reach::of(&rows);
    Ok(Measured { machine, scale: scale.clone(), item_bytes, rows, judged: !scale.quick, reaches })
}

fn parts(scale: &Scale) -> Vec<Part> {
    let setting = |scenario, items, per_page, latency_ms| Setting { scenario, items, per_page, latency_ms };
    let mut parts = Vec::new();
    for &per_page in &scale.per_page {
        parts.push(Part {
            setting: setting(Scenario::Near, scale.items, per_page, 0),
            rounds: scale.rounds,
            lifehub: &[Pass::First, Pass::Live, Pass::Full],
            floor: &[Pass::First, Pass::Full],
        });
        parts.push(Part {
            setting: setting(Scenario::Far, scale.items, per_page, scale.latency_ms),
            rounds: scale.rounds,
            lifehub: &[Pass::First],
            floor: &[Pass::First],
        });
    }
    // The largest pages take the most memory.
    let per_page = scale.per_page.iter().copied().max().filter(|_| scale.large > 0);
    parts.extend(per_page.map(|per_page| Part {
        setting: setting(Scenario::Large, scale.large, per_page, 0),
        rounds: 1,
        lifehub: &[Pass::First, Pass::Live, Pass::Full],
        floor: &[Pass::First, Pass::Full],
    }));
    parts
}

impl Part {
    fn measure(&self, provider: &Provider, scale: &Scale) -> Outcome<Vec<Row>> {
        let mut runs: BTreeMap<_, Vec<Run>> = BTreeMap::new();
        for round in 1..=self.rounds {
            for (program, passes) in [(Program::Lifehub, self.lifehub), (Program::Floor, self.floor)] {
                let folder = tempfile::Builder::new().prefix("bench-sync-").tempdir_in(&scale.dir)?;
                for &pass in passes {
                    let run = provider.measure(program, pass, folder.path())?;
                    progress(&format!(
                        "  round {round} of {}, {program:?}, {}: {:.2} s, CPU {:.2} s",
                        self.rounds,
                        pass.title(),
                        run.wall_s,
                        run.user_s + run.system_s
                    ));
                    runs.entry((pass, program)).or_default().push(run);
                }
                provider.count(program, folder.path())?;
            }
        }
        let row = |((pass, program), runs)| Row::new(self.setting, pass, program, runs);
        Ok(runs.into_iter().map(row).collect())
    }
}

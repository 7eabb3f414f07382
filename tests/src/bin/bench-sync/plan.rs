//! What is measured, in which order: for each setting a provider, over it rounds in which both programs take turns.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::{Database, Databases, Pass, Program, Scale};
use crate::figures::{Measured, Row, Scenario, Setting};
use crate::home::{Home, Schema};
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
    let server = server(scale.databases)?;
    let mut databases = vec![Database::Sqlite, Database::Postgres];
    databases.retain(|database| match database {
        Database::Sqlite => scale.databases != Databases::Postgres,
        Database::Postgres => server.is_some(),
    });
    let (mut rows, mut item_bytes) = (Vec::new(), 0);
    for part in parts(scale) {
        let Setting { items, per_page, latency_ms, .. } = part.setting;
        progress(&format!("a provider of {items} items, {per_page} a page, {latency_ms} ms a request"));
        let provider = Provider::start(items, per_page, latency_ms)?;
        if item_bytes == 0 {
            item_bytes = provider.ready.item_bytes;
        }
        rows.extend(part.measure(&provider, &databases, &scale.dir)?);
    }
    let machine = Machine::of(&scale.dir, server);
    let reaches = reach::of(&rows);
    Ok(Measured { machine, scale: scale.clone(), item_bytes, rows, judged: !scale.quick, reaches })
}

/// The server that is measured, if one is to be and is there.
fn server(asked: Databases) -> Outcome<Option<String>> {
    if asked == Databases::Sqlite {
        return Ok(None);
    }
    match Schema::new().and_then(|mut schema| schema.version()) {
        Err(reason) if asked == Databases::Both => {
            progress(&format!("PostgreSQL is left out: {reason}"));
            Ok(None)
        }
        version => version.map(Some),
    }
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
    fn measure(&self, provider: &Provider, databases: &[Database], dir: &Path) -> Outcome<Vec<Row>> {
        let mut runs: BTreeMap<_, Vec<Run>> = BTreeMap::new();
        for round in 1..=self.rounds {
            for &database in databases {
                for (program, passes) in [(Program::Lifehub, self.lifehub), (Program::Floor, self.floor)] {
                    let mut home = Home::new(database, dir)?;
                    for &pass in passes {
                        let run = provider.measure(program, pass, &mut home)?;
                        progress(&format!(
                            "  round {round} of {}, {}, {program:?}, {}: {:.2} s, CPU {:.2} s",
                            self.rounds,
                            database.title(),
                            pass.title(),
                            run.wall_s,
                            run.cpu_s()
                        ));
                        runs.entry((database, pass, program)).or_default().push(run);
                    }
                    provider.count(program, &home)?;
                }
            }
        }
        Ok(runs.into_iter().map(|(of, runs)| Row::new(self.setting, of, runs)).collect())
    }
}

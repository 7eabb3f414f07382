//! `lifehub doctor`: looks at everything and changes nothing.

mod connections;
mod files;

use std::fmt;

use lifehub_core::Error;
use lifehub_store::Store;
use serde::Serialize;

use crate::app::App;
use crate::cli::Global;
use crate::failure::{Exit, Outcome};
use crate::output::Output;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Warn,
    Fail,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    check: String,
    status: Status,
    message: String,
    hint: Option<String>,
}

impl Check {
    fn ok(check: impl Into<String>, message: impl Into<String>) -> Self {
        Self { check: check.into(), status: Status::Ok, message: message.into(), hint: None }
    }

    fn warn(check: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into());
        Self { check: check.into(), status: Status::Warn, message: message.into(), hint }
    }

    fn fail(check: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status: Status::Fail, ..Self::warn(check, message, hint) }
    }

    fn error(check: impl Into<String>, error: &Error) -> Self {
        let hint = error.get_hint().map(Into::into);
        Self { check: check.into(), status: Status::Fail, message: error.to_string(), hint }
    }
}

/// All checks, and the worst of them.
#[derive(Debug, Serialize)]
struct Findings {
    status: Status,
    checks: Vec<Check>,
}

pub(crate) async fn run(out: &Output, global: &Global, json: bool) -> Outcome {
    let checks = look(out, global).await;
    let status = checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok);
    let findings = Findings { status, checks };
    if json {
        out.json(&findings)?;
    } else {
        out.print(&text(&findings))?;
    }
    Ok(if status == Status::Fail { Exit::Failed } else { Exit::Done })
}

fn text(findings: &Findings) -> String {
    let width = findings.checks.iter().map(|check| check.check.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for Check { check, status, message, hint } in &findings.checks {
        lines.push(format!("{:<4}  {check:<width$}  {message}", status.to_string()));
        lines.extend(hint.iter().map(|hint| format!("      {:<width$}  hint: {hint}", "")));
    }
    lines.join("\n")
}

async fn look(out: &Output, global: &Global) -> Vec<Check> {
    let app = match App::new(out.clone(), global) {
        Ok(app) => app,
        Err(error) => return vec![Check::error("configuration", &error)],
    };
    let mut checks = vec![files::configuration(&app.configuration), files::data_dir(&app.place)];
    // What cannot be told shows below.
    let has_data = app.place.has_data().await.unwrap_or(false);
    checks.extend(files::master_key(&app.place, has_data));
    let database = files::database(&app.place);
    let may_open = database.status == Status::Ok && checks.iter().all(|check| check.status != Status::Fail);
    checks.push(database);
    if may_open {
        match app.place.open_existing().await {
            Ok(Some(store)) => checks.extend(opened(&app, &store).await),
            Ok(None) if app.place.server().is_some() => checks.push(Check::warn(
                "database",
                "it is empty",
                "connect an account: lifehub connect PROVIDER --user EMAIL",
            )),
            Ok(None) => {}
            Err(error) => checks.push(Check::error("database", &error)),
        }
    }
    checks
}

async fn opened(app: &App, store: &Store) -> Vec<Check> {
    let mut checks = Vec::new();
    match store.check().await {
        Ok(findings) => {
            checks.extend(findings.into_iter().map(|finding| match finding.problems.split_first() {
                None => Check::ok(finding.check, "sound"),
                Some((first, [])) => Check::fail(finding.check, first, finding.hint),
                Some((first, more)) => {
                    Check::fail(finding.check, format!("{first}, and {} more", more.len()), finding.hint)
                }
            }))
        }
        Err(error) => checks.push(Check::error("database", &error)),
    }
    match connections::look(app, store).await {
        Ok(found) => checks.extend(found),
        Err(error) => checks.push(Check::error("connections", &error)),
    }
    if let Err(error) = store.close().await {
        checks.push(Check::error("database", &error));
    }
    checks
}

//! Measures a sync beside a bare loop over the same pages.
//!
//! The program starts itself again in four roles, each a process of its own: a provider, the sync that is measured, the
//! floor that is measured beside it, and a count of what both have stored.

mod cli;
mod count;
mod figures;
mod floor;
mod home;
mod machine;
mod plan;
mod process;
mod provider;
mod reach;
mod sync;
mod table;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Role, Scale};

/// What can go wrong ends the program, and is told as it is.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.role {
        None => measure(&cli.options.scale(), cli.options.json),
        Some(Role::Provider(args)) => provider::run(&args).map(|()| true),
        Some(Role::Sync(args)) => sync::run(&args).and_then(|told| tell(&told)),
        Some(Role::Floor(args)) => floor::run(&args).and_then(|told| tell(&told)),
        Some(Role::Count(args)) => count::run(&args).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            progress(&format!("bench-sync: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs all of it and prints the result; false if a reach is missed.
fn measure(scale: &Scale, json: bool) -> Outcome<bool> {
    if cfg!(debug_assertions) && !scale.quick {
        progress("this is a build without optimizations: its figures say nothing (use --release)");
    }
    let result = plan::run(scale)?;
    let text = if json { serde_json::to_string_pretty(&result)? } else { table::of(&result) };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(result.passed())
}

/// Hands what a measured process has to say to the one that started it.
fn tell(told: &process::Told) -> Outcome<bool> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string(told)?)?;
    Ok(true)
}

/// A line for whoever waits.
fn progress(line: &str) {
    // Nobody may be reading.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

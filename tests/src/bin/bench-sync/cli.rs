//! The command line: what is asked for, and the roles in which the program starts itself.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

const EXAMPLES: &str = "\
Examples:
  cargo run --release -p lifehub-tests --bin bench-sync
      everything: five rounds over 100,000 items, one over 1,000,000 (2 GiB of memory)
  cargo run --release -p lifehub-tests --bin bench-sync -- --large 0 --rounds 3 --per-page 200
      less of it
  cargo run --release -p lifehub-tests --bin bench-sync -- --database sqlite
      without PostgreSQL, for which a server on this machine is needed
  cargo run --release -p lifehub-tests --bin bench-sync -- --json > figures.json
      one JSON document
  cargo run -p lifehub-tests --bin bench-sync -- --quick
      only whether it runs: a few thousand items, figures that are not judged

Exit codes: 0 done, 1 failed or a reach was missed, 2 wrong use.";

/// Measures a sync beside a bare loop over the same pages, each in a process of its own.
///
/// A provider in a third process serves pages of Strava's activities. Prints items a second, wall time, processor time
/// and peak memory, and how they stand to the loop's. It wants a quiet machine with Linux.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many items the provider has [default: 100000, with --quick 2000]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    items: Option<usize>,

    /// How many items a page has; everything is measured for each of them
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "200,1000", value_parser = at_least_one)]
    per_page: Vec<usize>,

    /// How many items the provider has in the one round that looks at memory; 0 leaves it out [default: 1000000, with
    /// --quick 10000]
    #[arg(long, value_name = "N")]
    large: Option<usize>,

    /// How often sync and floor take turns; medians are printed [default: 5, with --quick 1]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    rounds: Option<usize>,

    /// How long the slow provider waits before each answer, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 20)]
    latency_ms: u64,

    /// Which databases are measured. Tests and this program find the PostgreSQL server alike: the one that
    /// LIFEHUB_TEST_POSTGRES_URL names, else postgres on port 5432; it must be on this machine
    #[arg(long, value_name = "WHICH", default_value = "both")]
    database: Databases,

    /// Little of everything, and no judgement of the figures: for CI
    #[arg(long)]
    quick: bool,

    /// Folder for the databases, on the disk that is to be measured; the system's folder for temporary files if left
    /// out
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Print one JSON document on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// How much is measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Scale {
    pub(crate) items: usize,
    pub(crate) large: usize,
    pub(crate) per_page: Vec<usize>,
    pub(crate) rounds: usize,
    pub(crate) latency_ms: u64,
    pub(crate) quick: bool,
    #[serde(skip)]
    pub(crate) databases: Databases,
    #[serde(skip)]
    pub(crate) dir: PathBuf,
}

impl Options {
    pub(crate) fn scale(&self) -> Scale {
        let or = |given: Option<usize>, whole, quick| given.unwrap_or(if self.quick { quick } else { whole });
        Scale {
            items: or(self.items, 100_000, 2_000),
            large: or(self.large, 1_000_000, 10_000),
            per_page: self.per_page.clone(),
            rounds: or(self.rounds, 5, 1),
            latency_ms: self.latency_ms,
            quick: self.quick,
            databases: self.database,
            dir: self.dir.clone().unwrap_or_else(std::env::temp_dir),
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "write a number from 1".to_owned())
}

/// What the program does when it has started itself. By hand: to look at one of them with a profiler.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Serves pages until standard input ends
    #[command(hide = true)]
    Provider(ProviderArgs),
    /// Syncs once with the engine and the store
    #[command(hide = true)]
    Sync(ReadArgs),
    /// Reads all pages in a bare loop
    #[command(hide = true)]
    Floor(ReadArgs),
    /// Counts what one of the two has stored
    #[command(hide = true)]
    Count(CountArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ProviderArgs {
    #[arg(long)]
    pub(crate) items: usize,
    #[arg(long)]
    pub(crate) per_page: usize,
    #[arg(long, default_value_t = 0)]
    pub(crate) latency_ms: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// The provider's base URL
    #[arg(long)]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) place: Place,
    #[arg(long)]
    pub(crate) pass: Pass,
    /// How many items there are
    #[arg(long)]
    pub(crate) items: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CountArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    #[arg(long)]
    pub(crate) program: Program,
    /// How many items there must be
    #[arg(long)]
    pub(crate) items: u64,
}

/// Where the database is.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The folder of the database, and of the key to it
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// The URL of the database, if it is on a PostgreSQL server
    #[arg(long)]
    pub(crate) postgres: Option<String>,
}

/// What is to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Databases {
    /// A file
    Sqlite,
    /// A schema on a server
    Postgres,
    /// One after the other; only SQLite where there is no server
    Both,
}

/// Which of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// For people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Which of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Program {
    Lifehub,
    Floor,
}

/// What is read, and into what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pass {
    /// Everything into an empty database
    First,
    /// The look-back window right after that
    Live,
    /// Everything again, of which nothing has changed
    Full,
}

impl Pass {
    /// For people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::First => "first sync",
            Self::Live => "nothing new",
            Self::Full => "unchanged full pass",
        }
    }
}

/// As the command line writes it.
pub(crate) fn name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

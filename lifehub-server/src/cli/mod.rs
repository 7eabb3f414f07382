//! The command line: commands, arguments and their help.

mod examples;
mod redact;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use redact::redacted;

/// Brings the data that you left with many services into one place that you own.
#[derive(Parser)]
#[command(name = "lifehub", version, max_term_width = 100, after_help = examples::TOP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Where database and key lie [default: lifehub in $XDG_DATA_HOME or ~/.local/share]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,
    /// The configuration [default: lifehub.toml here, if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Logs more to standard error: -v steps, -vv details, -vvv everything
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Connects an account at a provider, or renews its connection
    #[command(after_help = examples::CONNECT)]
    Connect(ConnectArgs),
    /// Fetches what is new from the providers
    #[command(after_help = examples::SYNC)]
    Sync(SyncArgs),
    /// Writes a user's records as JSON Lines
    #[command(after_help = examples::EXPORT)]
    Export(ExportArgs),
    /// Lists the connections and how they stand
    #[command(after_help = examples::CONNECTIONS)]
    Connections(ConnectionsArgs),
    /// Tells which providers there are and what they need
    #[command(subcommand, after_help = examples::CONNECTORS)]
    Connectors(ConnectorsCommand),
    /// Manages users
    #[command(subcommand, after_help = examples::USER)]
    User(UserCommand),
    /// Makes the records anew from what is stored, without the network
    #[command(after_help = examples::REPLAY)]
    Replay(ReplayArgs),
    /// Checks configuration, key, database and connections, and changes nothing
    #[command(after_help = examples::DOCTOR)]
    Doctor(JsonArg),
}

#[derive(Args)]
pub(crate) struct JsonArg {
    /// Prints one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

// Secrets pass through here as plain text, so this has no `Debug`, and no value is parsed by clap, whose errors repeat
// what was typed.
#[derive(Args)]
pub(crate) struct ConnectArgs {
    /// The provider's id, as `lifehub connectors list` shows it
    pub(crate) provider: String,
    /// Whose account it is; a missing user is made
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: String,
    /// A setting of the connection
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// A credential: NAME=@FILE, NAME=- for standard input, or NAME alone to be asked
    #[arg(long = "secret", value_name = "NAME[=SOURCE]")]
    pub(crate) secrets: Vec<String>,
    /// Saves without asking the provider whether the credentials are good
    #[arg(long)]
    pub(crate) no_check: bool,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

/// Which connections a command works on.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Selection {
    /// Every connection
    #[arg(long)]
    pub(crate) all: bool,
    /// These connections
    #[arg(long = "connection", value_name = "ID", num_args = 1..)]
    pub(crate) connections: Vec<String>,
}

#[derive(Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Only connections of this user
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: Option<String>,
    /// Reads everything again, not only what is new
    #[arg(long)]
    pub(crate) full: bool,
    /// Deletes what a held sweep would delete
    #[arg(long)]
    pub(crate) accept_deletes: bool,
    /// Ends each connection's run after so many pages; the next run goes on there
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_pages: Option<u64>,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Only connections of this user
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: Option<String>,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// Whose records; may be left out where there is only one user
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: Option<String>,
    /// The form of the export
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub(crate) format: ExportFormat,
    /// Writes to this file, which only you can read, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Also writes deleted records, as tombstones
    #[arg(long)]
    pub(crate) deleted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// JSON Lines: one record on each line
    Jsonl,
}

#[derive(Args)]
pub(crate) struct ConnectionsArgs {
    /// Only connections of this user
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: Option<String>,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Subcommand)]
pub(crate) enum ConnectorsCommand {
    /// Lists the providers
    #[command(after_help = examples::CONNECTORS_LIST)]
    List(JsonArg),
    /// Shows what a provider offers, and which credentials and settings it needs
    #[command(after_help = examples::CONNECTORS_SHOW)]
    Show {
        /// The provider's id
        id: String,
        #[command(flatten)]
        json: JsonArg,
    },
}

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Adds a user
    #[command(after_help = examples::USER_ADD)]
    Add {
        /// The user's e-mail address
        email: String,
        /// The user's time zone [default: this machine's]
        #[arg(long, value_name = "ZONE")]
        zone: Option<String>,
    },
    /// Lists the users
    #[command(after_help = examples::USER_LIST)]
    List(JsonArg),
    /// Changes a user's time zone, and with it the days on which records count
    #[command(after_help = examples::USER_ZONE)]
    Zone {
        /// The user's e-mail address
        email: String,
        /// An IANA time zone, for example Europe/Rome
        zone: String,
    },
}

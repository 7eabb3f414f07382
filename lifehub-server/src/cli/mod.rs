//! The command line: commands, arguments and their help.

mod examples;
mod redact;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
#[cfg(feature = "simulator")]
use lifehub_core::clock::Timestamp;

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
    /// Shows Lifehub with two years of made-up data, without any account
    #[cfg(feature = "simulator")]
    #[command(after_help = examples::DEMO)]
    Demo(DemoArgs),
    /// Connects an account at a provider, or renews its connection
    #[command(after_help = examples::CONNECT)]
    Connect(ConnectArgs),
    /// Ends a connection and gives the consent back; its data stays
    #[command(after_help = examples::DISCONNECT)]
    Disconnect(DisconnectArgs),
    /// Fetches what is new from the providers
    #[command(after_help = examples::SYNC)]
    Sync(SyncArgs),
    /// Fetches what is new whenever it is due, until it is stopped
    #[command(after_help = examples::WORKER)]
    Worker(WorkerArgs),
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
    /// Manages the master key, under which all credentials are sealed
    #[command(subcommand, after_help = examples::KEYS)]
    Keys(KeysCommand),
    /// Manages the store as a whole
    #[command(subcommand, after_help = examples::STORE)]
    Store(StoreCommand),
    /// Makes the records anew from what is stored, without the network
    #[command(after_help = examples::REPLAY)]
    Replay(ReplayArgs),
    /// Checks configuration, key, database and connections, and changes nothing
    #[command(after_help = examples::DOCTOR)]
    Doctor(JsonArg),
    /// Serves simulated providers on this machine, to be connected to
    #[cfg(feature = "simulator")]
    #[command(after_help = examples::SIMULATE)]
    Simulate(SimulateArgs),
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
    #[arg(long, value_name = "EMAIL", required_unless_present = "connection")]
    pub(crate) user: Option<String>,
    /// The connection to renew, and no other; its user and settings are known
    #[arg(long, value_name = "ID", conflicts_with = "no_check")]
    pub(crate) connection: Option<String>,
    /// A setting of the connection
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// A credential: NAME=@FILE, NAME=- for standard input, or NAME alone to be asked
    #[arg(long = "secret", value_name = "NAME[=SOURCE]")]
    pub(crate) secrets: Vec<String>,
    /// The port to which the browser comes back [default: any that is free]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// Saves without asking the provider whether the credentials are good
    #[arg(long)]
    pub(crate) no_check: bool,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[derive(Args)]
pub(crate) struct DisconnectArgs {
    /// The connection's id, as `lifehub connections` shows it
    #[arg(value_name = "ID")]
    pub(crate) connection: String,
    /// Leaves the consent at the provider as it is
    #[arg(long)]
    pub(crate) keep_consent: bool,
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

#[cfg(feature = "simulator")]
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Ends when the data is stored; until there is a dashboard to serve, every demo does
    #[arg(long)]
    pub(crate) once: bool,
    /// The port of the dashboard, once there is one; until then nothing listens on it
    #[arg(long, value_name = "N")]
    pub(crate) port: Option<u16>,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[cfg(feature = "simulator")]
#[derive(Args)]
pub(crate) struct SimulateArgs {
    /// The providers' ids [default: all that can be simulated]
    #[arg(value_name = "PROVIDER")]
    pub(crate) providers: Vec<String>,
    /// The port of the first provider, the next for the second, … [default: free ones]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) port: u16,
    /// From what all data and tokens derive
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The instant up to which there is data, as RFC 3339 [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub(crate) at: Option<Timestamp>,
    /// About how many items each stream has [default: as two years give]
    #[arg(long, value_name = "N")]
    pub(crate) items: Option<usize>,
    /// The share of requests that fail in one way or another, from 0 to 1
    #[arg(long, value_name = "RATE", value_parser = share)]
    pub(crate) fault: Option<f64>,
    /// From what the failures are drawn [default: the seed]
    #[arg(long, value_name = "N", requires = "fault")]
    pub(crate) fault_seed: Option<u64>,
    /// How long every answer takes, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0, hide_default_value = true)]
    pub(crate) latency: u32,
    #[command(flatten)]
    pub(crate) json: JsonArg,
}

#[cfg(feature = "simulator")]
fn share(text: &str) -> Result<f64, &'static str> {
    match text.parse() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        _ => Err("write a number from 0 to 1, for example 0.05"),
    }
}

#[derive(Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Only connections of this user
    #[arg(long, value_name = "EMAIL")]
    pub(crate) user: Option<String>,
    /// Only this stream of the connection; repeat it for several
    #[arg(long = "stream", value_name = "NAME", requires = "connections")]
    pub(crate) streams: Vec<String>,
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
pub(crate) struct WorkerArgs {
    /// How many connections it syncs at a time [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) concurrency: Option<u32>,
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
pub(crate) enum KeysCommand {
    /// Replaces the master key, while everything else runs on
    #[command(after_help = examples::KEYS_ROTATE)]
    Rotate(JsonArg),
}

#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Copies a whole store into an empty one, for example from a file to a server
    #[command(after_help = examples::STORE_COPY)]
    Copy(StoreCopyArgs),
}

// URLs may hold passwords, so this has no `Debug`.
#[derive(Args)]
pub(crate) struct StoreCopyArgs {
    /// The store that is copied; it stays as it is
    #[arg(long, value_name = "URL")]
    pub(crate) from: String,
    /// The database into which it is copied: empty, or with the beginning of this copy
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) json: JsonArg,
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

//! From arguments to an exit code: configuration, log, runtime, command, and the one place where errors are told.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use lifehub_core::engine::{Engine, Storage};
use lifehub_core::http::Transport;
use lifehub_core::registry::Registry;
use lifehub_core::{Error, ErrorKind, Result};
use tracing_subscriber::EnvFilter;

use crate::cli::{Cli, Command, Global, redacted};
use crate::commands;
use crate::configuration::Configuration;
use crate::failure::{Outcome, wrong};
use crate::output::Output;
use crate::place::Place;

/// What every command works with.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) out: Output,
    pub(crate) registry: Registry,
    pub(crate) configuration: Configuration,
    pub(crate) place: Place,
}

impl App {
    /// As configured.
    ///
    /// # Errors
    /// If the configuration is wrong.
    pub(crate) fn new(out: Output, global: &Global) -> Result<Self> {
        let registry = lifehub_connectors::registry();
        let configuration = configuration(global, &registry)?;
        let place = Place::of(&configuration)?;
        log(&out, global, &configuration)?;
        let file = configuration.file.as_deref().unwrap_or(Path::new("none"));
        tracing::debug!(version = env!("CARGO_PKG_VERSION"), pid = std::process::id(), "lifehub starts");
        tracing::debug!(
            configuration = %file.display(),
            data = %place.dir().display(),
            key = if place.key_file().is_some() { "a file" } else { "given as text" },
            providers = registry.manifests().count(),
            "what is configured"
        );
        Ok(Self { out, registry, configuration, place })
    }

    /// An engine over a store and a way to the providers.
    pub(crate) fn engine(&self, store: Arc<dyn Storage>, transport: Arc<dyn Transport>) -> Engine {
        Engine::builder(self.registry.clone(), store, transport)
            .operator(self.configuration.operator.clone())
            .build()
    }
}

/// The configuration of this process.
pub(crate) fn configuration(global: &Global, registry: &Registry) -> Result<Configuration> {
    let providers: Vec<&str> = registry.manifests().map(|manifest| manifest.id).collect();
    Configuration::load(global, std::env::vars_os(), &providers)
}

/// Runs the program.
pub(crate) fn run(args: Vec<OsString>) -> ExitCode {
    let out = Output::new();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            let error = redacted(error, &args);
            // Nobody is left to tell if this fails.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    hold_panics(&out);
    let outcome = catch_unwind(AssertUnwindSafe(|| block_on(&out, cli)));
    ExitCode::from(match outcome {
        Ok(Ok(exit)) => exit.code(),
        Ok(Err(failure)) => {
            let code = failure.code();
            if let Some(error) = failure.error() {
                out.error(&error);
            }
            code
        }
        // The hook has told it.
        Err(_) => 1,
    })
}

fn block_on(out: &Output, cli: Cli) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| {
        Error::new(ErrorKind::Internal, format!("the system gives this program no threads: {}", e.kind()))
    })?;
    runtime.block_on(dispatch(out.clone(), cli))
}

async fn dispatch(out: Output, cli: Cli) -> Outcome {
    let app = |out| App::new(out, &cli.global);
    match cli.command {
        Command::Connect(args) => Box::pin(commands::connect::run(&app(out)?, args)).await,
        Command::Disconnect(args) => Box::pin(commands::disconnect::run(&app(out)?, args)).await,
        Command::Sync(args) => Box::pin(commands::sync::run(&app(out)?, args)).await,
        Command::Worker(args) => Box::pin(commands::worker::run(&app(out)?, args)).await,
        Command::Replay(args) => Box::pin(commands::replay::run(&app(out)?, args)).await,
        Command::Export(args) => Box::pin(commands::export::run(&app(out)?, args)).await,
        Command::Connections(args) => Box::pin(commands::connections::run(&app(out)?, args)).await,
        Command::Connectors(command) => commands::connectors::run(&app(out)?, command),
        Command::Keys(command) => Box::pin(commands::keys::run(&app(out)?, command)).await,
        Command::Store(command) => Box::pin(commands::store::run(&app(out)?, command)).await,
        Command::User(command) => Box::pin(commands::user::run(&app(out)?, command)).await,
        #[cfg(feature = "simulator")]
        Command::Demo(args) => Box::pin(commands::demo::run(&app(out)?, args)).await,
        #[cfg(feature = "simulator")]
        Command::Simulate(args) => Box::pin(commands::simulate::run(&app(out)?, args)).await,
        // It takes a broken configuration as a finding.
        Command::Doctor(args) => Box::pin(commands::doctor::run(&out, &cli.global, args.json)).await,
    }
}

/// The level that is logged without being asked for. What stops a stream is told with the report.
const QUIET: &str = "warn,lifehub_core::engine::run=error";

/// Libraries whose lines may hold whole addresses, queries included, however much is asked for.
const CAPPED: [&str; 4] = ["hyper=info", "hyper_util=info", "h2=info", "reqwest=info"];

fn log(out: &Output, global: &Global, configuration: &Configuration) -> Result<()> {
    let text = match (global.verbose, &configuration.log) {
        (0, None) => QUIET,
        (0, Some(text)) => text,
        (1, _) => "warn,lifehub=info,lifehub_core=info,lifehub_store=info,lifehub_connectors=info",
        (2, _) => "info,lifehub=debug,lifehub_core=debug,lifehub_store=debug,lifehub_connectors=debug",
        _ => "trace",
    };
    let unreadable = |e: tracing_subscriber::filter::ParseError| {
        wrong(format!("the log filter is not valid: {e}"))
            .hint("a filter is a level (error, warn, info, debug, trace), or TARGET=LEVEL pairs with commas between")
    };
    let mut filter = EnvFilter::try_new(text).map_err(unreadable)?;
    for directive in CAPPED {
        if let Ok(directive) = directive.parse() {
            filter = filter.add_directive(directive);
        }
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(out.clone())
        .with_ansi(out.is_styled())
        .init();
    Ok(())
}

/// A panic is a bug. Its message may hold anything, so only its place is told.
fn hold_panics(out: &Output) {
    let out = out.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        out.failed(
            &format!("a bug in this program{place}"),
            Some("what is stored is unharmed; please report it with the command and this line"),
        );
    }));
}

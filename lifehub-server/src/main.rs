//! `lifehub`: the command line of Lifehub.

mod app;
mod cli;
mod commands;
mod configuration;
mod credentials;
mod failure;
mod network;
mod output;
mod place;
mod progress;
mod prompt;
mod report;
mod signals;
mod table;

fn main() -> std::process::ExitCode {
    app::run(std::env::args_os().collect())
}

//! The simulated Strava as a process of its own, for measurements and for trying things by hand.

use std::io::{self, Write};

use clap::Parser;
use lifehub_core::clock::{Clock, SystemClock, Timestamp};
use lifehub_strava::simulator::{Limits, StravaSimulator, World, WorldOptions};
use lifehub_testkit::{FaultPlan, Server};

/// Serves a made-up athlete's two years over Strava's API on 127.0.0.1 until it is killed.
///
/// Prints the base URL, `http://127.0.0.1:PORT/api/v3`, as its only line on standard output once it can be asked. The
/// same seed, instant and numbers give the same data, byte for byte.
///
/// Example: strava-sim --port 8089 --activities 100000 --ties 300 --faults 0.05
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// How many activities; as many as two years of habits give (some 400) if left out
    #[arg(long, value_name = "N")]
    activities: Option<usize>,

    /// How many of them begin in the same second, in the middle of the two years
    #[arg(long, value_name = "K", default_value_t = 0)]
    ties: usize,

    /// What data and faults are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Share of requests that fail, 0 to 1, in all ways (429, 500, 503, resets, cut bodies, …), at most three in a row
    #[arg(long, value_name = "RATE", default_value_t = 0.0, value_parser = share)]
    faults: f64,

    /// The access token that is accepted
    #[arg(long, default_value = StravaSimulator::TOKEN)]
    token: String,

    /// The instant up to which there is data, as RFC 3339, for example 2026-08-10T12:00:00Z; now if left out
    #[arg(long, value_name = "RFC3339")]
    now: Option<Timestamp>,

    /// Least length of an outdoor activity's route; its other members take about 1.2 kB
    #[arg(long, value_name = "B", default_value_t = 40)]
    polyline_bytes: usize,

    /// Keep Strava's rate limits for a new app (100 reading calls a quarter hour, 1,000 a day)
    #[arg(long)]
    limits: bool,

    /// Make every third page shorter than asked for, as Strava may
    #[arg(long)]
    short_pages: bool,

    /// Use ids beyond 2^53
    #[arg(long)]
    large_ids: bool,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        _ => Err("write a number from 0 to 1, for example 0.05".to_owned()),
    }
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let mut options = WorldOptions::default().ties(arguments.ties).polyline_bytes(arguments.polyline_bytes);
    if let Some(count) = arguments.activities {
        options = options.activities(count);
    }
    if arguments.large_ids {
        options = options.large_ids();
    }
    let now = arguments.now.unwrap_or_else(|| SystemClock::default().now());
    let simulator = StravaSimulator::new(World::seeded(arguments.seed, now, options));
    simulator.set_token(&arguments.token);
    simulator.set_limits(arguments.limits.then(Limits::default));
    simulator.set_short_pages(arguments.short_pages);
    let faults = FaultPlan::share(arguments.seed, arguments.faults);
    let server = Server::builder().port(arguments.port).faults(faults).start(simulator)?;
    writeln!(io::stdout(), "{}/api/v3", server.url())?;
    loop {
        std::thread::park();
    }
}

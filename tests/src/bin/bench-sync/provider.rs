//! The provider: Strava's list of activities from memory, with as many a page as the benchmark wants.
//!
//! Data and wire format are those of the simulated Strava; what differs is that the size of a page is the server's to
//! say, whatever the client asks for, since Strava ends at 200. A page is joined from texts that are ready.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use lifehub_core::clock::{Clock as _, SystemClock};
use lifehub_strava::simulator::{StravaSimulator, World, WorldOptions};
use lifehub_testkit::{Bytes, Server, SimRequest, SimResponse, Simulator};
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::cli::ProviderArgs;

/// How many of the activities begin in the same second, as after an import.
const TIES: usize = 300;

/// What the provider says once it can be asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// The base URL.
    pub(crate) url: String,
    /// The mean length of an item's JSON text.
    pub(crate) item_bytes: usize,
}

/// Serves until standard input ends, as it does when the process that holds its other end is gone.
pub(crate) fn run(args: &ProviderArgs) -> Outcome<()> {
    let options = WorldOptions::default().activities(args.items).ties(TIES.min(args.items / 2));
    let world = World::seeded(1, SystemClock::default().now(), options);
    let oldest_first: Vec<_> =
        world.truth().into_iter().map(|truth| (truth.start.as_seconds(), truth.body)).collect();
    drop(world);
    let bytes: usize = oldest_first.iter().map(|(_, body)| body.len()).sum();
    let item_bytes = bytes / oldest_first.len().max(1);
    let latency = Duration::from_millis(args.latency_ms);
    let server = Server::start(Activities { oldest_first, per_page: args.per_page, latency })?;
    let ready = Ready { url: format!("{}/api/v3", server.url()), item_bytes };
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&ready)?)?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Every activity with its start, in seconds since 1970.
struct Activities {
    oldest_first: Vec<(i64, Bytes)>,
    per_page: usize,
    /// How long every answer takes. It holds up the whole server, which has one client at a time.
    latency: Duration,
}

impl Activities {
    /// In Strava's order: newest first, but oldest first `after` a time.
    fn page(&self, page: usize, after: Option<i64>) -> Vec<u8> {
        let skip = page.saturating_sub(1).saturating_mul(self.per_page);
        match after {
            Some(after) => {
                let from = self.oldest_first.partition_point(|(start, _)| *start <= after);
                joined(self.oldest_first[from..].iter().skip(skip).take(self.per_page))
            }
            None => joined(self.oldest_first.iter().rev().skip(skip).take(self.per_page)),
        }
    }
}

fn joined<'a>(items: impl Iterator<Item = &'a (i64, Bytes)> + Clone) -> Vec<u8> {
    let length = items.clone().map(|(_, body)| body.len() + 1).sum::<usize>();
    let mut text = Vec::with_capacity(length + 2);
    for (_, body) in items {
        text.push(if text.is_empty() { b'[' } else { b',' });
        text.extend_from_slice(body);
    }
    if text.is_empty() {
        text.push(b'[');
    }
    text.push(b']');
    text
}

impl Simulator for Activities {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        if request.bearer() != Some(StravaSimulator::TOKEN) {
            return self.refusal(401);
        }
        std::thread::sleep(self.latency);
        let number = |name| request.query(name).map(str::parse::<i64>).transpose();
        match (request.segments().as_slice(), number("page"), number("after")) {
            (["api", "v3", "athlete", "activities"], Ok(page), Ok(after)) => {
                let page = page.and_then(|page| usize::try_from(page).ok()).unwrap_or(1);
                SimResponse::json_text(200, self.page(page, after))
            }
            (["api", "v3", "athlete", "activities"], ..) => self.refusal(400),
            _ => self.refusal(404),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_to_the_whole_list_in_stravas_order() {
        let oldest_first = (0..5).map(|n| (n * 10, Bytes::from(n.to_string()))).collect();
        let activities = Activities { oldest_first, per_page: 2, latency: Duration::ZERO };
        let check = |page, after, expected: &str| {
            assert_eq!(String::from_utf8(activities.page(page, after)).unwrap(), expected);
        };
        check(1, None, "[4,3]");
        check(3, None, "[0]");
        check(4, None, "[]");
        check(1, Some(10), "[2,3]");
        check(2, Some(10), "[4]");
        check(1, Some(40), "[]");
    }
}

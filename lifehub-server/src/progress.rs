//! Progress on standard error: one spinner for each stream of a run, or a bar, on a terminal; a line now and then
//! elsewhere.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use lifehub_core::engine::{Connection, Counts, Engine, SyncEvent};
use lifehub_core::page::PassKind;
use lifehub_core::record::ConnectionId;
use tokio::sync::broadcast::error::RecvError;

use crate::output::{Output, printable};
use crate::table::grouped;

/// How often a stream's figures become a line where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(120);

/// Shows the events of a connection while `run` works on it.
pub(crate) async fn watch<T>(
    out: &Output,
    engine: &Engine,
    connection: &Connection,
    run: impl Future<Output = T>,
) -> T {
    let mut events = engine.events();
    let mut view = View { out, connection, streams: BTreeMap::new() };
    let mut run = pin!(run);
    let done = loop {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Ok(event) => view.show(&event),
                // Figures are sums: the next event has what was missed.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => break run.await,
            },
            done = &mut run => break done,
        }
    };
    while let Ok(event) = events.try_recv() {
        view.show(&event);
    }
    view.clear();
    done
}

/// A count that rises to a known end: a bar on a terminal, a line now and then elsewhere.
pub(crate) struct Count<'a> {
    out: &'a Output,
    label: &'static str,
    bar: ProgressBar,
    told: Instant,
}

impl<'a> Count<'a> {
    pub(crate) fn new(out: &'a Output, label: &'static str) -> Self {
        let bar = out.bars().add(ProgressBar::new(0).with_prefix(label));
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {human_pos} of {human_len}") {
            bar.set_style(style);
        }
        Self { out, label, bar, told: Instant::now() }
    }

    pub(crate) fn show(&mut self, done: u64, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(done);
        if self.out.bars().is_hidden() && self.told.elapsed() >= LINE_EVERY {
            self.told = Instant::now();
            self.out.note(&format!("{}: {} of {}", self.label, grouped(done), grouped(all)));
        }
    }
}

impl Drop for Count<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

struct View<'a> {
    out: &'a Output,
    connection: &'a Connection,
    streams: BTreeMap<String, Stream>,
}

struct Stream {
    bar: ProgressBar,
    pass: &'static str,
    told: Instant,
}

impl View<'_> {
    fn show(&mut self, event: &SyncEvent) {
        let own = self.connection.id;
        match event {
            SyncEvent::Waiting { connection } if *connection == own => {
                let provider = &self.connection.provider;
                self.out.note(&format!(
                    "{provider}: another run of this connection is under way, waiting for it"
                ));
            }
            SyncEvent::Pass { connection, stream, kind, .. } if *connection == own => {
                let pass = match kind {
                    PassKind::Full => "reading everything",
                    PassKind::Live => "reading what is new",
                };
                let is_hidden = self.out.bars().is_hidden();
                let label = self.label(stream);
                let shown = self.stream(stream);
                if shown.pass != pass {
                    shown.pass = pass;
                    shown.bar.set_message(pass);
                    if is_hidden {
                        self.out.note(&format!("{label}: {pass}"));
                    }
                }
            }
            SyncEvent::Committed { connection, stream, counts } if *connection == own => {
                let is_hidden = self.out.bars().is_hidden();
                let label = self.label(stream);
                let shown = self.stream(stream);
                let text = figures(counts);
                if is_hidden && shown.told.elapsed() >= LINE_EVERY {
                    shown.told = Instant::now();
                    self.out.note(&format!("{label}: {text}"));
                } else {
                    shown.bar.set_message(text);
                }
            }
            SyncEvent::ReconnectRequired { connection } if *connection == own => {
                reconnect(self.out, &self.connection.provider, own);
            }
            _ => {}
        }
    }

    fn label(&self, stream: &str) -> String {
        format!("{}: {stream}", self.connection.provider)
    }

    fn stream(&mut self, name: &str) -> &mut Stream {
        let label = printable(&self.label(name));
        let bars = self.out.bars();
        self.streams.entry(name.to_owned()).or_insert_with(|| {
            let bar = bars.add(ProgressBar::new_spinner().with_prefix(label));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {msg}") {
                bar.set_style(style);
            }
            if !bars.is_hidden() {
                bar.enable_steady_tick(TICK);
            }
            Stream { bar, pass: "", told: Instant::now() }
        })
    }

    fn clear(&self) {
        self.streams.values().for_each(|stream| stream.bar.finish_and_clear());
    }
}

/// Says once that a user has to connect an account again.
pub(crate) fn reconnect(out: &Output, provider: &str, connection: ConnectionId) {
    out.warn(&format!(
        "{provider} {connection}: the provider does not take the credentials any more; what is stored stays"
    ));
    out.hint(&format!("connect the account again: lifehub connect {provider} --connection {connection}"));
}

/// `12 pages, 340 new, 2 changed, 1,800 the same`.
pub(crate) fn figures(counts: &Counts) -> String {
    let mut text = format!("{} pages", grouped(counts.pages));
    let parts = [
        (counts.inserted, "new"),
        (counts.updated, "changed"),
        (counts.unchanged, "the same"),
        (counts.deleted, "deleted"),
        (counts.quarantined, "in quarantine"),
        (counts.held, "held"),
    ];
    for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!(", {} {what}", grouped(count)));
    }
    text
}

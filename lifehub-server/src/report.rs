//! What runs did, as one JSON document or as a table.

use lifehub_core::Error;
use lifehub_core::connector::Manifest;
use lifehub_core::engine::{Connection, Counts, ErrorReport, Report, RunStatus, StreamReport};
use serde::Serialize;

use crate::output::Output;
use crate::table::{Table, grouped};

/// The reports of several connections and their sums.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    connections: Vec<Report>,
    totals: Counts,
}

impl Summary {
    pub(crate) fn add(&mut self, report: Report) {
        self.totals += report.totals();
        self.connections.push(report);
    }

    /// The sums over all connections.
    #[cfg(feature = "simulator")]
    pub(crate) fn totals(&self) -> Counts {
        self.totals
    }

    /// Whether any connection failed.
    pub(crate) fn failed(&self) -> bool {
        let stopped = |report: &Report| report.streams.iter().any(|stream| stream.error.is_some());
        self.connections.iter().any(|report| report.status == RunStatus::Failed || stopped(report))
    }

    /// The table for people, with the sums below where there are several rows.
    pub(crate) fn table(&self) -> String {
        let heads = [
            "PROVIDER",
            "STREAM",
            "STATUS",
            "#PAGES",
            "#NEW",
            "#CHANGED",
            "#SAME",
            "#DELETED",
            "#QUARANTINED",
            "#HELD",
        ];
        let mut table = Table::new(&heads);
        let rows: Vec<_> =
            self.connections.iter().flat_map(|r| r.streams.iter().map(move |s| (r, s))).collect();
        for (report, stream) in &rows {
            let names = [self.name(report), stream.stream.clone(), state(report, stream).to_owned()];
            table.row(names.into_iter().chain(figures(stream.counts)));
        }
        if rows.len() > 1 {
            table.row(["total".into(), " ".into(), " ".into()].into_iter().chain(figures(self.totals)));
        }
        table.to_string()
    }

    /// The provider, with the connection's id where several share it.
    fn name(&self, report: &Report) -> String {
        let provider = &report.provider;
        match self.connections.iter().filter(|other| other.provider == *provider).count() {
            0 | 1 => provider.clone(),
            _ => format!("{provider} {}", report.id),
        }
    }

    /// Says on standard error what needs a person: errors, quarantine, held sweeps.
    pub(crate) fn tell(&self, out: &Output) {
        for report in &self.connections {
            for StreamReport { stream, counts, error, .. } in &report.streams {
                let place = format!("{}: {stream}", self.name(report));
                if counts.held > 0 {
                    out.warn(&format!(
                        "{place}: {} items are missing at the provider, more than a usual change: their deletion is held",
                        grouped(counts.held)
                    ));
                    out.hint(&format!(
                        "if they are really gone: lifehub sync --connection {} --accept-deletes",
                        report.id
                    ));
                }
                if counts.quarantined > 0 {
                    let items = match counts.quarantined {
                        1 => "1 item could not be read and is".to_owned(),
                        n => format!("{} items could not be read and are", grouped(n)),
                    };
                    out.warn(&format!("{place}: {items} in quarantine"));
                    out.hint("`lifehub doctor` counts them; an update of Lifehub tries them again");
                }
                if let Some(error) = error {
                    let partition =
                        error.partition.as_deref().map(|id| format!(" [{id}]")).unwrap_or_default();
                    out.failed(&format!("{place}{partition}: {}", error.message), error.hint.as_deref());
                }
            }
        }
    }
}

fn figures(counts: Counts) -> impl Iterator<Item = String> {
    let Counts { pages, inserted, updated, unchanged, deleted, quarantined, held } = counts;
    [pages, inserted, updated, unchanged, deleted, quarantined, held].into_iter().map(grouped)
}

fn state(report: &Report, stream: &StreamReport) -> &'static str {
    match report.status {
        _ if stream.error.is_some() => "failed",
        _ if stream.counts.held > 0 => "held",
        _ if stream.caught_up => "ok",
        RunStatus::Parked => "parked",
        RunStatus::Failed => "not reached",
        _ => "incomplete",
    }
}

/// The report of a connection that could not run: every stream has the error.
pub(crate) fn not_run(connection: &Connection, manifest: Option<&Manifest>, error: Option<&Error>) -> Report {
    let mut report = Report::new(connection.id, &connection.provider);
    report.status = if error.is_some() { RunStatus::Failed } else { RunStatus::Incomplete };
    report.streams = manifest
        .into_iter()
        .flat_map(|manifest| &manifest.streams)
        .map(|stream| StreamReport {
            stream: stream.name.into(),
            counts: Counts::default(),
            caught_up: false,
            error: error.map(|error| ErrorReport::of(error, "")),
        })
        .collect();
    report
}

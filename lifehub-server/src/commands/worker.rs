//! `lifehub worker`: syncs what is due, until it is asked to stop.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use lifehub_core::engine::{Report, SyncEvent};
use lifehub_core::schedule::{Worker, WorkerOptions};
use lifehub_store::Store;
use tokio::sync::broadcast::error::RecvError;

use super::connections::word;
use super::runs;
use crate::app::App;
use crate::cli::WorkerArgs;
use crate::failure::{Exit, Outcome, Signal};
use crate::network;
use crate::progress::{figures, reconnect};
use crate::signals::Stopper;

pub(crate) async fn run(app: &App, args: WorkerArgs) -> Outcome {
    let stopper = Stopper::listen(&app.out);
    let store = app.place.open_or_make().await?;
    let engine = app.engine(Arc::new(store.clone()), network::online()?);
    let mut options = WorkerOptions::default();
    options.concurrency = args.concurrency.unwrap_or(options.concurrency);
    let connections = match options.concurrency {
        1 => "one connection".to_owned(),
        n => format!("up to {n} connections"),
    };
    app.out.note(&format!("syncing what is due, {connections} at a time, until Ctrl-C"));
    let mut events = engine.events();
    let worker = Worker::new(engine, Arc::new(store.clone()), options);
    let cancel = stopper.cancel();
    let mut working = pin!(worker.run(&cancel));
    loop {
        let event = tokio::select! {
            () = &mut working => break,
            event = events.recv() => event,
        };
        match event {
            Ok(event) => tell(app, &store, &event).await,
            Err(RecvError::Lagged(_)) => app.out.note("so much happened at once that not all of it is told"),
            Err(RecvError::Closed) => {}
        }
    }
    while let Ok(event) = events.try_recv() {
        tell(app, &store, &event).await;
    }
    runs::close(app, &store).await;
    Ok(Exit::Stopped(stopper.got().unwrap_or(Signal::Terminate)))
}

async fn tell(app: &App, store: &Store, event: &SyncEvent) {
    match event {
        SyncEvent::Finished { report } => app.out.note(&line(report)),
        SyncEvent::ReconnectRequired { connection } => {
            let found = store.connection(*connection).await;
            let provider = found.map_or_else(|_| "PROVIDER".to_owned(), |info| info.connection.provider);
            reconnect(&app.out, &provider, *connection);
        }
        _ => {}
    }
}

/// `strava 0198c7a2-…: ok, 12 pages, 340 new, in 1.2 s`, and the first error if there is one.
fn line(report: &Report) -> String {
    let Report { id, provider, status, duration_ms, streams } = report;
    let seconds = Duration::from_millis(*duration_ms).as_secs_f64();
    let figures = figures(&report.totals());
    let error = streams.iter().find_map(|stream| Some((&stream.stream, stream.error.as_ref()?)));
    let error = error.map(|(stream, error)| format!("; {stream}: {}", error.message)).unwrap_or_default();
    format!("{provider} {id}: {}, {figures}, in {seconds:.1} s{error}", word(*status))
}

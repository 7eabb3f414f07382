//! Signals that ask the program to stop. Nothing listens for them until a command asks for it: before that they end
//! the program at once, also while it waits for a prompt.

use std::sync::{Arc, OnceLock};

use lifehub_core::engine::Cancel;

use crate::failure::{Exit, Signal};
use crate::output::Output;

/// Waits for the next signal.
pub(crate) async fn next() -> Signal {
    tokio::select! {
        () = interrupt() => Signal::Interrupt,
        () = terminate() => Signal::Terminate,
    }
}

async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signals) => _ = signals.recv().await,
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}

/// Keeps Ctrl-C from ending the program from now on: whoever calls this hears of it in another way.
///
/// # Errors
/// If the system does not allow it.
pub(crate) fn hold() -> std::io::Result<()> {
    #[cfg(unix)]
    drop(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?);
    Ok(())
}

/// Turns the first signal into a [`Cancel`], and the second into the end of the program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stopper {
    cancel: Cancel,
    got: Arc<OnceLock<Signal>>,
}

impl Stopper {
    /// Listens from now on.
    pub(crate) fn listen(out: &Output) -> Self {
        let stopper = Self::default();
        let (own, out) = (stopper.clone(), out.clone());
        tokio::spawn(async move {
            let signal = next().await;
            let _ = own.got.set(signal);
            out.note(
                "stopping; what was read is stored, the next run goes on there (once more stops at once)",
            );
            own.cancel.cancel();
            // Every page is one transaction: an end at any moment loses nothing.
            std::process::exit(i32::from(Exit::Stopped(next().await).code()));
        });
        stopper
    }

    /// What a run is to watch.
    pub(crate) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// The signal, if one came.
    pub(crate) fn got(&self) -> Option<Signal> {
        self.got.get().copied()
    }
}

//! Signals that ask the program to stop. Nothing listens for them until a command asks for it: before that they end
//! the program at once, also while it waits for a prompt.

use std::sync::{Arc, OnceLock};

use lifehub_core::engine::Cancel;

use crate::failure::{Exit, Signal};
use crate::output::Output;

/// Hears of signals from the moment at which it is made.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        // What the system does not let us hear ends the program as it always does.
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            () = heard(&mut self.interrupt) => Signal::Interrupt,
            () = heard(&mut self.terminate) => Signal::Terminate,
        }
    }
}

#[cfg(unix)]
async fn heard(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => _ = signal.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen() -> Self {
        Self {}
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}

/// Waits for the next signal.
pub(crate) async fn next() -> Signal {
    Signals::listen().next().await
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
        let (own, out, mut signals) = (stopper.clone(), out.clone(), Signals::listen());
        tokio::spawn(async move {
            let signal = signals.next().await;
            let _ = own.got.set(signal);
            out.note(
                "stopping; what was read is stored, the next run goes on there (once more stops at once)",
            );
            own.cancel.cancel();
            // Every page is one transaction: an end at any moment loses nothing.
            std::process::exit(i32::from(Exit::Stopped(signals.next().await).code()));
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

//! Asks for a secret on the terminal. The echo is off before the question appears, so that nothing that is typed or
//! pasted at once shows, and on again however the question ends.

use std::io;

use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind, Result};

use crate::signals;

/// Asks.
///
/// # Errors
/// [`ErrorKind::Cancelled`] on Ctrl-C; [`ErrorKind::Invalid`] if the terminal does not work.
pub(crate) fn secret(title: &str) -> Result<Secret> {
    let asked = signals::hold().and_then(|()| {
        let _quiet = quiet();
        rpassword::prompt_password(format!("{title}: "))
    });
    asked.map(Secret::new).map_err(|e| match e.kind() {
        io::ErrorKind::Interrupted => Error::new(ErrorKind::Cancelled, "stopped, nothing was saved"),
        kind => Error::new(ErrorKind::Invalid, format!("the terminal takes no answer: {kind}")),
    })
}

/// Switches the echo of the terminal off until what this gives is dropped.
#[cfg(unix)]
fn quiet() -> io::Result<unix::Quiet> {
    unix::Quiet::new()
}

#[cfg(not(unix))]
fn quiet() {}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    pub(super) struct Quiet {
        terminal: File,
        before: Termios,
    }

    impl Quiet {
        pub(super) fn new() -> io::Result<Self> {
            let terminal = File::open("/dev/tty")?;
            let before = tcgetattr(&terminal)?;
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
            tcsetattr(&terminal, OptionalActions::Now, &quiet)?;
            Ok(Self { terminal, before })
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            // The answer is there; a terminal that has gone needs no echo.
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
        }
    }
}

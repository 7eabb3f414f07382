//! How a command ends: its exit codes, and what keeps it from its end.

use std::io;

use lifehub_core::{Error, ErrorKind};

/// How a command that ran to its end ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All that was asked for is done.
    Done,
    /// Something of it failed, and was told.
    Failed,
    /// A signal asked to stop, and what was under way was finished.
    Stopped(Signal),
}

/// A signal that asks a program to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What service managers send.
    Terminate,
}

impl Exit {
    /// 0 done, 1 failed, 2 wrong use (see [`Failure::code`]), and as shells have it 128 and the signal's number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Stopped(Signal::Interrupt) => 130,
            Self::Stopped(Signal::Terminate) => 143,
        }
    }
}

/// What kept a command from its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error, to be told with its hint.
    Error(Error),
    /// Standard output took no more.
    Stdout(io::Error),
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Error(error) if error.kind() == ErrorKind::Invalid => 2,
            // Only a signal stops a command in this way.
            Self::Error(error) if error.kind() == ErrorKind::Cancelled => {
                Exit::Stopped(Signal::Interrupt).code()
            }
            Self::Error(_) => 1,
            // Whoever reads has seen enough (`lifehub export | head`).
            Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Stdout(_) => 1,
        }
    }

    /// The error to tell, if there is one.
    pub(crate) fn error(self) -> Option<Error> {
        match self {
            Self::Error(error) => Some(error),
            Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Self::Stdout(error) => Some(Error::new(
                ErrorKind::Storage,
                format!("standard output cannot be written: {}", error.kind()),
            )),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// What a command comes to.
pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

/// An error of wrong use.
pub(crate) fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

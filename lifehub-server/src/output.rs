//! What the program says: results on standard output, everything else on standard error, styled on terminals.

use std::io::{self, IsTerminal, Write};

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressDrawTarget};
use lifehub_core::Error;
use serde::Serialize;
use tracing_subscriber::fmt::MakeWriter;

use crate::failure::{Failure, Outcome};

/// Both streams, and the progress bars that must not be written over.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    bars: MultiProgress,
    styled: bool,
}

impl Output {
    pub(crate) fn new() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let plain = set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let styled = io::stderr().is_terminal() && !plain;
        Self { bars: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()), styled }
    }

    /// Where progress bars are drawn. Hidden if standard error is no terminal.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Whether standard error takes colours.
    pub(crate) fn is_styled(&self) -> bool {
        self.styled
    }

    /// Writes a text to standard output, with a line end.
    pub(crate) fn print(&self, text: &str) -> Outcome<()> {
        self.write_out(format!("{}\n", printable(text)).as_bytes())
    }

    /// Writes one JSON document to standard output.
    pub(crate) fn json<T: Serialize + ?Sized>(&self, value: &T) -> Outcome<()> {
        let mut text = serde_json::to_vec(value).map_err(|e| Failure::Stdout(e.into()))?;
        text.push(b'\n');
        self.write_out(&text)
    }

    fn write_out(&self, bytes: &[u8]) -> Outcome<()> {
        self.bars.suspend(|| {
            let mut out = io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush()).map_err(Failure::Stdout)
        })
    }

    /// Says something on standard error.
    pub(crate) fn note(&self, text: &str) {
        self.write_err(&format!("{}\n", printable(text)));
    }

    /// Says something worth a look.
    pub(crate) fn warn(&self, text: &str) {
        self.labelled("warning", AnsiColor::Yellow, text);
    }

    /// Says what can be done next.
    pub(crate) fn hint(&self, text: &str) {
        self.labelled("hint", AnsiColor::Cyan, text);
    }

    /// Tells an error and what to do about it.
    pub(crate) fn error(&self, error: &Error) {
        self.failed(&error.to_string(), error.get_hint());
    }

    /// The same with what is left of an error in a report.
    pub(crate) fn failed(&self, message: &str, hint: Option<&str>) {
        self.labelled("error", AnsiColor::Red, message);
        if let Some(hint) = hint {
            self.hint(hint);
        }
    }

    fn labelled(&self, label: &str, colour: AnsiColor, text: &str) {
        let text = printable(text);
        self.write_err(&match self.styled {
            true => {
                let style = Style::new().bold().fg_color(Some(colour.into()));
                format!("{style}{label}:{style:#} {text}\n")
            }
            false => format!("{label}: {text}\n"),
        });
    }

    fn write_err(&self, text: &str) {
        // There is nobody left to tell.
        let _ = self.bars.suspend(|| io::stderr().lock().write_all(text.as_bytes()));
    }
}

/// The text without what would steer a terminal: parts of it come from providers.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// Log lines go to standard error, between the bars.
impl<'a> MakeWriter<'a> for Output {
    type Writer = LogLine<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LogLine(&self.bars)
    }
}

/// Writes log lines.
pub(crate) struct LogLine<'a>(&'a MultiProgress);

impl Write for LogLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().lock().write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

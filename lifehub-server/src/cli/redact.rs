//! Errors of the command line without what may be a secret: a token that lost its `--secret` is repeated by nobody.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};

const HIDDEN: &str = "…";

/// The error to show. Where secrets may stand among the arguments, it repeats only the names of flags.
pub(crate) fn redacted(mut error: clap::Error, args: &[OsString]) -> clap::Error {
    let may_hold_secrets = args.iter().any(|arg| {
        let text = arg.to_string_lossy();
        // A URL may hold a password.
        arg == "connect" || text.starts_with("--secret") || text.contains("://")
    });
    if !may_hold_secrets {
        return error;
    }
    let unknown = error.kind() == clap::error::ErrorKind::UnknownArgument;
    if let Some(ContextValue::String(text)) = error.get(ContextKind::InvalidArg)
        && unknown
    {
        let shown = shown(text);
        error.insert(ContextKind::InvalidArg, ContextValue::String(shown));
    }
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
        if matches!(error.get(kind), Some(ContextValue::String(text)) if !text.is_empty()) {
            error.insert(kind, ContextValue::String(HIDDEN.into()));
        }
    }
    // Tips repeat the argument ("to pass '…' as a value, use …").
    error.remove(ContextKind::Suggested);
    error
}

/// The name of a flag that nobody knows; nothing of what is no flag.
fn shown(text: &str) -> String {
    match text.split_once('=') {
        Some((flag, _)) if flag.starts_with("--") => format!("{flag}={HIDDEN}"),
        None if text.starts_with("--") => text.to_owned(),
        _ => HIDDEN.to_owned(),
    }
}

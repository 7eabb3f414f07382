//! Errors of the configuration in plain words: which key, where it stands, what it takes. Never its value.

use std::path::Path;

use config::ConfigError;
use lifehub_core::Error;

use super::environment::Variables;
use crate::failure::wrong;

/// Where keys come from.
pub(super) struct Place<'a> {
    pub(super) file: Option<&'a Path>,
    pub(super) variables: &'a Variables,
}

impl Place<'_> {
    /// The error of a key that nobody knows.
    pub(super) fn unknown(&self, parent: &str, name: &str, what: &str, known: &[&str]) -> Error {
        let key = join(parent, name);
        let message = match what {
            "key" => format!("there is no configuration key {key:?}"),
            _ => format!("there is no {what} {name:?}"),
        };
        self.at(wrong(message), &key).hint(match known {
            [] => format!("there are no {what}s here"),
            _ => format!("the {what}s are: {}", known.join(", ")),
        })
    }

    /// The error of a value below the key `parent`.
    pub(super) fn fault(&self, error: ConfigError, parent: &str) -> Error {
        match error {
            ConfigError::At { error, key, .. } => {
                self.fault(*error, &join(parent, key.as_deref().unwrap_or_default()))
            }
            ConfigError::Type { expected, key, .. } => {
                let key = join(parent, key.as_deref().unwrap_or_default());
                self.value(&key, &format!("expected {expected}"))
            }
            ConfigError::FileParse { cause, .. } => self.syntax(&cause.to_string()),
            ConfigError::Message(text) if text.starts_with("unknown field") => {
                let names = quoted(&text);
                let (name, known) = names.split_first().map_or(("", &[][..]), |(name, known)| (*name, known));
                self.unknown(parent, name, "key", known)
            }
            other => self.value(parent, &without_values(&other.to_string())),
        }
    }

    /// The error of a value that its key cannot take.
    pub(super) fn value(&self, key: &str, text: &str) -> Error {
        let takes = match key.rsplit('.').next().unwrap_or_default() {
            "interval" | "lookback" | "lease" => {
                Some("a number with ms, s, m, h or d behind it, for example 30s or 15m")
            }
            "quotas" => Some("a list of quotas, or \"off\""),
            "enabled" => Some("true or false"),
            name if name.ends_with("_url") => Some("an address such as https://api.example.com/v1"),
            _ => None,
        };
        let error = match key {
            "" => wrong(format!("the configuration is not valid: {text}")),
            _ => wrong(format!("the configuration key {key:?} has a value that it cannot take: {text}")),
        };
        let error = self.at(error, key);
        match takes {
            Some(takes) => error.hint(format!("it takes {takes}")),
            None => error,
        }
    }

    /// An error of syntax. The parser's text shows the line in question, and that may hold a secret.
    fn syntax(&self, text: &str) -> Error {
        let said: Vec<&str> =
            text.lines().filter(|line| !line.contains('|') && !line.trim().is_empty()).collect();
        let error =
            wrong(format!("the configuration file is not valid TOML: {}", without_values(&said.join(": "))));
        match self.file {
            Some(file) => error.with("file", file.display()),
            None => error,
        }
    }

    fn at(&self, error: Error, key: &str) -> Error {
        match (self.variables.name_of(key), self.file) {
            (Some(variable), _) => error.with("variable", variable),
            (None, Some(file)) => error.with("file", file.display()),
            (None, None) => error,
        }
    }
}

fn join(parent: &str, name: &str) -> String {
    match (parent, name) {
        ("", name) => name.to_owned(),
        (parent, "") => parent.to_owned(),
        _ => format!("{parent}.{name}"),
    }
}

/// The names that serde quotes in a message.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A message without the values that it quotes; what it says of the expected form may stay.
fn without_values(text: &str) -> String {
    let (found, rest) = text.split_at(text.find(", expected").unwrap_or(text.len()));
    match (found.find(['"', '`']), found.rfind(['"', '`'])) {
        (Some(first), Some(last)) if first < last => {
            format!("{}…{}{rest}", &found[..first], &found[last + 1..])
        }
        _ => text.to_owned(),
    }
}

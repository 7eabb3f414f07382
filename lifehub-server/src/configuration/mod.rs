//! The configuration: `lifehub.toml`, then environment variables, then flags. Unknown keys are refused by name.

mod environment;
mod fault;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Environment, File, FileFormat, Value};
use lifehub_core::engine::{DurationSetting, Operator, ProviderSettings};
use lifehub_core::secret::Secret;
use lifehub_core::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::cli::Global;
use crate::failure::wrong;
use environment::Variables;

/// The file that is read where it stands, if no other is named.
const DEFAULT_FILE: &str = "lifehub.toml";

/// Who works on a connection renews its lease after a third of it: a shorter one would be lost to a slow disk.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);
/// A connection whose worker's machine died rests that long.
const LONGEST_LEASE: Duration = Duration::from_secs(3600);

/// What the operator of this installation set.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// Where the data lies.
    pub(crate) data_dir: Option<PathBuf>,
    /// Where the database is. It may hold a password.
    pub(crate) database_url: Option<Secret>,
    /// The master key in base64.
    pub(crate) master_key: Option<Secret>,
    /// The log filter.
    pub(crate) log: Option<String>,
    /// For how long a worker holds a connection that it gives no more sign of working on.
    pub(crate) lease: Option<Duration>,
    /// What is set for the providers.
    pub(crate) operator: Operator,
}

/// The keys of the file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keys {
    data_dir: Option<PathBuf>,
    database_url: Option<Secret>,
    master_key: Option<Secret>,
    log: Option<String>,
    lease: Option<DurationSetting>,
    // Read one by one, so that an error knows its provider.
    providers: BTreeMap<String, Value>,
}

impl Configuration {
    /// Reads the file, then these environment variables, then the flags. `providers` are the ids of all providers.
    ///
    /// # Errors
    /// If a key is unknown (the known ones are listed), or a value is not what its key takes. No error repeats a value.
    pub(crate) fn load(
        global: &Global,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        providers: &[&str],
    ) -> Result<Self> {
        let variables = Variables::read(variables, providers)?;
        let file = file(global.config.as_deref())?;
        let mut builder = config::Config::builder();
        if let Some((_, text)) = &file {
            builder = builder.add_source(File::from_str(text, FileFormat::Toml));
        }
        let path = file.map(|(path, _)| path);
        let at = fault::Place { file: path.as_deref(), variables: &variables };
        let environment = Environment::default().source(Some(variables.by_key()));
        let keys: Keys = builder
            .add_source(environment)
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|e| at.fault(e, ""))?;
        let lease = keys.lease.map(|lease| lease.0);
        if lease.is_some_and(|lease| !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&lease)) {
            return Err(at.value("lease", "expected from 100ms to 1h"));
        }
        let mut operator = Operator::default();
        for (id, value) in keys.providers {
            if !providers.contains(&id.as_str()) {
                return Err(at.unknown("providers", &id, "provider", providers));
            }
            let settings: ProviderSettings =
                value.try_deserialize().map_err(|e| at.fault(e, &format!("providers.{id}")))?;
            operator = operator.with(id, settings);
        }
        Ok(Self {
            data_dir: global.data_dir.clone().or(keys.data_dir),
            database_url: keys.database_url,
            master_key: keys.master_key,
            log: keys.log,
            lease,
            operator,
            file: path,
        })
    }
}

/// The configuration file, if there is one.
fn file(named: Option<&Path>) -> Result<Option<(PathBuf, String)>> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.to_owned(), text))),
        Err(e) if e.kind() == IoKind::NotFound && named.is_none() => Ok(None),
        Err(e) if e.kind() == IoKind::NotFound => Err(wrong("the configuration file does not exist")
            .with("file", path.display())
            .hint("check the path behind --config")),
        Err(e) => Err(Error::new(
            ErrorKind::Invalid,
            format!("the configuration file cannot be read: {}", e.kind()),
        )
        .with("file", path.display())
        .hint("it must be a text file that this user may read")),
    }
}

#[cfg(test)]
mod tests;

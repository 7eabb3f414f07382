//! Environment variables as keys: `LIFEHUB_PROVIDERS__GOOGLE_CALENDAR__BASE_URL` is
//! `providers.google-calendar.base_url`.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;

use lifehub_core::Result;

use crate::failure::wrong;

const PREFIX: &str = "LIFEHUB_";
const SEPARATOR: &str = "__";

/// The variables that begin with `LIFEHUB_`, by their keys.
#[derive(Debug, Default)]
pub(super) struct Variables(BTreeMap<String, Variable>);

struct Variable {
    name: String,
    value: String,
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The value may be a key or a password.
        f.write_str(&self.name)
    }
}

impl Variables {
    /// Takes what is ours. A provider's id is written with `_` where it has a dash. An empty value is none.
    pub(super) fn read(
        all: impl IntoIterator<Item = (OsString, OsString)>,
        providers: &[&str],
    ) -> Result<Self> {
        let mut own = BTreeMap::new();
        for (name, value) in all {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            let Some(value) = value.to_str() else {
                return Err(wrong(format!("the environment variable {name} is not valid text")));
            };
            if value.is_empty() || is_service_link(&name[PREFIX.len()..]) {
                continue;
            }
            let key = key(&name[PREFIX.len()..], providers);
            own.insert(key, Variable { name: name.into(), value: value.into() });
        }
        Ok(Self(own))
    }

    /// Values by keys. Every value is text: what a key makes of it is decided where its type is known, so that a
    /// secret of digits stays what it is.
    pub(super) fn by_key(&self) -> HashMap<String, String> {
        self.0.iter().map(|(key, variable)| (key.clone(), variable.value.clone())).collect()
    }

    /// The variable that sets a key or something below it.
    pub(super) fn name_of(&self, key: &str) -> Option<&str> {
        let below = |other: &str| other.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
        self.0
            .iter()
            .find(|(other, _)| *other == key || below(other))
            .map(|(_, variable)| variable.name.as_str())
    }
}

fn key(name: &str, providers: &[&str]) -> String {
    let lower = name.to_ascii_lowercase();
    let mut parts: Vec<&str> = lower.split(SEPARATOR).collect();
    if let ["providers", id, ..] = parts.as_mut_slice()
        && let Some(known) = providers.iter().find(|known| known.replace('-', "_") == **id)
    {
        *id = *known;
    }
    parts.join(".")
}

/// Whether Kubernetes made it: beside a service named `lifehub`, every container gets the addresses of that service
/// in variables of these names, without having asked.
fn is_service_link(rest: &str) -> bool {
    let numbered = |rest: &str| rest.is_empty() || rest.starts_with('_');
    rest == "SERVICE_HOST"
        || rest.strip_prefix("SERVICE_PORT").is_some_and(numbered)
        || rest.strip_prefix("PORT").is_some_and(numbered)
}

//! The simulated providers of this program: which there are, and one of them at work.

use std::io::{self, ErrorKind as IoKind};

use lifehub_connectors::MakeAccount;
use lifehub_core::{Error, ErrorKind, Result};
use lifehub_testkit::{Access, Server, ServerBuilder, Setup};

use crate::failure::wrong;

/// A provider that can be simulated.
pub(crate) struct Simulation {
    /// The provider's id.
    pub(crate) id: &'static str,
    make: MakeAccount,
}

/// A simulated provider at work, until it is dropped.
pub(crate) struct Simulated {
    /// The provider's id.
    pub(crate) id: &'static str,
    /// Where it listens, `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    /// How a connection reaches its account.
    pub(crate) access: Access,
    _server: Server,
}

/// The simulations of these providers, or of all if none is named.
///
/// # Errors
/// If there is none of a provider; those that there are are named.
pub(crate) fn simulations(names: &[String]) -> Result<Vec<Simulation>> {
    let all = lifehub_connectors::simulators();
    let known: Vec<&str> = all.iter().map(|(id, _)| *id).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(wrong(format!("there is no simulated provider {name:?}"))
            .hint(format!("those that there are: {}", known.join(", "))));
    }
    let chosen = |id: &str| names.is_empty() || names.iter().any(|name| name == id);
    let simulations = all.into_iter().map(|(id, make)| Simulation { id, make });
    Ok(simulations.filter(|simulation| chosen(simulation.id)).collect())
}

impl Simulation {
    /// Serves the account of that setup.
    ///
    /// # Errors
    /// If its port is taken, or the system gives no more.
    pub(crate) fn start(&self, setup: &Setup, server: ServerBuilder) -> Result<Simulated> {
        let account = (self.make)(setup);
        let server = server.start(account.clone()).map_err(|e| self.failed(&e))?;
        let url = server.url();
        Ok(Simulated { id: self.id, access: account.access(&url), url, _server: server })
    }

    fn failed(&self, e: &io::Error) -> Error {
        let id = self.id;
        let error = |text: String| Error::new(ErrorKind::Unavailable, text);
        match e.kind() {
            IoKind::AddrInUse => error(format!("{id} cannot be simulated: its port is taken"))
                .hint("name another with --port, or leave --port out for any that is free"),
            IoKind::PermissionDenied => {
                error(format!("{id} cannot be simulated: its port is not for this user"))
                    .hint("name one from 1024 on with --port")
            }
            kind => error(format!("{id} cannot be simulated: {kind}")),
        }
    }
}

//! The connectors that a program knows, by id.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::connector::{Connector, Manifest};
use crate::error::{Error, ErrorKind, Result};

/// A set of connectors.
#[derive(Debug, Clone, Default)]
pub struct Registry(BTreeMap<&'static str, Arc<dyn Connector>>);

impl Registry {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector; one of the same id gives way.
    #[must_use]
    pub fn with(mut self, connector: impl Connector) -> Self {
        self.0.insert(connector.manifest().id, Arc::new(connector));
        self
    }

    /// The connector of that id.
    ///
    /// # Errors
    /// If there is none; the error names those that exist.
    pub fn get(&self, id: &str) -> Result<&Arc<dyn Connector>> {
        self.0.get(id).ok_or_else(|| {
            let known: Vec<_> = self.0.keys().copied().collect();
            Error::new(ErrorKind::Invalid, format!("there is no provider {id:?}"))
                .hint(format!("the providers are: {}", known.join(", ")))
        })
    }

    /// All manifests, by id.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.0.values().map(|connector| connector.manifest())
    }
}

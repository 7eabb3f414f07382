//! The world of a connector: HTTP to its provider, files that settings name, the clock, the pass under way.

use std::fmt;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::connector::file::{FileAccess, LocalFile};
use crate::connector::settings::{self, SettingsSchema};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Call, Http, Priority};
use crate::page::Pass;
use crate::paginate::PagePath;
use crate::secret::Credentials;

/// All that a connector reaches. It never sees a credential.
pub struct Context<'a> {
    http: &'a Http,
    settings: Value,
    files: FileAccess,
    pass: Pass,
    now: Timestamp,
    priority: Priority,
}

impl<'a> Context<'a> {
    /// A context over a built HTTP stack; `settings` without their sealed members, which lie in `credentials`.
    pub fn new(
        http: &'a Http,
        settings: &Value,
        credentials: &Credentials,
        files: FileAccess,
        pass: Pass,
        now: Timestamp,
    ) -> Self {
        let settings = SettingsSchema::unseal(settings, credentials);
        Self { http, settings, files, pass, now, priority: Priority::Live }
    }

    /// The same context for another pass.
    #[must_use]
    pub fn with_pass(&self, pass: Pass, now: Timestamp) -> Self {
        let Self { http, priority, .. } = *self;
        Self { http, settings: self.settings.clone(), files: self.files.clone(), pass, now, priority }
    }

    /// The same context for calls that go first or last where the provider's quotas are scarce.
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// A GET to a path of the provider's API.
    pub fn get(&self, path: &str) -> Call {
        self.http.get(path).priority(self.priority)
    }

    /// The call for a page of a list: `first` for the first one, and for others the one that the provider's link makes.
    pub fn page(&self, at: &PagePath, first: Call) -> Call {
        at.path.as_deref().map_or(first, |path| self.get(path).resuming())
    }

    /// A POST to a path of the provider's API.
    pub fn post(&self, path: &str) -> Call {
        self.http.post(path).priority(self.priority)
    }

    /// A GraphQL query.
    pub fn graphql(&self, path: &str, query: &str, variables: &Value) -> Call {
        self.http.graphql(path, query, variables).priority(self.priority)
    }

    /// A GET of a link that the provider handed out. One that leads to another host is an error when it is sent.
    pub fn follow(&self, link: &str) -> Call {
        self.http.follow(link).priority(self.priority)
    }

    /// Whether requests go below this address: the manifest's, say. Where an operator names another one, it stands for
    /// all hosts of a provider that has several.
    pub fn is_at(&self, base_url: &str) -> bool {
        self.http.is_at(base_url)
    }

    /// Opens the file that a setting names.
    ///
    /// # Errors
    /// If the setting names none, the file cannot be read or is too large, or files are not to be read here.
    pub async fn file(&self, setting: &str) -> Result<LocalFile> {
        let Some(path) = self.settings.get(setting).and_then(Value::as_str) else {
            return Err(Error::new(ErrorKind::Invalid, format!("the setting {setting:?} names no file")));
        };
        self.files.open(setting, Path::new(path)).await
    }

    /// The moment at which the page is fetched.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The connection's settings.
    ///
    /// # Errors
    /// If they are not of this shape.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T> {
        settings::read_settings(&self.settings)
    }

    /// The pass under way. While an account is identified: a full one from nothing.
    pub fn pass(&self) -> &Pass {
        &self.pass
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("pass", &self.pass).finish_non_exhaustive()
    }
}

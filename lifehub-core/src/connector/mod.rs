//! What a connector is: the code that reads one provider, and the only trait that its author must write.

mod context;
mod file;
mod manifest;
mod pages;
mod settings;
mod webhook;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Answer, Classify};
use crate::page::{Cursor, Page, Partition, Place};

pub use ::http::{HeaderMap, HeaderValue, Method};
pub use context::Context;
pub use file::{FileAccess, LocalFile};
pub use manifest::{
    Absence, Auth, AuthKind, CredentialField, Manifest, StreamSpec, SyncMode, Terms, Visibility,
};
pub use pages::ConnectorExt;
pub use settings::{SettingsSchema, first_day, no_settings, read_settings};
pub use webhook::{WebhookDelivery, WebhookEvent, WebhookKeys, WebhookNews, WebhookOutcome};

/// Reads one provider. It holds no state of its own: everything comes in through [`Context`] and cursors.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// What the provider offers and asks for. The same value every time.
    fn manifest(&self) -> &Manifest;

    /// Whose account the credentials open; at the same time the check that they do.
    async fn identify(&self, cx: &Context<'_>) -> Result<Identity>;

    /// The partitions of a stream. A plain stream has one.
    async fn partitions(&self, _cx: &Context<'_>, _stream: &str) -> Result<Vec<Partition>> {
        Ok(vec![Partition::only()])
    }

    /// Fetches one page.
    ///
    /// With a cursor, goes on there. Without one, starts at `cx.pass().from` (the provider's first item, if that is
    /// `None`), for live and full passes alike. A boundary is read inclusively: the engine takes care of duplicates.
    ///
    /// # Errors
    /// [`CursorExpired`](crate::ErrorKind::CursorExpired) if the provider refuses the cursor. Never an empty page in
    /// place of an answer that could not be read.
    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page>;

    /// The address below which a connection's requests go, for a connector that reads where its user points: a feed, a
    /// server of one's own. `None`: the manifest's, or the operator's, who is not asked where this names one. The
    /// settings are whole, sealed members included; [`read_settings`] reads them.
    ///
    /// # Errors
    /// If the settings name no address that can be read.
    fn base_url(&self, _settings: &Value) -> Result<Option<String>> {
        Ok(None)
    }

    /// The connector's own reading of answers, where the provider departs from the usual sense of statuses: an error
    /// inside a 200, a 403 that throttles.
    fn classify(&self) -> Option<Classify> {
        None
    }

    /// Reads what the provider sent by webhook: checks that it is the provider's, and says what it means. It asks
    /// nobody, and what it cannot use it passes over: a provider that gets an error sends the same again.
    ///
    /// # Errors
    /// [`Unauthorized`](crate::ErrorKind::Unauthorized) for a wrong token or signature,
    /// [`Invalid`](crate::ErrorKind::Invalid) for what is no delivery of this provider; never with anything of its body.
    /// By default [`Unsupported`](crate::ErrorKind::Unsupported).
    fn receive(&self, _keys: &WebhookKeys, _delivery: &WebhookDelivery) -> Result<WebhookOutcome> {
        let title = self.manifest().title;
        Err(Error::new(ErrorKind::Unsupported, format!("{title} sends no webhooks that are read here")))
    }
}

#[async_trait]
impl<C: Connector + ?Sized> Connector for Arc<C> {
    fn manifest(&self) -> &Manifest {
        (**self).manifest()
    }

    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        (**self).identify(cx).await
    }

    async fn partitions(&self, cx: &Context<'_>, stream: &str) -> Result<Vec<Partition>> {
        (**self).partitions(cx, stream).await
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, cursor: Option<&Cursor>) -> Result<Page> {
        (**self).fetch_page(cx, at, cursor).await
    }

    fn base_url(&self, settings: &Value) -> Result<Option<String>> {
        (**self).base_url(settings)
    }

    fn classify(&self) -> Option<Classify> {
        (**self).classify()
    }

    fn receive(&self, keys: &WebhookKeys, delivery: &WebhookDelivery) -> Result<WebhookOutcome> {
        (**self).receive(keys, delivery)
    }
}

impl fmt::Debug for dyn Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.manifest().id)
    }
}

/// Whose account a connection opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The provider's id of the account: stable, and the same for every way to sign in.
    pub account: String,
    /// A name by which its owner knows the account.
    pub title: Option<String>,
}

impl Identity {
    /// Whose account an answer names, by the paths of an id, a text or a whole number, and of a name for people, which may
    /// be absent.
    ///
    /// ```
    /// # use lifehub_core::{Result, connector::{Context, Identity}};
    /// async fn identify(cx: &Context<'_>) -> Result<Identity> {
    ///     cx.get("/me").parse(|me| Identity::of(me, "id", "name")).await
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`Answer::member`].
    pub fn of(answer: &Answer, account: &str, title: &str) -> Result<Self> {
        let fields = answer.fields()?;
        Ok(Self { account: fields.id(account)?, title: fields.text(title)? })
    }
}

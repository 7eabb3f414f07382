//! What comes in by webhook: read by the connector, kept in the inboxes of those whom it concerns.

use serde_json::Value;

use crate::connector::{Manifest, WebhookDelivery, WebhookEvent, WebhookKeys, WebhookOutcome};
use crate::engine::Engine;
use crate::engine::inbox::{StreamNews, StreamNewsKind};
use crate::error::{Error, ErrorKind, Result};
use crate::record::ConnectionId;

/// No provider's delivery is nearly as long.
const MAX_BYTES: usize = 1 << 20;

impl Engine {
    /// Takes a delivery of a provider: checks it, and keeps what it says until the next run of the connections that it
    /// concerns, which is due at once. All of it is durable when this returns. Gives the JSON to answer with, or `None`
    /// for an empty answer; either goes with status 200.
    ///
    /// Taking a delivery twice does no harm; one that concerns nobody is taken, and nothing is kept.
    ///
    /// # Errors
    /// Nothing of them shows what was delivered.
    /// - [`Unsupported`](ErrorKind::Unsupported) if the provider sends none, and as for other calls if it is not there
    ///   or switched off;
    /// - [`Unauthorized`](ErrorKind::Unauthorized) if the token or signature is wrong;
    /// - [`Invalid`](ErrorKind::Invalid) if it is no delivery of that provider, [`TooLarge`](ErrorKind::TooLarge) if it
    ///   has more than a mebibyte;
    /// - the store's: the provider then has to send it again.
    pub async fn receive(&self, provider: &str, delivery: &WebhookDelivery) -> Result<Option<Value>> {
        let connector = self.connector(provider)?;
        if delivery.body.len() > MAX_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, "a delivery has more than a mebibyte"));
        }
        let settings = self.0.operator.of(provider);
        let keys = WebhookKeys::new(settings.client_secret, settings.webhook_token);
        let news = match connector.receive(&keys, delivery)? {
            WebhookOutcome::Answer(answer) => return Ok(Some(answer)),
            WebhookOutcome::News(news) => news,
        };
        for one in news {
            let is_withdrawn = one.event == WebhookEvent::Withdrawn;
            let kept = kept(connector.manifest(), one.event)?;
            let reached = self.0.store.deliver(provider, &one.account, delivery.received, &kept).await?;
            tracing::debug!(provider, connections = reached.len(), "news by webhook");
            if is_withdrawn {
                self.withdrawn(&reached).await?;
            }
        }
        Ok(None)
    }

    /// The user took the consent back at the provider: the credentials of these are good for nothing any more.
    async fn withdrawn(&self, connections: &[ConnectionId]) -> Result<()> {
        for &connection in connections {
            let revision = self.0.store.credentials(connection).await?.revision;
            self.refresher().refuse(connection, revision).await?;
        }
        Ok(())
    }
}

/// What of an event goes into inboxes.
fn kept(manifest: &Manifest, event: WebhookEvent) -> Result<Vec<StreamNews>> {
    let (stream, whats) = match event {
        WebhookEvent::Changed { stream } => (stream, vec![StreamNewsKind::Changed]),
        WebhookEvent::Items { stream, partition, items } => {
            let item = |item| StreamNewsKind::Item { partition: partition.clone(), item };
            (stream, items.into_iter().map(item).collect())
        }
        WebhookEvent::Withdrawn => return Ok(Vec::new()),
    };
    if manifest.stream(&stream).is_none() {
        let text = format!("the connector has news of a stream {stream:?}, which it does not have");
        return Err(Error::new(ErrorKind::Internal, text));
    }
    Ok(whats.into_iter().map(|what| StreamNews { stream: stream.clone(), what }).collect())
}

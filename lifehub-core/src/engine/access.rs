//! How an engine reaches a provider: whose app, which address, whose credentials, which quotas.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::connector::{Connector, ConnectorExt, Context, FileAccess, Identity, Manifest, SettingsSchema};
use crate::engine::Engine;
use crate::engine::event::SyncEvent;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{CredentialSource, Http, QuotaLedger, Quotas, StaticCredentials};
use crate::oauth::{OAuthApp, OAuthClient, Refresher, Renewal, VaultCredentials};
use crate::page::{Pass, PassKind};
use crate::record::ConnectionId;
use crate::secret::Credentials;

impl Engine {
    /// Asks the provider whose account the credentials open. Nothing is stored.
    ///
    /// # Errors
    /// As the provider answers: [`Unauthorized`](ErrorKind::Unauthorized) for credentials that it does not take.
    pub async fn identify(
        &self,
        provider: &str,
        settings: &serde_json::Value,
        credentials: Credentials,
    ) -> Result<Identity> {
        let connector = self.connector(provider)?;
        let source = Arc::new(StaticCredentials::new(credentials.clone()));
        let http = self.http(connector, settings, &credentials, source, "identify")?;
        connector.identify(&self.context(&http, settings, &credentials)).await
    }

    /// The OAuth 2.0 client of the operator's app at a provider: for connecting accounts, and for giving consents back.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) if the provider has no OAuth 2.0, [`Invalid`](ErrorKind::Invalid) if the
    /// operator named no app.
    pub fn oauth(&self, provider: &str) -> Result<OAuthClient> {
        let manifest = self.connector(provider)?.manifest();
        let spec = manifest.auth.oauth.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, format!("{} has no OAuth 2.0", manifest.title))
        })?;
        let settings = self.0.operator.of(provider);
        let client_id = settings.client_id.ok_or_else(|| {
            let text = format!("no app is configured for {}", manifest.title);
            let keys = format!("providers.{provider}.client_id and .client_secret");
            let docs = manifest.docs;
            Error::new(ErrorKind::Invalid, text).hint(format!(
                "register an app with the provider ({docs}) and set {keys} in the configuration"
            ))
        })?;
        let mut app = OAuthApp::new(client_id, settings.client_secret);
        (app.authorize_url, app.token_url) = (settings.authorize_url, settings.token_url);
        app.revoke_url = settings.revoke_url;
        OAuthClient::new(spec, app, self.0.transport.clone(), self.0.clock.clone())
    }

    /// Renews the credentials of a connection though their end is not near, so that they do not age out.
    ///
    /// # Errors
    /// As [`Refresher::renew`](crate::oauth::Refresher::renew).
    pub async fn keep_alive(&self, provider: &str, connection: ConnectionId) -> Result<()> {
        let connector = self.connector(provider)?;
        self.credentials(connector, connection).await?.renew().await
    }

    /// The providers whose refresh tokens age out, and after how long.
    pub(crate) fn refresh_token_lives(&self) -> Vec<(&'static str, Duration)> {
        let life = |id| self.0.registry.get(id).ok()?.manifest().auth.oauth.as_ref()?.refresh_token_life;
        self.providers().into_iter().filter_map(|id| Some((id, life(id)?))).collect()
    }

    /// The providers that are there and not switched off.
    pub(crate) fn providers(&self) -> Vec<&'static str> {
        let ids = self.0.registry.manifests().map(|manifest| manifest.id);
        ids.filter(|id| self.0.operator.of(id).enabled).collect()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }

    /// The credentials of a connection, renewed when they end.
    pub(super) async fn credentials(
        &self,
        connector: &Arc<dyn Connector>,
        id: ConnectionId,
    ) -> Result<VaultCredentials> {
        let held = self.0.store.credentials(id).await?;
        let renewal = self.renewal(connector.manifest())?;
        Ok(VaultCredentials::new(self.refresher().clone(), id, held, renewal))
    }

    /// One for the whole process.
    pub(super) fn refresher(&self) -> &Refresher {
        let make = || {
            let events = self.0.events.clone();
            Refresher::new(self.0.store.clone(), self.0.clock.clone(), move |connection| {
                // Nobody listening is fine: it stands in the store.
                let _ = events.send(SyncEvent::ReconnectRequired { connection });
            })
        };
        self.0.refresher.get_or_init(make)
    }

    /// How credentials of a provider are renewed, if they can be.
    fn renewal(&self, manifest: &Manifest) -> Result<Option<Arc<dyn Renewal>>> {
        match manifest.auth.oauth.is_some() && self.0.operator.of(manifest.id).client_id.is_some() {
            true => Ok(Some(Arc::new(self.oauth(manifest.id)?))),
            false => Ok(None),
        }
    }

    pub(super) fn connector(&self, provider: &str) -> Result<&Arc<dyn Connector>> {
        let connector = self.0.registry.get(provider)?;
        match self.0.operator.of(provider).enabled {
            true => Ok(connector),
            false => {
                Err(Error::new(ErrorKind::Invalid, format!("the provider {provider:?} is switched off"))
                    .hint(format!("set providers.{provider}.enabled = true in the configuration")))
            }
        }
    }

    pub(super) fn context<'a>(
        &self,
        http: &'a Http,
        settings: &serde_json::Value,
        credentials: &Credentials,
    ) -> Context<'a> {
        let now = self.0.clock.now();
        let pass = Pass { kind: PassKind::Full, from: None, to: now };
        let files = FileAccess::Allowed { max_bytes: self.0.max_file_bytes };
        Context::new(http, settings, credentials, files, pass, now)
    }

    /// The HTTP stack of one connection.
    pub(super) fn http(
        &self,
        connector: &Arc<dyn Connector>,
        settings: &serde_json::Value,
        credentials: &Credentials,
        source: Arc<dyn CredentialSource>,
        key: &str,
    ) -> Result<Http> {
        let inner = &*self.0;
        let manifest = connector.manifest();
        let base_url = inner.operator.of(manifest.id).base_url;
        let settings = SettingsSchema::unseal(settings, credentials);
        let builder = connector.http(inner.transport.clone(), base_url, &settings, source)?;
        let quotas = self.quotas(manifest, builder.origin())?;
        builder.clock(inner.clock.clone()).rng(inner.rng.clone()).quotas(quotas, key).build()
    }

    /// The quotas that all connections of a provider share in this process. Whoever reads where each user points, as from
    /// feeds, has as many providers as there are servers: that one of them is down says nothing of the others.
    fn quotas(&self, manifest: &Manifest, server: String) -> Result<Arc<Quotas>> {
        let inner = &*self.0;
        let mut all = inner.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (manifest.id, server);
        if let Some(quotas) = all.get(&place) {
            return Ok(quotas.clone());
        }
        let settings = inner.operator.of(manifest.id);
        let app = settings.client_id.clone().unwrap_or_default();
        let specs = settings.quotas(manifest);
        let off = specs.is_none();
        let specs = specs.unwrap_or_else(|| manifest.quotas.clone());
        let ledger: Arc<dyn QuotaLedger> = inner.store.clone();
        let quotas = Quotas::new(manifest.id, app, specs, ledger, inner.clock.clone(), inner.rng.clone())?;
        let quotas = Arc::new(if off { quotas.off() } else { quotas });
        all.insert(place, quotas.clone());
        Ok(quotas)
    }
}

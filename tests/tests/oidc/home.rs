//! A data folder, those who work in it, and its user's accounts at the authorization server.

use std::sync::Arc;

use futures_util::future::join_all;
use lifehub_core::clock::Zone;
use lifehub_core::engine::{
    Connection, Engine, Operator, ProviderSettings, QuotaSetting, QuotaWord, RunStatus, SyncOptions,
};
use lifehub_core::http::ReqwestTransport;
use lifehub_core::oauth::Vault as _;
use lifehub_core::record::UserId;
use lifehub_core::registry::Registry;
use lifehub_core::secret::{Credentials, Secret};
use lifehub_store::{ConnectionStatus, KeySource, NewConnection, OpenOptions, Store};
use serde_json::json;

use crate::browser::visit;
use crate::diary::Diary;
use crate::issuer::{Issuer, PROVIDER, Registered, begin, finish};

/// A data folder, and who work in it: each has a store and an engine of its own, as processes have.
pub(crate) struct Home {
    pub(crate) issuer: Issuer,
    pub(crate) app: Registered,
    pub(crate) workers: Vec<(Store, Engine)>,
    user: UserId,
    _folder: tempfile::TempDir,
}

impl Home {
    pub(crate) async fn with(issuer: Issuer, app: Registered, workers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for _ in 0..workers {
            let store = open(&folder, &issuer).await;
            all.push((store.clone(), engine(&issuer, app, store)));
        }
        let user = all[0].0.create_user("a@example.org", &Zone::utc()).await.unwrap();
        Self { issuer, app, workers: all, user, _folder: folder }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.workers[0].0
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.workers[0].1
    }

    /// Connects the account with that login, or connects it again.
    pub(crate) async fn connect(&self, login: &str) -> Connection {
        // It begins at one worker, and ends at another.
        let client = self.engine().oauth(PROVIDER).unwrap();
        let query = visit(&begin(&client, self.store()).await, login);
        let (store, engine) = self.workers.last().unwrap();
        let tokens = finish(&engine.oauth(PROVIDER).unwrap(), store, &query).await.unwrap().tokens;
        let credentials = tokens.into_credentials(&Credentials::none());
        let identity = self.engine().identify(PROVIDER, &json!({}), credentials.clone()).await.unwrap();
        assert_eq!(identity.account, login);
        let mut new = NewConnection::new(self.user, PROVIDER, credentials);
        new.account = Some(identity.account);
        let (id, _) = self.store().connect(new).await.unwrap();
        self.store().connection(id).await.unwrap().connection
    }

    pub(crate) async fn credentials(&self, connection: &Connection) -> Credentials {
        self.store().credentials(connection.id).await.unwrap().credentials
    }

    pub(crate) async fn status(&self, connection: &Connection) -> ConnectionStatus {
        self.store().connection(connection.id).await.unwrap().status
    }

    /// Every worker syncs every connection, all at once.
    pub(crate) async fn sync(&self, connections: &[Connection]) {
        let options = SyncOptions::default();
        let runs = self
            .workers
            .iter()
            .flat_map(|(_, engine)| connections.iter().map(|one| engine.sync(one, &options)));
        for report in join_all(runs).await {
            let report = report.unwrap();
            assert_eq!(report.status, RunStatus::Ok, "{report:?}");
        }
    }
}

pub(crate) async fn open(folder: &tempfile::TempDir, issuer: &Issuer) -> Store {
    let key = KeySource::File(folder.path().join("master.key"));
    let options = OpenOptions::new(key).clock(issuer.clock.clone());
    Store::open(folder.path().join("lifehub.db").to_str().unwrap(), options).await.unwrap()
}

fn engine(issuer: &Issuer, app: Registered, store: Store) -> Engine {
    let mut settings = ProviderSettings::default();
    (settings.client_id, settings.client_secret) = (Some(app.id.into()), Some(Secret::new(app.secret)));
    settings.base_url = Some(issuer.url());
    settings.quotas = Some(QuotaSetting::Word(QuotaWord::Off));
    let registry = Registry::new().with(Diary::new(issuer.spec(app.auth)));
    Engine::builder(registry, Arc::new(store), Arc::new(ReqwestTransport::local().unwrap()))
        .clock(issuer.clock.clone())
        .operator(Operator::default().with(PROVIDER, settings))
        .build()
}

//! Google's limits, and its two hosts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lifehub_core::Result;
use lifehub_core::clock::Clock as _;
use lifehub_core::http::{Request, Response, Transport};
use lifehub_core::prelude::async_trait;
use lifehub_google_sheets::simulator::{GoogleSheetsSimulator, Limits};
use serde_json::{Value, json};

use crate::rig::{Rig, now};

/// Leads every request to the simulator, whatever its host, and remembers where it was meant to go.
struct Wire {
    inner: Arc<dyn Transport>,
    port: u16,
    hosts: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, mut request: Request) -> Result<Response> {
        self.hosts.lock().unwrap().push(request.url.origin().ascii_serialization());
        request.url.set_scheme("http").unwrap();
        request.url.set_host(Some("127.0.0.1")).unwrap();
        request.url.set_port(Some(self.port)).unwrap();
        self.inner.send(request).await
    }
}

#[tokio::test]
async fn a_spent_minute_is_waited_for() {
    let rig = Rig::new();
    // The sync needs six reads.
    rig.simulator.set_limits(Some(Limits::new(4, 300)));
    rig.sync().await;
    rig.equals_truth();
    let waited = rig.clock.now().since(now());
    assert!((Duration::from_secs(30)..Duration::from_secs(120)).contains(&waited), "{waited:?}");
    let log = rig.server.requests();
    let refused = log.iter().position(|request| request.status == Some(429)).unwrap();
    assert!(log[refused + 1].at >= log[refused].at + Duration::from_secs(30), "no early request");
}

#[tokio::test]
async fn its_own_quotas_keep_it_within_googles() {
    let mut rig = Rig::new();
    rig.operator["quotas"] = Value::Null;
    rig.simulator.set_limits(Some(Limits::default()));
    // Twenty syncs are 120 reads: two minutes' worth.
    let engine = rig.engine();
    for _ in 0..20 {
        engine.sync(&rig.connection, &Default::default()).await.unwrap();
    }
    assert_eq!(rig.server.request_count(), 120);
    assert!(rig.server.requests().iter().all(|request| request.status == Some(200)));
    assert!(rig.clock.now().since(now()) > Duration::from_secs(60));
}

#[tokio::test]
async fn whose_account_it_is_is_asked_at_another_host_unless_the_operator_names_one() {
    let mut rig = Rig::new();
    let wire = Wire { inner: rig.transport.clone(), port: rig.server.port(), hosts: Mutex::default() };
    let wire = Arc::new(wire);
    rig.transport = wire.clone();
    let hosts = || std::mem::take(&mut *wire.hosts.lock().unwrap());
    let identity = rig.identify().await.unwrap();
    let id = rig.simulator.spreadsheet();
    assert_eq!(identity.account, format!("{}/{id}", GoogleSheetsSimulator::PERSON));
    assert_eq!(identity.title.as_deref(), Some("Life log"));
    assert_eq!(hosts(), vec![rig.server.url(); 2]);

    rig.operator = json!({});
    assert_eq!(rig.identify().await.unwrap(), identity);
    assert_eq!(hosts(), ["https://openidconnect.googleapis.com", "https://sheets.googleapis.com"]);
    rig.sync().await;
    assert_eq!(hosts(), vec!["https://sheets.googleapis.com"; 6]);
}

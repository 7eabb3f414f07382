//! A connector alone, in an embedder's own loop: no engine, no store.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use lifehub_core::clock::ManualClock;
use lifehub_core::connector::{ConnectorExt, Context, FileAccess};
use lifehub_core::http::{Http, ReqwestTransport, StaticCredentials};
use lifehub_core::page::{Item, Page, Pass, PassKind, Place};
use lifehub_core::secret::Credentials;
use lifehub_core::{ErrorKind, Result};
use lifehub_testkit::{Access, Server, Setup};

use crate::rig::{NoNetwork, days_ago, start};
use crate::shelf::{Entry, Shelf, Style, page_of};

const PLACE: Place<'static> = Place { stream: "entries", partition: "" };

#[tokio::test]
async fn a_connector_gives_its_pages_as_a_stream() {
    let shelf = Shelf::new((0..45).map(|i| Entry::new(i, days_ago(i))).collect(), Style::default());
    let http = Http::builder(Arc::new(NoNetwork), "https://shelf.example".parse().unwrap()).build().unwrap();
    let pass = Pass { kind: PassKind::Full, from: None, to: start() };
    let none = serde_json::json!({});
    let cx = Context::new(&http, &none, &Credentials::none(), FileAccess::Denied, pass, start());

    let pages: Vec<Page> = shelf.pages(&cx, PLACE, None).try_collect().await.unwrap();
    let ids = pages.iter().flat_map(|page| &page.items).map(|item| match item {
        Item::Put(put) => put.id.as_str(),
        other => panic!("{other:?}"),
    });
    assert_eq!((pages.len(), ids.collect::<std::collections::HashSet<_>>().len()), (5, 45));
    assert_eq!(shelf.world().fetches.len(), 5, "a page is fetched when it is asked for");

    shelf.hook(|_, _| Some(Ok(page_of(&[], Ok(2)))));
    let pages: BoxStream<'_, Result<Page>> = shelf.pages(&cx, PLACE, None).boxed();
    assert_eq!(pages.try_collect::<Vec<_>>().await.unwrap_err().kind(), ErrorKind::Repeated);
}

#[tokio::test]
async fn each_connector_gives_all_of_its_records_alone() {
    let registry = lifehub_connectors::registry();
    for (id, make) in lifehub_connectors::simulators() {
        let account = make(&Setup::new(3, start()).days(20).items(30).page(8));
        let clock = Arc::new(ManualClock::at(start()));
        let server = Server::builder().clock(clock.clone()).start(account.clone()).unwrap();
        let Access { base_url, settings, credentials, .. } = account.access(&server.url());

        let connector = registry.get(id).unwrap();
        let transport = Arc::new(ReqwestTransport::local().unwrap());
        let source = Arc::new(StaticCredentials::new(credentials));
        let base_url = base_url.map(|url| url.parse().unwrap());
        let http = connector.http(transport, base_url, &settings, source).unwrap();
        let http = http.clock(clock).build().unwrap();
        let pass = Pass { kind: PassKind::Full, from: None, to: start() };
        let none = Credentials::none();
        let cx = Context::new(&http, &settings, &none, FileAccess::Denied, pass, start());

        let mut records = 0;
        for stream in &connector.manifest().streams {
            for partition in connector.partitions(&cx, stream.name).await.unwrap() {
                let at = Place { stream: stream.name, partition: &partition.id };
                let pages: Vec<Page> = connector.pages(&cx, at, None).try_collect().await.unwrap();
                for item in pages.into_iter().flat_map(|page| page.items) {
                    if let Item::Put(item) = item {
                        records += stream.normalizer.normalize(&item).unwrap().len();
                    }
                }
            }
        }
        let truth: usize =
            account.truth().iter().filter_map(|fact| fact.records.as_ref()).map(Vec::len).sum();
        assert_eq!(records, truth, "{id}");
    }
}

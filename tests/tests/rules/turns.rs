//! Every stream and every partition has its turn, and what the consent does not open is not asked for.

use lifehub_core::ErrorKind;
use lifehub_core::engine::{RunStatus, SyncOptions};
use lifehub_core::memory::MemoryStore;
use lifehub_core::secret::{Credentials, Secret};

use crate::rig::{Kind, Rig, days_ago, on_each_store};
use crate::shelf::{Entry, Shelf, Style};

fn shelf(style: Style) -> Shelf {
    // All within the look-back: each live pass reads them again.
    Shelf::new((0..25).map(|i| Entry::new(i, days_ago(i))).collect(), style)
}

on_each_store! {
    #[test]
    async fn rule_8_runs_of_one_page_reach_every_stream_and_partition(kind: Kind) {
        let style = Style { streams: &["a", "b", "c"], partitions: &["x", "y"], ..Style::default() };
        let rig = Rig::new(kind, shelf(style)).await;
        let mut options = SyncOptions::default();
        options.max_pages = 1;
        for _ in 0..120 {
            let report = rig.sync_with(&options).await;
            assert!(report.streams.iter().all(|stream| stream.error.is_none()), "{report:?}");
            let names: Vec<_> = report.streams.iter().map(|stream| stream.stream.as_str()).collect();
            assert_eq!(names, ["a", "b", "c"], "whoever had the turn, reports keep the manifest's order");
        }
        assert_eq!(rig.records().await.len(), 3 * 2 * 25);
    }

    #[test]
    async fn a_sync_of_named_streams_leaves_the_others_alone(kind: Kind) {
        let style = Style { streams: &["a", "b", "c"], ..Style::default() };
        let rig = Rig::new(kind, shelf(style)).await;
        let mut options = SyncOptions::default();
        options.streams = vec!["b".into()];
        let report = rig.sync_with(&options).await;
        assert_eq!((report.streams.len(), report.status), (1, RunStatus::Ok));
        assert_eq!(rig.records().await.len(), 25);
        options.streams = vec!["d".into()];
        let error = rig.engine().sync(&rig.connection, &options).await.unwrap_err();
        assert_eq!((error.kind(), error.get_hint()), (ErrorKind::Invalid, Some("its streams are: a, b, c")));
        assert_eq!(rig.sync().await.inserted, 50);
    }
}

#[tokio::test]
async fn a_stream_that_the_consent_does_not_open_is_not_asked_for() {
    let style = Style { scopes: &["entries:read", "all"], ..Style::default() };
    let mut rig = Rig::new(Kind::Memory, shelf(style)).await;
    let store = std::sync::Arc::new(MemoryStore::new());
    store.add_connection(rig.connection.clone());
    rig.storage = store.clone();
    let granted = |scopes: &str| {
        let credentials = Credentials::none().with("access_token", Secret::new("made-up"));
        store.set_credentials(rig.connection.id, credentials.with("scopes", Secret::new(scopes)));
    };
    granted("profile entries:write");
    let report = rig.sync_with(&SyncOptions::default()).await;
    let error = report.streams[0].error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.message.contains("entries:read or all"), "{}", error.message);
    assert!(error.hint.as_ref().unwrap().contains("connect the account again"));
    assert_eq!(rig.shelf.world().fetches.len(), 0);
    for scopes in ["profile all", "entries:read"] {
        granted(scopes);
        assert_eq!(rig.sync_with(&SyncOptions::default()).await.status, RunStatus::Ok);
    }
}

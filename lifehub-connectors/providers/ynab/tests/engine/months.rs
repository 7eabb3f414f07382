//! Categories: what each of them had, month by month.

use std::sync::Arc;

use lifehub_core::ErrorKind;
use lifehub_testkit::{Account, Change, Server, SimRequest, SimResponse, Simulator};
use lifehub_ynab::simulator::YnabSimulator;
use serde_json::{Value, json};

use crate::rig::{DAY, Rig, full, rig};

/// YNAB with another first group of categories in every plan.
struct Regrouped(Arc<YnabSimulator>, fn(&mut Value));

impl Simulator for Regrouped {
    fn handle(&self, request: &SimRequest) -> SimResponse {
        let answer = self.0.handle(request);
        let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
        match body.pointer_mut("/data/category_groups/0") {
            Some(group) => {
                self.1(group);
                SimResponse::json(200, &body)
            }
            None => answer,
        }
    }
}

/// Asks a YNAB with such a group from now on.
fn regroup(rig: &mut Rig, change: fn(&mut Value)) {
    let simulator = Regrouped(rig.simulator.clone(), change);
    rig.server = Server::builder().clock(rig.clock.clone()).start(simulator).unwrap();
    rig.operator["base_url"] = json!(format!("{}/v1", rig.server.url()));
}

#[tokio::test]
async fn each_month_stays_as_it_was_last_told() {
    let rig = rig("categories");
    rig.sync().await;
    rig.equals_truth("categories");
    assert!(rig.simulator.change(Change::Edit(4)));
    let counts = rig.sync().await;
    assert_eq!((counts.updated, counts.inserted), (1, 0));
    let june = rig.stored("categories");
    assert!(june.keys().all(|id| id.ends_with("@2026-06-01")));

    // July, an hour after it has begun in UTC: its amounts are others though no category was touched.
    rig.clock.jump_to("2026-07-01T01:00:00Z".parse().unwrap());
    rig.server.take_requests();
    rig.sync().await;
    rig.equals_truth("categories");
    assert_eq!(rig.stored("categories").len(), 2 * june.len());
    assert!(june.iter().all(|(id, records)| rig.stored("categories")[id] == *records), "June is over");
    let asked = rig.asked("/categories");
    assert!(asked.iter().any(|query| !query.contains("knowledge")), "{asked:?}");
    rig.sync().await;
    assert!(rig.asked("/categories").iter().all(|query| query.contains("last_knowledge_of_server=")));
}

#[tokio::test]
async fn a_category_that_is_deleted_goes_from_its_month_alone() {
    let rig = rig("categories");
    rig.sync().await;
    let june = rig.stored("categories").len();
    rig.clock.advance(30 * DAY);
    rig.sync().await;
    assert!(rig.simulator.change(Change::Delete { from: 1, count: 2 }));
    let counts = rig.sync().await;
    assert_eq!((counts.deleted, counts.inserted), (2, 0));
    rig.equals_truth("categories");
    // One whose deletion no delta told.
    assert!(rig.simulator.change(Change::Delete { from: 3, count: 1 }));
    assert!(rig.simulator.change(Change::ExpireCursors));
    assert_eq!(rig.sync().await.deleted, 1);
    rig.equals_truth("categories");
    let stored = rig.stored("categories");
    assert_eq!(stored.keys().filter(|id| id.ends_with("@2026-06-01")).count(), june);
    assert_eq!(stored.keys().filter(|id| id.ends_with("@2026-07-01")).count(), june - 3);
}

#[tokio::test]
async fn categories_go_with_their_group() {
    let mut rig = rig("categories");
    rig.sync().await;
    let before = rig.stored("categories").len();
    // The category itself is not called deleted.
    assert!(rig.simulator.change(Change::Edit(4)));
    regroup(&mut rig, |group| group["deleted"] = json!(true));
    let counts = rig.sync().await;
    assert_eq!((counts.deleted, counts.updated), (1, 0));
    assert_eq!(rig.stored("categories").len(), before - 1);
}

#[tokio::test]
async fn a_group_that_cannot_be_read_loses_nothing() {
    for change in [
        (|group| group["categories"] = json!(null)) as fn(&mut Value),
        |group| group["deleted"] = json!("home"),
        |group| *group = json!("home"),
    ] {
        let mut rig = rig("categories");
        rig.sync().await;
        let before = rig.records("").len();
        regroup(&mut rig, change);
        let report = rig.run(&full()).await;
        let errors: Vec<_> = report.streams.into_iter().filter_map(|stream| stream.error).collect();
        assert!(!errors.is_empty());
        for error in errors {
            assert_eq!(error.kind, ErrorKind::InvalidResponse);
            assert!(error.hint.is_some() && !error.message.contains("home"), "{error:?}");
        }
        assert_eq!(rig.records("").len(), before);
    }
}

//! Trading 212's limits, which each path has for itself and other programs of the same person spend, too.

use std::time::Duration;

use lifehub_core::clock::Clock as _;
use lifehub_testkit::Setup;
use serde_json::json;

use crate::rig::{ALL, Rig, now, small};

const ORDERS: &str = "/api/v0/equity/history/orders";

#[tokio::test]
async fn its_own_quotas_keep_it_within_the_limits_of_each_path() {
    let mut rig = Rig::new(&Setup::new(7, now()).days(200).page(10));
    rig.operator = json!({ "base_url": rig.server.url() });
    rig.simulator.set_limits(true);
    for _ in 0..2 {
        assert_eq!(rig.sync_with_waits().await, 0, "no wait is so long that it parks");
    }
    rig.equals_truth(&ALL);
    let requests = rig.server.requests();
    assert!(requests.iter().all(|request| request.status == Some(200)));
    let orders: Vec<_> = requests.iter().filter(|request| request.path == ORDERS).collect();
    assert!(orders.len() > 12, "{}", orders.len());
    for seven in orders.windows(7) {
        assert!(seven[6].at.since(seven[0].at) > Duration::from_secs(60));
    }
    assert_eq!(orders[0].at, orders[1].at, "a burst serves a short list at once");
}

#[tokio::test]
async fn what_the_headers_tell_is_obeyed_without_any_quota() {
    let rig = Rig::new(&Setup::new(7, now()).days(100).page(5));
    rig.simulator.set_limits(true);
    rig.sync_with_waits().await;
    rig.equals_truth(&ALL);
    assert_eq!(rig.statuses(), [200].into(), "`x-ratelimit-remaining: 0` was heard before it came to a 429");
}

#[tokio::test]
async fn a_limit_that_another_program_spent_is_waited_for() {
    let mut rig = Rig::new(&small(""));
    rig.operator = json!({ "base_url": rig.server.url() });
    rig.simulator.set_limits(true);
    let at = now() + Duration::from_secs(50);
    for _ in 0..6 {
        rig.simulator.spend(ORDERS, at);
    }
    rig.sync_with_waits().await;
    rig.equals_truth(&ALL);
    let requests = rig.server.requests();
    let refused: Vec<_> = requests.iter().filter(|request| request.status == Some(429)).collect();
    assert_eq!((refused.len(), refused[0].path.as_str()), (1, ORDERS));
    let next = requests.iter().find(|request| request.number > refused[0].number).unwrap();
    assert!(next.at.since(at) >= Duration::from_secs(60), "until `x-ratelimit-reset`: {}", next.at);
    assert!(rig.clock.now().since(next.at) < Duration::from_secs(600));
}

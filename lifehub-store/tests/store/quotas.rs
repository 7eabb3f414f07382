//! Counts of quotas, shared by two processes on one file.

use lifehub_core::http::{QuotaKey, QuotaLedger};
use tempfile::TempDir;

use crate::world::{instant, open};

fn key(scope: &str) -> QuotaKey {
    QuotaKey::new("strava", "quarter", scope)
}

#[tokio::test]
async fn rule_11_two_processes_spend_a_window_once() {
    let dir = TempDir::new().unwrap();
    let (one, two) = (open(&dir).await, open(&dir).await);
    let mut granted = 0;
    for round in 0..12 {
        let store = if round % 2 == 0 { &one } else { &two };
        granted += store.draw(&key("app"), instant(0), 10, 100).await.unwrap();
    }
    assert_eq!(granted, 100);
    // The next window, another app, and the one before stand for themselves.
    assert_eq!(two.draw(&key("app"), instant(900), 10, 100).await.unwrap(), 10);
    assert_eq!(two.draw(&key("other app"), instant(0), 10, 100).await.unwrap(), 10);
    assert_eq!(one.draw(&key("app"), instant(0), 10, 100).await.unwrap(), 0);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_lock_the_quota() {
    let dir = TempDir::new().unwrap();
    let store = open(&dir).await;
    assert_eq!(store.draw(&key("app"), instant(86_400), 10, 100).await.unwrap(), 10);
    assert_eq!(store.draw(&key("app"), instant(0), 10, 100).await.unwrap(), 10);
    // Old windows are forgotten, so that the table does not grow.
    for window in 2..50 {
        store.draw(&key("app"), instant(window * 86_400), 100, 100).await.unwrap();
    }
    assert_eq!(store.draw(&key("app"), instant(49 * 86_400), 1, 100).await.unwrap(), 0);
    assert_eq!(store.draw(&key("app"), instant(0), 100, 100).await.unwrap(), 100);
}

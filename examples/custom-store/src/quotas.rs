//! Counts of quotas and closed gates. They outlive the process, as the provider's own counts do.

use std::time::Duration;

use async_trait::async_trait;
use lifehub_core::Result;
use lifehub_core::clock::Timestamp;
use lifehub_core::http::{Pace, QuotaKey, QuotaLedger};
use serde::{Deserialize, Serialize};

use crate::FileStore;
use crate::contents::Contents;

/// How many windows of a quota are remembered. More than the latest, so that a clock which is set back finds its own.
const WINDOWS: usize = 4;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quota {
    provider: String,
    quota: String,
    scope: String,
    /// Start and count of each window, the one that changed last at the end.
    windows: Vec<(Timestamp, u32)>,
    /// What [`Pace::take`] is to be told the next time.
    owed_until: Option<Timestamp>,
    closed_until: Option<Timestamp>,
}

impl Quota {
    fn is_of(&self, key: &QuotaKey) -> bool {
        (&*self.provider, &*self.quota, &*self.scope) == (&*key.provider, &*key.quota, &*key.scope)
    }

    fn used(&self, start: Timestamp) -> u32 {
        self.windows.iter().find(|window| window.0 == start).map_or(0, |window| window.1)
    }

    fn set_used(&mut self, start: Timestamp, used: u32) {
        self.windows.retain(|window| window.0 != start);
        self.windows.push((start, used));
        if self.windows.len() > WINDOWS {
            self.windows.remove(0);
        }
    }
}

impl Contents {
    fn quota(&self, key: &QuotaKey) -> Option<&Quota> {
        self.quotas.iter().find(|quota| quota.is_of(key))
    }

    fn quota_mut(&mut self, key: &QuotaKey) -> &mut Quota {
        let place = self.quotas.iter().position(|quota| quota.is_of(key)).unwrap_or_else(|| {
            self.quotas.push(Quota {
                provider: key.provider.to_string(),
                quota: key.quota.to_string(),
                scope: key.scope.to_string(),
                windows: Vec::new(),
                owed_until: None,
                closed_until: None,
            });
            self.quotas.len() - 1
        });
        &mut self.quotas[place]
    }
}

#[async_trait]
impl QuotaLedger for FileStore {
    async fn draw(&self, key: &QuotaKey, window_start: Timestamp, want: u32, limit: u32) -> Result<u32> {
        let key = key.clone();
        self.exclusively(move |turn| {
            let used = turn.contents().quota(&key).map_or(0, |quota| quota.used(window_start));
            let granted = want.min(limit.saturating_sub(used));
            if granted > 0 {
                turn.change(|contents| {
                    contents.quota_mut(&key).set_used(window_start, used + granted);
                    Ok(())
                })?;
            }
            Ok(granted)
        })
        .await
    }

    async fn used(&self, key: &QuotaKey, window_start: Timestamp, used: u32) -> Result<()> {
        let key = key.clone();
        self.exclusively(move |turn| {
            // A provider tells its figure with every answer: mostly it is no news, and no reason to write.
            if turn.contents().quota(&key).map_or(0, |quota| quota.used(window_start)) >= used {
                return Ok(());
            }
            turn.change(|contents| {
                contents.quota_mut(&key).set_used(window_start, used);
                Ok(())
            })
        })
        .await
    }

    async fn take(&self, key: &QuotaKey, now: Timestamp, units: u32, pace: Pace) -> Result<Option<Duration>> {
        let key = key.clone();
        self.exclusively(move |turn| {
            let stored = turn.contents().quota(&key).and_then(|quota| quota.owed_until);
            let (owed, wait) = pace.take(stored, now, units);
            if stored != Some(owed) {
                turn.change(|contents| {
                    contents.quota_mut(&key).owed_until = Some(owed);
                    Ok(())
                })?;
            }
            Ok(wait)
        })
        .await
    }

    async fn block(&self, key: &QuotaKey, until: Timestamp) -> Result<()> {
        let key = key.clone();
        self.exclusively(move |turn| {
            turn.change(|contents| {
                let quota = contents.quota_mut(&key);
                quota.closed_until = quota.closed_until.max(Some(until));
                Ok(())
            })
        })
        .await
    }

    async fn blocked_until(&self, key: &QuotaKey) -> Result<Option<Timestamp>> {
        Ok(self.read().quota(key).and_then(|quota| quota.closed_until))
    }
}

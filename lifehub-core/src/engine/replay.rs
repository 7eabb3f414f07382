//! Replay: stored raw items through the present normalizer, without the network.

use crate::connector::StreamSpec;
use crate::engine::diff::Differ;
use crate::engine::observed::NO_ID;
use crate::engine::report::{Counts, ErrorReport, StreamReport};
use crate::engine::run::{Change, Run};
use crate::engine::state::PartitionState;
use crate::engine::storage::{
    BodyChange, ItemPut, ItemRef, KnownRecord, PartitionKey, Quarantine, Sighting, StoredItem,
};
use crate::error::Result;
use crate::page::RawItem;

/// Items that one transaction of a replay renews at most.
const CHUNK: u32 = 500;

impl Run<'_> {
    /// Replays every stream of the connection that the connector still has.
    pub(super) async fn replay_streams(&mut self) {
        for spec in &self.tools.connector.manifest().streams {
            self.entry.report.streams.push(StreamReport::new(spec.name));
            let outcome = self.replay_stream(spec).await;
            let Some(report) = self.entry.report.streams.last_mut() else { return };
            match outcome {
                Ok(done) => report.caught_up = done,
                Err(error) => {
                    report.error = Some(ErrorReport::of(&error, ""));
                    return;
                }
            }
        }
    }

    async fn replay_stream(&mut self, spec: &StreamSpec) -> Result<bool> {
        for key in self.tools.store.partitions(self.tools.connection.id, spec.name).await? {
            let state = self.tools.store.resume(&key).await?;
            let mut after = None;
            loop {
                let items = self.tools.store.raw(&key, after, CHUNK).await?;
                let Some(last) = items.last() else { break };
                if !self.may_go_on() {
                    return Ok(false);
                }
                after = Some(last.known.item);
                self.replay_chunk(spec, &key, &state, items).await?;
            }
        }
        Ok(true)
    }

    async fn replay_chunk(
        &mut self,
        spec: &StreamSpec,
        key: &PartitionKey,
        state: &PartitionState,
        items: Vec<StoredItem>,
    ) -> Result<()> {
        let tools = self.tools;
        let differ = tools.differ(spec, key);
        let rows: Vec<ItemRef> = items.iter().map(|item| item.known.item).collect();
        let mut records = tools.store.records_of(key, &rows).await?;
        let mut counts = Counts::default();
        let mut puts = Vec::new();
        for item in items {
            let row = item.known.item;
            let of_item = records.extract_if(.., |record| record.item == row).collect();
            puts.extend(replay_item(&differ, item, of_item, &mut counts));
        }
        self.commit(key, state, Change { puts, counts, ..Change::default() }).await
    }
}

/// What replaying one item changes; `None` if nothing.
fn replay_item(
    differ: &Differ<'_>,
    StoredItem { known, body }: StoredItem,
    records: Vec<KnownRecord>,
    counts: &mut Counts,
) -> Option<ItemPut> {
    let last = known.sighting;
    if last.id.starts_with(NO_ID) {
        // Not the normalizer but the connector could not read it: only a new pass can give it an id.
        counts.quarantined += 1;
        return None;
    }
    let raw = RawItem { id: last.id.clone(), at: last.at, version: last.version, body };
    let same_version = last.normalizer == differ.spec.version;
    let mut put = ItemPut {
        item: Some(known.item),
        sighting: Sighting { normalizer: differ.spec.version, ..last },
        body: BodyChange::Keep,
        quarantine: None,
        records: Vec::new(),
    };
    match differ.normalize(&raw) {
        Ok(new) => {
            put.records = differ.compare(new, records, differ.clock.now(), counts);
            if put.records.is_empty() {
                counts.unchanged += 1;
            }
            if known.quarantined {
                put.body = BodyChange::Store(raw.body);
            }
            (!put.records.is_empty() || known.quarantined || !same_version).then_some(put)
        }
        Err(reason) => {
            counts.quarantined += 1;
            put.quarantine = Some(Quarantine { reason, body: raw.body });
            (!known.quarantined || !same_version).then_some(put)
        }
    }
}

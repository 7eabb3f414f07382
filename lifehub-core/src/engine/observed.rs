//! The items of a page with the digests of their bodies, each hashed once.

use std::collections::{HashMap, HashSet};

use crate::clock::Timestamp;
use crate::page::{Item, RawItem, RawJson};
use crate::record::Digest;

/// An item of a page with the digest of its body.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) id: String,
    pub(super) hash: Digest,
    pub(super) version: Option<u64>,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Put { at: Option<Timestamp>, body: RawJson },
    Gone,
    Broken { body: RawJson, reason: String },
}

impl Observed {
    pub(super) fn all(items: Vec<Item>) -> Vec<Self> {
        items.into_iter().map(Self::of).collect()
    }

    fn of(item: Item) -> Self {
        match item {
            Item::Put(RawItem { id, at, version, body }) => {
                Self { id, hash: Digest::of_bytes(body.as_bytes()), version, what: What::Put { at, body } }
            }
            Item::Gone { id, version } => Self { id, hash: Digest::of_bytes(b""), version, what: What::Gone },
            Item::Broken { body, reason } => {
                let hash = Digest::of_bytes(body.as_bytes());
                let id = format!("{NO_ID}{}", hash.to_hex());
                Self { id, hash, version: None, what: What::Broken { body, reason } }
            }
        }
    }
}

/// What the name of an item without an id begins with; the digest of its body follows.
pub(super) const NO_ID: &str = "sha256:";

/// One observation per id: of two in one page the higher version counts, else the later.
pub(super) fn dedup(items: Vec<Observed>) -> Vec<Observed> {
    let ids: HashSet<&str> = items.iter().map(|item| item.id.as_str()).collect();
    if ids.len() == items.len() {
        return items;
    }
    let mut places: HashMap<String, usize> = HashMap::with_capacity(ids.len());
    let mut kept: Vec<Observed> = Vec::with_capacity(ids.len());
    for item in items {
        match places.get(&item.id) {
            Some(&place) if item.version < kept[place].version => {}
            Some(&place) => kept[place] = item,
            None => {
                places.insert(item.id.clone(), kept.len());
                kept.push(item);
            }
        }
    }
    kept
}

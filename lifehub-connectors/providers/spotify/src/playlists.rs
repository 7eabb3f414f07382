//! Which playlists are open to the user, and the entries of one.

use std::collections::HashSet;

use lifehub_core::prelude::*;
use lifehub_core::record::Digest;
use serde::{Deserialize, Serialize};

use crate::Uri;
use crate::list::List;

/// Spotify counts no further than to 100,000 playlists.
const MOST_PAGES: usize = 2_000;

/// The playlists whose entries Spotify gives to this user.
pub(crate) async fn readable(cx: &Context<'_>, me: &str) -> Result<Vec<Partition>> {
    #[derive(Deserialize)]
    struct Head {
        id: String,
        name: Option<String>,
        #[serde(default)]
        collaborative: bool,
        owner: Owner,
    }
    #[derive(Deserialize)]
    struct Owner {
        id: String,
    }
    let (mut place, mut links, mut known) = (PagePath::default(), HashSet::new(), HashSet::new());
    let mut partitions = Vec::new();
    loop {
        let list = List::at(cx, &place, cx.get("/me/playlists")).await?;
        for item in &list.items {
            // What cannot be read is in the quarantine of the stream of playlists.
            let Ok(head) = item.read::<Head>() else { continue };
            let open = head.owner.id == me || head.collaborative && opens(cx, &head.id).await?;
            // One that slid to the next page meanwhile comes twice.
            if open && known.insert(head.id.clone()) {
                partitions.push(Partition { title: head.name, ..Partition::new(head.id) });
            }
        }
        match list.next {
            None => return Ok(partitions),
            Some(next) if links.len() < MOST_PAGES && links.insert(next.path.clone()) => place = next,
            Some(_) => return Err(led_back("Spotify's list of playlists does not come to its end")),
        }
    }
}

/// Whether the user works on somebody else's collaborative playlist, or only follows it. Nothing but the answer tells:
/// that 403 means neither owner nor collaborator.
async fn opens(cx: &Context<'_>, playlist: &str) -> Result<bool> {
    match cx.get("/playlists").segment(playlist).segment("items").query("limit", 1).send().await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Forbidden && error.extent() == Extent::Partition => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Where a walk through a playlist stands.
#[derive(Default, Serialize, Deserialize)]
struct Walk {
    page: PagePath,
    /// How many entries there were when it began.
    total: u64,
    /// A print of each entry so far. Entries have no id and may come twice: only those before it tell one from its like.
    seen: Vec<u32>,
}

/// The entries of one playlist. An entry is known by when what was added, and, if that stands there several times, by
/// which of them it is; not by its position, which changes with every entry that goes before it.
pub(crate) async fn entries(cx: &Context<'_>, playlist: &str, cursor: Option<&Cursor>) -> Result<Page> {
    #[derive(Serialize, Deserialize)]
    struct Entry<P, E> {
        playlist: P,
        entry: E,
    }
    #[derive(Deserialize)]
    struct Head {
        added_at: Option<String>,
        item: Option<Uri>,
        /// The name before February 2026.
        track: Option<Uri>,
    }
    let Walk { page, total, mut seen } = resume(cursor)?;
    let list = List::at(cx, &page, cx.get("/playlists").segment(playlist).segment("items")).await?;
    if list.offset < seen.len() as u64 {
        return Err(led_back("Spotify gives a page of the playlist again"));
    }
    if page.path.is_some() && list.total != total {
        // An entry that slid to the next page would be taken for its like.
        return Err(Error::new(ErrorKind::CursorExpired, "the playlist changed while it was read"));
    }
    let mut items = Vec::with_capacity(list.items.len());
    for entry in list.items {
        let body = RawJson::of(&Entry { playlist, entry })?;
        let mut print = 0;
        items.push(Item::read(body, |Entry { entry, .. }: Entry<String, Head>| {
            let uri = entry.item.or(entry.track).map(|track| track.uri);
            let key = format!("{}|{}", entry.added_at.unwrap_or_default(), uri.unwrap_or_default());
            let [a, b, c, d, ..] = *Digest::of_bytes(key.as_bytes()).as_bytes();
            print = u32::from_be_bytes([a, b, c, d]);
            match seen.iter().filter(|known| **known == print).count() {
                0 => ItemKey::new(key),
                before => ItemKey::new(format!("{key}|{before}")),
            }
        }));
        seen.push(print);
    }
    let next = list.next.map(|page| Walk { page, total: list.total, seen });
    Ok(Page { items, next: go_on(next, Coverage::Whole)? })
}

fn led_back(text: &str) -> Error {
    Error::new(ErrorKind::Repeated, text).hint("what was read before is stored; the next sync begins anew")
}

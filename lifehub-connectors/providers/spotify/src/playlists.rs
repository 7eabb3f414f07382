//! Which playlists are open to the user, and the entries of one.

use std::collections::HashSet;

use lifehub_core::prelude::*;
use lifehub_core::record::Digest;
use serde::{Deserialize, Serialize};

use crate::list::List;

/// The playlists whose entries Spotify gives to this user.
pub(crate) async fn readable(cx: &Context<'_>) -> Result<Vec<Partition>> {
    // What stands as the owner of playlists.
    let me: String = cx.get("/me").parse(|me| me.member("id")).await?;
    let (mut partitions, mut known, mut walk) = (Vec::new(), HashSet::new(), Walk::default());
    while let Some(place) = walk.page() {
        let list = List::at(cx, &place, cx.get("/me/playlists")).await?;
        for item in &list.items {
            // What cannot be read is in the quarantine of the stream of playlists.
            let Ok(playlist) = Fields::read(item) else { continue };
            let (Some(id), Some(owner)) =
                (playlist.maybe::<String>("id"), playlist.maybe::<String>("owner.id"))
            else {
                continue;
            };
            let shared = playlist.maybe("collaborative") == Some(true);
            let open = owner == me || shared && opens(cx, &id).await?;
            // One that slid to the next page meanwhile comes twice.
            if open && known.insert(id.clone()) {
                partitions.push(Partition { title: playlist.maybe("name"), ..Partition::new(id) });
            }
        }
        walk.go_on(list.next)?;
    }
    Ok(partitions)
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
struct Stand {
    page: PagePath,
    /// How many entries there were when it began.
    total: u64,
    /// A print of each entry so far. Entries have no id and may come twice: only those before it tell one from its like.
    seen: Vec<u32>,
}

/// The entries of one playlist. An entry is known by when what was added, and, if that stands there several times, by
/// which of them it is; not by its position, which changes with every entry that goes before it.
pub(crate) async fn entries(cx: &Context<'_>, playlist: &str, cursor: Option<&Cursor>) -> Result<Page> {
    let Stand { page, total, mut seen } = resume(cursor)?;
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
        let mut print = 0;
        items.push(Item::read(entry.with("_playlist", playlist), |entry| {
            // The second is the name before February 2026. What is not there any more has neither.
            let uri: Option<String> = entry.maybe("item.uri").or(entry.maybe("track.uri"));
            let added_at: Option<String> = entry.get("added_at")?;
            let key = format!("{}|{}", added_at.unwrap_or_default(), uri.unwrap_or_default());
            let [a, b, c, d, ..] = *Digest::of_bytes(key.as_bytes()).as_bytes();
            print = u32::from_be_bytes([a, b, c, d]);
            Ok(match seen.iter().filter(|known| **known == print).count() {
                0 => ItemKey::new(key),
                before => ItemKey::new(format!("{key}|{before}")),
            })
        }));
        seen.push(print);
    }
    let next = list.next.map(|page| Stand { page, total: list.total, seen });
    Ok(Page { items, next: go_on(next, Coverage::Whole)? })
}

fn led_back(text: &str) -> Error {
    Error::new(ErrorKind::Repeated, text).hint("what was read before is stored; the next sync begins anew")
}

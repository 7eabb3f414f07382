//! What the engine must know of an object: its id, and the instant that it bears.

use lifehub_core::prelude::*;
use serde_json::Value;

/// Orders and fills are numbered apart, so that a number alone is not unique. An order that is filled in several steps
/// comes several times.
pub(crate) fn order(item: Value) -> ItemKey {
    let (order, fill) = (&item["order"], &item["fill"]);
    match (fill["id"].as_i64(), order["id"].as_i64()) {
        (Some(id), _) => ItemKey::new(format_args!("fill:{id}")).at(instant(&fill["filledAt"])),
        (None, Some(id)) if fill.is_null() => {
            ItemKey::new(format_args!("order:{id}")).at(instant(&order["createdAt"]))
        }
        _ => ItemKey::new(""),
    }
}

/// A dividend.
pub(crate) fn dividend(item: Value) -> ItemKey {
    ItemKey::new(text(&item["reference"])).at(instant(&item["paidOn"]))
}

/// Another movement of cash.
pub(crate) fn transaction(item: Value) -> ItemKey {
    ItemKey::new(text(&item["reference"])).at(instant(&item["dateTime"]))
}

/// Each instrument is held in one position.
pub(crate) fn position(item: Value) -> ItemKey {
    ItemKey::new(text(&item["instrument"]["ticker"]))
}

fn text(member: &Value) -> &str {
    member.as_str().unwrap_or_default()
}

fn instant(member: &Value) -> Option<Timestamp> {
    member.as_str()?.parse().ok()
}

//! Histories page by page, newest first, by the paths that the provider itself hands out.

use std::collections::HashSet;

use lifehub_testkit::{Kind, Shelf, Shelved, SimRequest, SimResponse};
use serde_json::json;

use super::refused;

/// How histories are paged, and how that may fail.
#[derive(Debug, Default)]
pub(super) struct Paging {
    /// At most so many items a page.
    most: Option<usize>,
    /// Next pages are links to this origin.
    pub(super) lead_to: Option<String>,
    /// The end of a list is a path with the word `null`.
    pub(super) null_text: bool,
    /// The page behind so many items of this history cannot be had.
    pub(super) broken: Option<(String, usize)>,
    /// The paths that were handed out and are still good.
    handed: HashSet<String>,
}

/// The parameters that lead to what follows an item.
type Behind = fn(&Shelved) -> Vec<(String, String)>;

impl Paging {
    /// With at most so many items a page; `None` for as many as are asked for.
    pub(super) fn of(most: Option<usize>) -> Self {
        Self { most, ..Self::default() }
    }

    /// Every path that was handed out so far is refused from now on.
    pub(super) fn expire(&mut self) {
        self.handed.clear();
    }

    /// The page that a request asks for.
    pub(super) fn page<K: Kind>(
        &mut self,
        request: &SimRequest,
        shelf: &Shelf<K>,
        behind: Behind,
    ) -> SimResponse {
        let limit = match request.query("limit").map_or(Ok(20), str::parse) {
            Ok(limit @ 1..=50) => limit,
            _ => return refused(400),
        };
        let items: Vec<&Shelved> = shelf.items().rev().collect();
        let asked: Vec<_> = request.query.iter().filter(|(name, _)| name != "limit").cloned().collect();
        let start = match asked.is_empty() {
            true => Some(0),
            false if !self.handed.contains(&path(request, limit, &asked)) => None,
            false => items.iter().position(|item| behind(item) == asked).map(|place| place + 1),
        };
        let Some(start) = start else { return refused(400) };
        let history = request.segments().last().copied().unwrap_or_default();
        if self.broken.as_ref().is_some_and(|(name, place)| name == history && *place == start) {
            return refused(500);
        }
        let end = (start + self.most.map_or(limit, |most| most.clamp(1, limit))).min(items.len());
        let next = match items.get(end) {
            Some(_) => {
                let next = path(request, limit, &behind(items[end - 1]));
                self.handed.insert(next.clone());
                Some(format!("{}{next}", self.lead_to.as_deref().unwrap_or_default()))
            }
            None => self.null_text.then(|| format!("{}?limit={limit}&cursor=null", request.path)),
        };
        let items: Vec<_> = items[start..end].iter().map(|item| &item.shown).collect();
        SimResponse::json(200, &json!({ "items": items, "nextPagePath": next }))
    }
}

/// A path with these parameters, none of which needs to be encoded.
fn path(request: &SimRequest, limit: usize, parameters: &[(String, String)]) -> String {
    let start = format!("{}?limit={limit}", request.path);
    parameters.iter().fold(start, |path, (name, value)| format!("{path}&{name}={value}"))
}

/// A number of 64 bits.
pub(super) fn by_number(item: &Shelved) -> Vec<(String, String)> {
    let number = item.number.min(999_999);
    vec![("cursor".to_owned(), format!("{}{number:06}", item.at.as_seconds()))]
}

/// A reference, and an instant that must come along.
pub(super) fn by_reference(item: &Shelved) -> Vec<(String, String)> {
    let reference = item.sound["reference"].as_str().unwrap_or_default();
    vec![("cursor".to_owned(), reference.to_owned()), ("time".to_owned(), item.at.to_string())]
}

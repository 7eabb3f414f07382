//! Finds a provider that serves the same page or cursor again and again (rule 8).

use std::collections::HashSet;

use crate::engine::observed::Observed;
use crate::error::{Error, ErrorKind, Result};
use crate::page::Cursor;
use crate::record::Digest;

/// What one walk has seen in this run: 16 bytes a page, bounded by the run's budget of pages.
#[derive(Debug, Default)]
pub(super) struct Trail {
    pages: HashSet<Digest>,
    cursors: HashSet<Digest>,
}

impl Trail {
    /// Notes the cursor from which a page was fetched.
    pub(super) fn cursor(&mut self, cursor: Option<&Cursor>) -> Result<()> {
        let text = cursor.map_or("", Cursor::as_str);
        match self.cursors.insert(Digest::of_bytes(text.as_bytes())) {
            true => Ok(()),
            false => Err(repeated("the provider leads back to a cursor that was already read")),
        }
    }

    /// Notes a page. An empty page is no repeat.
    pub(super) fn page(&mut self, items: &[Observed]) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let mut text = Vec::with_capacity(items.len() * 32);
        for item in items {
            text.extend_from_slice(item.id.as_bytes());
            text.extend_from_slice(item.hash.as_bytes());
        }
        match self.pages.insert(Digest::of_bytes(&text)) {
            true => Ok(()),
            false => Err(repeated("the provider serves the same page again")),
        }
    }
}

fn repeated(message: &str) -> Error {
    Error::new(ErrorKind::Repeated, message).hint(
        "what was read before is stored; if the next sync says the same, the provider's paging changed: look for a newer version of the connector",
    )
}

//! What a connector hands over: pages of raw items, and the cursors from which a walk goes on.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result, json_fault};
use crate::normalize::{Fields, Reject};

/// JSON text as it came over the wire: a slice of the response, not a tree and not a copy.
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson(Bytes);

impl RawJson {
    /// Takes the part of `body` that `part` borrows from it, without copying.
    ///
    /// ```
    /// # use lifehub_core::page::RawJson;
    /// let body = bytes::Bytes::from_static(br#"[{"id":1},{"id":2}]"#);
    /// let parts: Vec<&serde_json::value::RawValue> = serde_json::from_slice(&body).unwrap();
    /// assert_eq!(RawJson::slice(&body, parts[1]).as_str(), r#"{"id":2}"#);
    /// ```
    pub fn slice(body: &Bytes, part: &RawValue) -> Self {
        let (text, whole) = (part.get().as_bytes(), body.as_ref());
        let inside = whole.as_ptr_range().contains(&text.as_ptr());
        Self(if inside { body.slice_ref(text) } else { Bytes::copy_from_slice(text) })
    }

    /// Takes stored or composed JSON text.
    ///
    /// # Errors
    /// If it is not one JSON value.
    pub fn new(text: impl Into<Bytes>) -> Result<Self> {
        let text = text.into();
        match serde_json::from_slice::<&RawValue>(&text) {
            Ok(_) => Ok(Self(text)),
            Err(e) => Err(Error::new(ErrorKind::InvalidResponse, format!("not JSON: {}", json_fault(&e)))),
        }
    }

    /// Composes an item that needs more than the provider's own text. That text stands untouched in it, where a member is
    /// a `RawJson`.
    ///
    /// # Errors
    /// If the value does not fit JSON.
    pub fn of<T: Serialize>(value: &T) -> Result<Self> {
        serde_json::to_vec(value).map(|text| Self(text.into())).map_err(|e| {
            Error::new(ErrorKind::Internal, format!("an item does not fit JSON: {}", json_fault(&e)))
        })
    }

    /// The same object with one member more, in front: for what its records depend on and the provider says elsewhere. The
    /// provider's own text stands untouched behind it. What is no object stays as it is.
    ///
    /// ```
    /// # use lifehub_core::page::RawJson;
    /// let event = RawJson::new(r#"{"id":7}"#)?.with("_time_zone", "Europe/Rome");
    /// assert_eq!(event.as_str(), r#"{"_time_zone":"Europe/Rome","id":7}"#);
    /// # Ok::<(), lifehub_core::Error>(())
    /// ```
    #[must_use]
    pub fn with(self, name: &str, value: impl Into<Value>) -> Self {
        let Some(members) = self.as_str().trim_start().strip_prefix('{') else { return self };
        let comma = if members.trim_start().starts_with('}') { "" } else { "," };
        let name = Value::from(name);
        Self(format!("{{{name}:{}{comma}{members}", value.into()).into())
    }

    /// Takes text that a store kept, which was JSON when it came.
    pub fn from_store(text: Vec<u8>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Every constructor but `from_store` has seen valid UTF-8; a damaged store gives text that does not parse.
        std::str::from_utf8(&self.0).unwrap_or("")
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The bytes of the text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads it into a type that may borrow from it.
    ///
    /// # Errors
    /// If the text is of another shape.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> std::result::Result<T, serde_json::Error> {
        match std::str::from_utf8(&self.0) {
            // Checked once as a whole, its strings need no check of their own, which costs more.
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(&self.0),
        }
    }
}

impl Serialize for RawJson {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.read::<&RawValue>().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({} bytes)", self.0.len())
    }
}

/// A provider's object as it came, with its stable id. It holds all that its records depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawItem {
    /// The id that the provider gives it, stable over edits.
    pub id: String,
    /// The instant by which coverage decides whether its absence means deletion.
    pub at: Option<Timestamp>,
    /// The provider's own version of it, if it has one: the higher wins.
    pub version: Option<u64>,
    /// The object.
    pub body: RawJson,
}

/// One entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// An object.
    Put(RawItem),
    /// The news that an object is gone.
    Gone {
        /// Its id.
        id: String,
        /// The provider's version of this news, if it has one.
        version: Option<u64>,
    },
    /// An entry from which no id can be read. It is quarantined under the hash of its body.
    Broken {
        /// The entry.
        body: RawJson,
        /// What is wrong with it.
        reason: String,
    },
}

impl Item {
    /// Reads what the engine must know of an entry, and keeps the entry as [`Item::Broken`] when that fails: a bad one
    /// does not fail the others.
    ///
    /// ```
    /// # use lifehub_core::{normalize::Fields, page::{Item, ItemKey, RawJson}};
    /// let read = |text: &'static str| -> lifehub_core::Result<Item> {
    ///     let key = |entry: &Fields<'_>| Ok(ItemKey::new(entry.id("id")?).at(entry.maybe("created_at")));
    ///     Ok(Item::read(RawJson::new(text)?, key))
    /// };
    /// assert!(matches!(read(r#"{"id":7,"name":"x"}"#)?, Item::Put(put) if put.id == "7"));
    /// assert!(matches!(read(r#"{"name":"x"}"#)?, Item::Broken { reason, .. } if reason == "`id` is missing"));
    /// # Ok::<(), lifehub_core::Error>(())
    /// ```
    pub fn read(body: RawJson, key: impl FnOnce(&Fields<'_>) -> Result<ItemKey, Reject>) -> Self {
        let key = Fields::read(&body).and_then(|entry| key(&entry));
        Self::keyed(body, key)
    }

    /// The same for a list that may hold what the page does not want: entries whose key is none are passed over.
    pub fn sift(
        body: RawJson,
        key: impl FnOnce(&Fields<'_>) -> Result<Option<ItemKey>, Reject>,
    ) -> Option<Self> {
        let key = Fields::read(&body).and_then(|entry| key(&entry)).transpose()?;
        Some(Self::keyed(body, key))
    }

    fn keyed(body: RawJson, key: Result<ItemKey, Reject>) -> Self {
        match key {
            Ok(key) if key.id.is_empty() => Self::Broken { body, reason: "its id is empty".into() },
            Ok(ItemKey { id, version, gone: true, .. }) => Self::Gone { id, version },
            Ok(ItemKey { id, at, version, .. }) => Self::Put(RawItem { id, at, version, body }),
            Err(reject) => Self::Broken { body, reason: reject.reason().to_owned() },
        }
    }
}

/// What the engine must know of an item apart from its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemKey {
    id: String,
    at: Option<Timestamp>,
    version: Option<u64>,
    gone: bool,
}

impl ItemKey {
    /// The provider's id of the item.
    pub fn new(id: impl ToString) -> Self {
        Self { id: id.to_string(), at: None, version: None, gone: false }
    }

    /// The instant by which coverage decides whether the item's absence means deletion.
    #[must_use]
    pub fn at(mut self, at: impl Into<Option<Timestamp>>) -> Self {
        self.at = at.into();
        self
    }

    /// The entry is the news that the item is gone, if this is so.
    #[must_use]
    pub fn gone_if(mut self, gone: bool) -> Self {
        self.gone = gone;
        self
    }

    /// The provider's own version of the item: the higher wins.
    #[must_use]
    pub fn version(mut self, version: impl Into<Option<u64>>) -> Self {
        self.version = version.into();
        self
    }
}

/// What one `fetch_page` returns: items, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The items, in the provider's order.
    pub items: Vec<Item>,
    /// Where to go on.
    pub next: Next,
}

/// Where a walk goes on after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There is more, from this cursor on.
    More(Cursor),
    /// The walk is at its end.
    CaughtUp {
        /// Where the next live pass starts.
        cursor: Cursor,
        /// For what the finished pass is complete, so that absence means deletion.
        covers: Coverage,
    },
}

impl Next {
    /// More, from this place on.
    ///
    /// # Errors
    /// If it does not fit JSON.
    pub fn more<T: Serialize>(place: &T) -> Result<Self> {
        Cursor::new(place).map(Self::More)
    }

    /// The end; the next live pass starts at this place.
    ///
    /// # Errors
    /// If it does not fit JSON.
    pub fn caught_up<T: Serialize>(place: &T, covers: Coverage) -> Result<Self> {
        Cursor::new(place).map(|cursor| Self::CaughtUp { cursor, covers })
    }
}

/// For what a finished pass is complete: items that lie inside and did not come are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Absence says nothing (the last fifty plays).
    Nothing,
    /// Items whose `at` lies strictly between both.
    Span {
        /// The lower border, itself not covered.
        from: Timestamp,
        /// The upper border, itself not covered.
        to: Timestamp,
    },
    /// Every item of the partition.
    Whole,
}

impl Coverage {
    /// What lies between the beginning of a pass and this instant; everything, if the pass begins with the provider's
    /// first item.
    pub fn since(from: Option<Timestamp>, to: Timestamp) -> Self {
        from.map_or(Self::Whole, |from| Self::Span { from, to })
    }

    /// Whether absence of an item with this `at` means that it is gone.
    pub fn contains(self, at: Option<Timestamp>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Span { from, to } => at.is_some_and(|at| from < at && at < to),
            Self::Whole => true,
        }
    }
}

/// A resume point of one partition: typed by its connector, opaque to everyone else.
///
/// It holds paths and queries, never a host and never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// Makes a cursor of a connector's own type.
    ///
    /// ```
    /// # use lifehub_core::page::Cursor;
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct At { page: u32 }
    /// let cursor = Cursor::new(&At { page: 3 })?;
    /// assert_eq!(cursor.read::<At>()?.page, 3);
    /// # Ok::<(), lifehub_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the value does not fit JSON.
    pub fn new<T: Serialize>(value: &T) -> Result<Self> {
        serde_json::to_string(value)
            .map(Self)
            .map_err(|e| Error::new(ErrorKind::Internal, format!("a cursor does not fit JSON: {e}")))
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`ErrorKind::CursorExpired`] if it is of another shape, as after an upgrade of the connector: the engine then
    /// falls back to an older resume point.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0)
            .map_err(|_| Error::new(ErrorKind::CursorExpired, "the stored cursor is of another version"))
    }

    /// Its stored form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the form that a store kept.
    pub fn from_store(text: String) -> Self {
        Self(text)
    }
}

/// A part of a stream with a life of its own: its own cursors, failures and completeness.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The provider's id of it; empty in a stream that has but one.
    pub id: Arc<str>,
    /// A name for people, if the provider has one.
    pub title: Option<String>,
}

impl Partition {
    /// A partition of that id.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self { id: id.into(), title: None }
    }

    /// The only partition of a plain stream.
    pub fn only() -> Self {
        Self::new("")
    }
}

/// Where a page is fetched: a stream and one partition of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The stream's name.
    pub stream: &'a str,
    /// The partition's id.
    pub partition: &'a str,
}

impl Place<'_> {
    /// The error of a connector that has no such stream.
    pub fn unknown(&self) -> Error {
        Error::new(ErrorKind::Unsupported, format!("there is no stream {:?}", self.stream))
    }
}

/// One walk of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// From the last known point, or from nothing.
    pub kind: PassKind,
    /// From when on items matter: the last caught-up time minus the look-back, or the backfill floor. `None`: from
    /// the provider's first.
    pub from: Option<Timestamp>,
    /// When the pass began; it never moves while the pass is open.
    pub to: Timestamp,
}

/// The kind of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassKind {
    /// From the anchor, re-reading the look-back window.
    Live,
    /// From nothing.
    Full,
}

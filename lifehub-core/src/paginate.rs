//! Cursors for the usual ways of paging: each a small value that a connector stores as it is, or inside its own.
//!
//! A page is fetched in three steps: [`resume`] where the cursor says, ask the provider, [`go_on`] to what the cursor
//! becomes. The cursor's default is the first page.
//!
//! ```
//! # use lifehub_core::{Result, page::{Coverage, Cursor, Item, Next, Page}};
//! use lifehub_core::paginate::{PageNumber, go_on, resume};
//!
//! # fn fetch(page: u32) -> Vec<Item> { vec![] }
//! fn page(cursor: Option<&Cursor>) -> Result<Page> {
//!     let at: PageNumber = resume(cursor)?;
//!     let items = fetch(at.page); // cx.get("/activities").query("page", at.page)…
//!     let next = go_on(at.next(items.len()), Coverage::Whole)?;
//!     Ok(Page { items, next })
//! }
//! # assert!(matches!(page(None)?.next, Next::CaughtUp { .. }));
//! # Ok::<(), lifehub_core::Error>(())
//! ```

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::{Day, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Answer;
use crate::page::{Coverage, Cursor, Next};

/// Where to go on, or the first page.
///
/// # Errors
/// [`CursorExpired`](crate::ErrorKind::CursorExpired) if the cursor is of another version.
pub fn resume<T: DeserializeOwned + Default>(cursor: Option<&Cursor>) -> Result<T> {
    cursor.map_or_else(|| Ok(T::default()), Cursor::read)
}

/// More from there on; or the end, from which the next live pass starts at the first page again.
///
/// # Errors
/// If the cursor does not fit JSON.
pub fn go_on<T: Serialize + Default>(next: Option<T>, covers: Coverage) -> Result<Next> {
    match next {
        Some(next) => Next::more(&next),
        None => Next::caught_up(&T::default(), covers),
    }
}

/// Numbered pages. They end with an **empty** page: a short one may only be one from which the provider took out what
/// the user may not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageNumber {
    /// The page to ask for.
    pub page: u32,
}

impl Default for PageNumber {
    fn default() -> Self {
        Self { page: 1 }
    }
}

impl PageNumber {
    /// The page after one that held `got` items, unless that was empty.
    ///
    /// ```
    /// # use lifehub_core::paginate::PageNumber;
    /// assert_eq!(PageNumber { page: 1 }.next(17), Some(PageNumber { page: 2 }));
    /// assert_eq!(PageNumber { page: 2 }.next(0), None);
    /// ```
    pub fn next(self, got: usize) -> Option<Self> {
        (got > 0).then_some(Self { page: self.page.saturating_add(1) })
    }
}

/// Items counted from the first. It moves by what came, not by what was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// How many items come before the page.
    pub offset: u64,
}

impl Offset {
    /// The offset after a page of `got` items, unless it was empty or reached the `total`, if the provider names one.
    ///
    /// ```
    /// # use lifehub_core::paginate::Offset;
    /// let first = Offset::default();
    /// assert_eq!(first.next(50, Some(80)), Some(Offset { offset: 50 }));
    /// assert_eq!(Offset { offset: 50 }.next(30, Some(80)), None);
    /// assert_eq!(Offset { offset: 50 }.next(0, None), None);
    /// ```
    pub fn next(self, got: usize, total: Option<u64>) -> Option<Self> {
        let offset = self.offset.saturating_add(got as u64);
        (got > 0 && total.is_none_or(|total| offset < total)).then_some(Self { offset })
    }
}

/// The provider's own word for the next page (`pageToken`, `next_token`, `cursor`); none on the first.
///
/// ```
/// # use lifehub_core::paginate::PageToken;
/// let first = PageToken::default();
/// // cx.get("/sleep").query_opt("next_token", first.token.as_deref())
/// let second = first.next(Some("abc".into())).expect("there is a second page");
/// assert_eq!(second.token.as_deref(), Some("abc"));
/// assert_eq!(second.next(None), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageToken {
    /// What to send.
    pub token: Option<String>,
}

impl PageToken {
    /// The token of the next page, if the provider gave one that is not empty.
    pub fn next(self, token: Option<String>) -> Option<Self> {
        token.filter(|token| !token.is_empty()).map(|token| Self { token: Some(token) })
    }
}

/// The path and query of the next page, as the provider links it; none on the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PagePath {
    /// What to give to `get`.
    pub path: Option<String>,
}

impl PagePath {
    /// The page that the answer's `Link` header calls `next`.
    ///
    /// # Errors
    /// [`ForeignOrigin`](crate::ErrorKind::ForeignOrigin) if it leads elsewhere.
    pub fn next(answer: &Answer) -> Result<Option<Self>> {
        Ok(answer.next_path()?.map(|path| Self { path: Some(path) }))
    }

    /// The page that a link in the answer's body leads to.
    ///
    /// # Errors
    /// As [`PagePath::next`].
    pub fn linked(answer: &Answer, link: Option<&str>) -> Result<Option<Self>> {
        let path = link.filter(|link| !link.is_empty()).map(|link| answer.path_of(link)).transpose()?;
        Ok(path.map(|path| Self { path: Some(path) }))
    }
}

/// A walk over all pages of a list within one call of a connector, as for the partitions of a stream. It ends in an error
/// where the provider leads back to a page that was read.
///
/// ```
/// # use lifehub_core::paginate::{PageToken, Walk};
/// # let answers = [Some("b".to_owned()), None];
/// let mut walk = Walk::default();
/// while let Some(PageToken { token }) = walk.page() {
///     // cx.get("/calendars").token("pageToken", token.as_deref())
/// #   let answer = answers[usize::from(token.is_some())].clone();
///     walk.go_on(PageToken { token }.next(answer))?;
/// }
/// # Ok::<(), lifehub_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Walk<T> {
    next: Option<T>,
    read: Vec<T>,
}

impl<T: Default> Default for Walk<T> {
    fn default() -> Self {
        Self { next: Some(T::default()), read: Vec::new() }
    }
}

impl<T: Clone + PartialEq> Walk<T> {
    /// The page to read; none at the end.
    pub fn page(&self) -> Option<T> {
        self.next.clone()
    }

    /// Goes to the page after.
    ///
    /// # Errors
    /// [`Repeated`](ErrorKind::Repeated) if it was read before.
    pub fn go_on(&mut self, next: Option<T>) -> Result<()> {
        self.read.extend(std::mem::replace(&mut self.next, next));
        match self.next.as_ref().is_some_and(|next| self.read.contains(next)) {
            true => Err(Error::new(
                ErrorKind::Repeated,
                "the list leads back to a page that was already read",
            )
            .hint("what was read before is stored; if it stays, look for a newer version of the connector")),
            false => Ok(()),
        }
    }
}

/// One of the spans of time into which a pass is cut for a provider that takes no longer ones.
///
/// Both ends belong to it, so that neighbours share an instant and no item falls between them; what comes twice is
/// stored once. As the cursor holds the span itself, it stays as it was when the pass goes on later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSpan {
    /// Its start.
    pub from: Timestamp,
    /// Its end, not before its start.
    pub to: Timestamp,
}

impl TimeSpan {
    /// The first span of a pass from `from` to `to`.
    ///
    /// ```
    /// # use lifehub_core::{clock::Timestamp, paginate::TimeSpan};
    /// # use std::time::Duration;
    /// let (from, to) = (Timestamp::from_seconds(0), Timestamp::from_seconds(100));
    /// let hour = Duration::from_secs(60);
    /// let first = TimeSpan::first(from, to, hour);
    /// let second = first.next(to, hour).expect("100 s are two spans");
    /// assert_eq!((second.from, second.to), (Timestamp::from_seconds(60), to));
    /// assert_eq!(second.next(to, hour), None);
    /// ```
    pub fn first(from: Timestamp, to: Timestamp, length: Duration) -> Self {
        let length = length.max(Duration::from_micros(1));
        Self { from, to: (from + length).min(to).max(from) }
    }

    /// The span after this one, unless it reaches the pass's end.
    pub fn next(self, to: Timestamp, length: Duration) -> Option<Self> {
        (self.to < to).then(|| Self::first(self.to, to, length))
    }
}

/// One of the spans of days into which a pass is cut. Both days belong to it, and to no other span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySpan {
    /// Its first day.
    pub from: Day,
    /// Its last day, not before its first.
    pub to: Day,
}

impl DaySpan {
    /// The first span of at most `days` days of a pass from `from` to `to`.
    ///
    /// ```
    /// # use lifehub_core::{clock::Day, paginate::DaySpan};
    /// let (from, to): (Day, Day) = ("2026-01-30".parse()?, "2026-02-03".parse()?);
    /// let first = DaySpan::first(from, to, 3);
    /// assert_eq!((first.from.to_string(), first.to.to_string()), ("2026-01-30".into(), "2026-02-01".into()));
    /// let second = first.next(to, 3).expect("five days are two spans");
    /// assert_eq!((second.from.to_string(), second.to), ("2026-02-02".into(), to));
    /// assert_eq!(second.next(to, 3), None);
    /// # Ok::<(), lifehub_core::Error>(())
    /// ```
    pub fn first(from: Day, to: Day, days: u16) -> Self {
        let last = Day::from_number(from.as_number().saturating_add(i32::from(days.max(1)) - 1));
        Self { from, to: last.min(to).max(from) }
    }

    /// The last such span, for a pass that walks back in time.
    ///
    /// ```
    /// # use lifehub_core::{clock::Day, paginate::DaySpan};
    /// let (from, to): (Day, Day) = ("2026-01-30".parse()?, "2026-02-03".parse()?);
    /// let last = DaySpan::last(from, to, 3);
    /// assert_eq!((last.from.to_string(), last.to), ("2026-02-01".into(), to));
    /// let before = last.before(from, 3).expect("five days are two spans");
    /// assert_eq!((before.from, before.days()), (from, 2));
    /// assert_eq!(before.before(from, 3), None);
    /// # Ok::<(), lifehub_core::Error>(())
    /// ```
    pub fn last(from: Day, to: Day, days: u16) -> Self {
        Self { from: to.plus(1 - i32::from(days.max(1))).max(from).min(to), to }
    }

    /// The span before this one, unless it reaches the pass's beginning.
    pub fn before(self, from: Day, days: u16) -> Option<Self> {
        (from < self.from).then(|| Self::last(from, self.from.plus(-1), days))
    }

    /// How many days it has.
    pub fn days(self) -> u32 {
        u32::try_from(self.to.as_number() - self.from.as_number() + 1).unwrap_or(1)
    }

    /// The span after this one, unless it reaches the pass's end.
    pub fn next(self, to: Day, days: u16) -> Option<Self> {
        (self.to < to).then(|| Self::first(Day::from_number(self.to.as_number().saturating_add(1)), to, days))
    }
}

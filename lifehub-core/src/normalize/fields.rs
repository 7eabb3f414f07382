//! Reading an item member by member: each is named once, where it is used, and an error names it too.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::json_fault;
use crate::normalize::Reject;
use crate::page::RawItem;
use crate::record::datasets::{Custom, CustomValue, Decimal};
use crate::record::{Moment, When};

type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// The members of a JSON object.
///
/// A member is named by its path, with dots between the names: `start.dateTime`. What is absent or null is `None`; what is
/// of another type than asked for is a [`Reject`] that names the path and no value.
///
/// ```
/// # use lifehub_core::{normalize::{Fields, Reject}, page::{RawItem, RawJson}, record::{Record, datasets::Workout}};
/// fn activity(item: &RawItem) -> Result<Vec<Record>, Reject> {
///     let fields = Fields::of(item)?;
///     let workout = Workout {
///         sport: fields.need("sport.name")?,
///         distance_m: fields.get("distance")?,
///         ..Workout::default()
///     };
///     Ok(vec![Record::new(fields.span("begin", "end")?, &workout)?])
/// }
/// # let item = |text: &'static str| Ok::<_, lifehub_core::Error>(RawItem { id: "1".into(), at: None, version: None, body: RawJson::new(text)? });
/// let run = r#"{"sport":{"name":"Run"},"begin":"2026-03-01T08:00:00+01:00","end":"2026-03-01T09:00:00+01:00"}"#;
/// assert_eq!(activity(&item(run)?).unwrap().len(), 1);
/// let vague = activity(&item(r#"{"sport":{"name":7}}"#)?).unwrap_err();
/// assert_eq!(vague.reason(), "`sport.name`: invalid type: integer …, expected a string");
/// # Ok::<(), lifehub_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Fields<'a>(Members<'a>);

impl<'a> Fields<'a> {
    /// Those of an item.
    ///
    /// # Errors
    /// If its body is no object.
    pub fn of(item: &'a RawItem) -> Result<Self, Reject> {
        Ok(Self(item.body.read()?))
    }

    /// A member, if it is there.
    ///
    /// # Errors
    /// If it is of another type, or something on the way to it is no object.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Reject> {
        let fault = |e: serde_json::Error| Reject::new(format!("`{path}`: {}", without_place(&e)));
        match self.raw(path)? {
            Some(raw) => serde_json::from_str::<Option<T>>(raw.get()).map_err(fault),
            None => Ok(None),
        }
    }

    /// A member that must be there.
    ///
    /// # Errors
    /// As [`Fields::get`], and if it is absent or null.
    pub fn need<T: DeserializeOwned>(&self, path: &str) -> Result<T, Reject> {
        self.get(path)?.ok_or_else(|| Reject::new(format!("`{path}` is missing")))
    }

    /// A text that is not empty.
    ///
    /// # Errors
    /// As [`Fields::get`].
    pub fn text(&self, path: &str) -> Result<Option<String>, Reject> {
        Ok(self.get::<String>(path)?.filter(|text| !text.is_empty()))
    }

    /// An amount by its digits in the text, whether it is written as a number or as a string: exact, where a number read
    /// as a float holds fifteen of them.
    ///
    /// # Errors
    /// If it is no decimal number.
    pub fn amount(&self, path: &str) -> Result<Option<Decimal>, Reject> {
        let Some(raw) = self.raw(path)?.map(RawValue::get).filter(|text| *text != "null") else {
            return Ok(None);
        };
        let amount = raw.trim_matches('"').parse();
        amount.map(Some).map_err(|_| Reject::new(format!("`{path}` is no decimal number")))
    }

    /// The elements of a list of objects; none if it is absent.
    ///
    /// # Errors
    /// As [`Fields::get`], and if an element is no object.
    pub fn list(&self, path: &str) -> Result<Vec<Fields<'a>>, Reject> {
        let Some(raw) = self.raw(path)? else { return Ok(Vec::new()) };
        let fault = |e: serde_json::Error| Reject::new(format!("`{path}`: {}", without_place(&e)));
        let all: Option<Vec<Members<'a>>> = serde_json::from_str(raw.get()).map_err(fault)?;
        Ok(all.unwrap_or_default().into_iter().map(Fields).collect())
    }

    /// From one instant to another.
    ///
    /// # Errors
    /// As [`Fields::need`], and if it ends before it starts.
    pub fn span(&self, start: &str, end: &str) -> Result<When, Reject> {
        let (from, to): (Moment, Moment) = (self.need(start)?, self.need(end)?);
        match to.at < from.at {
            true => Err(Reject::new(format!("`{end}` is before `{start}`"))),
            false => Ok(When::Span { start: from, end: to }),
        }
    }

    /// A custom fact of these members, under their names, or under others: `("owner.display_name", "owner")`. Those that
    /// are unknown or empty are left out.
    ///
    /// # Errors
    /// As [`Fields::get`].
    pub fn custom(&self, schema: &str, members: &[(&str, &str)]) -> Result<Custom, Reject> {
        let mut custom = Custom { schema: schema.to_owned(), ..Custom::default() };
        for (path, name) in members {
            custom = custom.with(name, self.get::<CustomValue>(path)?);
        }
        Ok(custom)
    }

    fn raw(&self, path: &str) -> Result<Option<&'a RawValue>, Reject> {
        let (first, mut rest) =
            path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let mut found = self.0.get(first).copied();
        while let (Some(inner), Some(way)) = (found, rest) {
            let (name, further) = way.split_once('.').map_or((way, None), |(name, rest)| (name, Some(rest)));
            let members: Option<Members<'a>> = serde_json::from_str(inner.get())
                .map_err(|e| Reject::new(format!("`{path}`: {}", without_place(&e))))?;
            (found, rest) = (members.and_then(|members| members.get(name).copied()), further);
        }
        Ok(found)
    }
}

/// Line and column are those of the member's own text, which nobody sees.
fn without_place(error: &serde_json::Error) -> String {
    let text = json_fault(error);
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

#[test]
fn an_amount_is_exact() {
    let body = crate::page::RawJson::new(r#"{"a":0.1234567890123456789,"b":"-12.50","c":null,"d":{}}"#);
    let item = RawItem { id: "1".into(), at: None, version: None, body: body.unwrap() };
    let fields = Fields::of(&item).unwrap();
    let amount = |path| fields.amount(path).map(|amount| amount.map(|amount| amount.to_string()));
    assert_eq!(amount("a").unwrap().unwrap(), "0.1234567890123456789");
    assert_eq!((amount("b").unwrap().unwrap(), amount("c").unwrap()), ("-12.50".into(), None));
    assert_eq!(amount("d").unwrap_err().reason(), "`d` is no decimal number");
}

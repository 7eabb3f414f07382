//! Reading JSON member by member: each is named once, where it is used, and an error names it too.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::json_fault;
use crate::normalize::Reject;
use crate::page::{RawItem, RawJson};
use crate::record::datasets::{Custom, CustomValue, Decimal};
use crate::record::{Moment, When};

/// The members of a JSON object: an item's in a normalizer, an entry's in [`Item::read`](crate::page::Item::read), an
/// answer's by [`Answer::fields`](crate::http::Answer::fields).
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
pub struct Fields<'a> {
    members: Members<'a>,
    /// The text of which the members are parts.
    whole: &'a Bytes,
    /// Where in it the object stands, for errors: empty, or a path that ends with a dot.
    place: String,
}

impl<'a> Fields<'a> {
    /// Those of an item.
    ///
    /// # Errors
    /// If its body is no object.
    pub fn of(item: &'a RawItem) -> Result<Self, Reject> {
        Ok(Self::new(item.body.read()?, item.body.bytes()))
    }

    /// Those of a JSON text of which few are read, one after another: each read begins at its start.
    ///
    /// # Errors
    /// If it is no object.
    pub fn read(body: &'a RawJson) -> Result<Self, Reject> {
        match body.as_str().trim_start().starts_with('{') {
            true => Ok(Self::new(Members::Text(body.as_str()), body.bytes())),
            false => Ok(Self::new(body.read()?, body.bytes())),
        }
    }

    pub(crate) fn new(members: Members<'a>, whole: &'a Bytes) -> Self {
        Self { members, whole, place: String::new() }
    }

    /// A member, if it is there.
    ///
    /// # Errors
    /// If it is of another type, or something on the way to it is no object.
    pub fn get<T: Deserialize<'a>>(&self, path: &str) -> Result<Option<T>, Reject> {
        match self.raw(path)? {
            Some(raw) => serde_json::from_str::<Option<T>>(raw.get()).map_err(|e| self.fault(path, &e)),
            None => Ok(None),
        }
    }

    /// A member that must be there.
    ///
    /// # Errors
    /// As [`Fields::get`], and if it is absent or null.
    pub fn need<T: Deserialize<'a>>(&self, path: &str) -> Result<T, Reject> {
        self.get(path)?.ok_or_else(|| self.missing(path))
    }

    /// A member that must be there, but may be null: the link to a page after the last.
    ///
    /// # Errors
    /// As [`Fields::get`], and if it is absent.
    pub fn nullable<T: Deserialize<'a>>(&self, path: &str) -> Result<Option<T>, Reject> {
        self.raw(path)?.ok_or_else(|| self.missing(path))?;
        self.get(path)
    }

    /// A member, if it is there and of this type. What is wrong with it otherwise is for somebody else to say: the
    /// instant of an item, say, by which the engine knows it, is read again by the normalizer.
    pub fn maybe<T: Deserialize<'a>>(&self, path: &str) -> Option<T> {
        self.get(path).ok().flatten()
    }

    /// An id that must be there: a text, or a whole number by its digits, as many as they are.
    ///
    /// # Errors
    /// As [`Fields::need`], and if it is neither.
    pub fn id(&self, path: &str) -> Result<String, Reject> {
        let raw: &RawValue = self.need(path)?;
        match raw.get().bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) {
            true => Ok(raw.get().to_owned()),
            false => self.need(path),
        }
    }

    /// A text that is not blank.
    ///
    /// # Errors
    /// As [`Fields::get`].
    pub fn text(&self, path: &str) -> Result<Option<String>, Reject> {
        Ok(self.get::<String>(path)?.filter(|text| !text.trim().is_empty()))
    }

    /// A number within these bounds: one outside of them is in another unit, or was never measured.
    ///
    /// # Errors
    /// As [`Fields::get`], and if it lies outside.
    pub fn within(&self, path: &str, bounds: RangeInclusive<f64>) -> Result<Option<f64>, Reject> {
        let number = self.get(path)?;
        if number.is_some_and(|number| !bounds.contains(&number)) {
            let (place, low, high) = (&self.place, bounds.start(), bounds.end());
            return Err(Reject::new(format!("`{place}{path}` lies outside of {low} to {high}")));
        }
        Ok(number)
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
        amount.map(Some).map_err(|_| Reject::new(format!("`{}{path}` is no decimal number", self.place)))
    }

    /// An amount that must be there.
    ///
    /// # Errors
    /// As [`Fields::amount`], and if it is absent or null.
    pub fn need_amount(&self, path: &str) -> Result<Decimal, Reject> {
        self.amount(path)?.ok_or_else(|| self.missing(path))
    }

    /// An object inside, if it is there.
    ///
    /// # Errors
    /// As [`Fields::get`].
    pub fn inner(&self, path: &str) -> Result<Option<Fields<'a>>, Reject> {
        let inner = |members| Self { members, whole: self.whole, place: format!("{}{path}.", self.place) };
        Ok(self.get(path)?.map(inner))
    }

    /// The elements of a list of objects; none if it is absent.
    ///
    /// # Errors
    /// As [`Fields::get`], and if an element is no object.
    pub fn list(&self, path: &str) -> Result<Vec<Fields<'a>>, Reject> {
        let all: Option<Vec<Members<'a>>> = self.get(path)?;
        Ok(all.unwrap_or_default().into_iter().map(|members| Self::new(members, self.whole)).collect())
    }

    /// The elements of a list that must be there, each as it came: a slice of the whole text. A list that is absent is
    /// not an empty one.
    ///
    /// # Errors
    /// As [`Fields::need`].
    pub fn items(&self, path: &str) -> Result<Vec<RawJson>, Reject> {
        let parts: Vec<&RawValue> = self.need(path)?;
        Ok(parts.into_iter().map(|part| RawJson::slice(self.whole, part)).collect())
    }

    /// From one instant to another.
    ///
    /// # Errors
    /// As [`Fields::need`], and if it ends before it starts.
    pub fn span(&self, start: &str, end: &str) -> Result<When, Reject> {
        let (from, to): (Moment, Moment) = (self.need(start)?, self.need(end)?);
        match to.at < from.at {
            true => {
                let place = &self.place;
                Err(Reject::new(format!("`{place}{end}` is before `{place}{start}`")))
            }
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

    pub(crate) fn raw(&self, path: &str) -> Result<Option<&'a RawValue>, Reject> {
        let mut names = path.split('.');
        let fault = |e: serde_json::Error| self.fault(path, &e);
        let mut found = self.members.get(names.next().unwrap_or_default()).map_err(fault)?;
        for name in names {
            let Some(inner) = found.filter(|inner| inner.get() != "null") else { return Ok(None) };
            found = Members::Text(inner.get()).get(name).map_err(fault)?;
        }
        Ok(found)
    }

    fn missing(&self, path: &str) -> Reject {
        Reject::new(format!("`{}{path}` is missing", self.place))
    }

    /// Line and column are those of the member's own text, which nobody sees.
    fn fault(&self, path: &str, error: &serde_json::Error) -> Reject {
        let text = json_fault(error);
        let text = text.split(" at line ").next().unwrap_or_default();
        Reject::new(format!("`{}{path}`: {text}", self.place))
    }
}

/// The members of an object.
#[derive(Debug)]
pub(crate) enum Members<'a> {
    /// All of them, as they come: for whoever reads many.
    Index(Vec<(Cow<'a, str>, &'a RawValue)>),
    /// The object's text, in which one is looked for: for whoever reads two or three near its beginning.
    Text(&'a str),
}

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Result<Option<&'a RawValue>, serde_json::Error> {
        match self {
            // Of two with one name the first counts.
            Self::Index(all) => Ok(all.iter().find(|(own, _)| own == name).map(|(_, value)| *value)),
            Self::Text(text) => {
                let mut found = None;
                let search = Search { name, found: &mut found };
                match serde_json::Deserializer::from_str(text).deserialize_map(search) {
                    Err(fault) if found.is_none() => Err(fault),
                    _ => Ok(found),
                }
            }
        }
    }
}

/// A member's name, borrowed unless there is an escape in it.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Looks for one member, and ends in an error where it is found: the rest need not be read.
struct Search<'n, 'f, 'de> {
    name: &'n str,
    found: &'f mut Option<&'de RawValue>,
}

impl<'de> Visitor<'de> for Search<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            if name == self.name {
                *self.found = Some(map.next_value()?);
                return Err(A::Error::custom(""));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(map.size_hint().unwrap_or(16));
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members::Index(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
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

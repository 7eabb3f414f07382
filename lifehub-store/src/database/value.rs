//! The parameters of statements, in a form that every database takes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Place;

/// One parameter. Absent values keep their type: PostgreSQL asks for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Value<'a> {
    Flag(bool),
    Int(Option<i64>),
    Real(f64),
    Text(Option<Cow<'a, str>>),
    /// A text of a provider: see [`Name`].
    Name(Option<Cow<'a, str>>),
    Bytes(Option<Cow<'a, [u8]>>),
    Ints(Vec<i64>),
    Texts(Vec<Cow<'a, str>>),
    Names(Vec<Cow<'a, str>>),
}

/// A text that is some provider's: it may hold any character and be of any length. PostgreSQL keeps it as bytes, because
/// its texts cannot hold U+0000.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name<T>(pub(crate) T);

/// What stands for a name in an index of PostgreSQL, which takes no more than some 2,700 bytes: the name itself, or its
/// beginning with a digest of all of it.
#[cfg(feature = "postgres")]
pub(super) fn index_key(name: &str) -> Cow<'_, [u8]> {
    use sha2::{Digest as _, Sha256};
    const MOST: usize = 512;
    let bytes = name.as_bytes();
    if bytes.len() < MOST {
        return Cow::Borrowed(bytes);
    }
    let digest = Sha256::digest(bytes);
    Cow::Owned([&bytes[..MOST - digest.len()], &digest[..]].concat())
}

/// What a column of rows that are written together holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Flag,
    Int,
    Real,
    Text,
    /// A name that nothing is found by.
    Name,
    /// A name that is only looked for: in PostgreSQL by its index key.
    Key,
    /// A name by which rows are found. In PostgreSQL these are two columns, one for the index key and one for the name where
    /// it is another.
    Indexed,
    Bytes,
}

#[cfg(feature = "postgres")]
impl Kind {
    /// The type in PostgreSQL.
    pub(super) fn postgres(self) -> &'static str {
        match self {
            Self::Flag => "boolean",
            Self::Int => "bigint",
            Self::Real => "double precision",
            Self::Text => "text",
            Self::Name | Self::Key | Self::Indexed | Self::Bytes => "bytea",
        }
    }
}

macro_rules! from {
    ($($of:ty => $value:ident($make:expr);)*) => {$(
        impl<'a> From<$of> for Value<'a> {
            fn from(value: $of) -> Self {
                Self::$value($make(value))
            }
        }
        )*
    };
}

from! {
    bool => Flag(|flag| flag);
    i64 => Int(Some);
    i32 => Int(|number| Some(i64::from(number)));
    u32 => Int(|number| Some(i64::from(number)));
    Option<i64> => Int(|number| number);
    Option<i32> => Int(|number: Option<i32>| number.map(i64::from));
    f64 => Real(|number| number);
    &'a str => Text(|text| Some(Cow::Borrowed(text)));
    String => Text(|text| Some(Cow::Owned(text)));
    Option<&'a str> => Text(|text: Option<&'a str>| text.map(Cow::Borrowed));
    Option<String> => Text(|text: Option<String>| text.map(Cow::Owned));
    Name<&'a str> => Name(|name: Name<&'a str>| Some(Cow::Borrowed(name.0)));
    Name<Option<&'a str>> => Name(|name: Name<Option<&'a str>>| name.0.map(Cow::Borrowed));
    &'a [u8] => Bytes(|bytes| Some(Cow::Borrowed(bytes)));
    Vec<u8> => Bytes(|bytes| Some(Cow::Owned(bytes)));
    Option<&'a [u8]> => Bytes(|bytes: Option<&'a [u8]>| bytes.map(Cow::Borrowed));
    Option<Vec<u8>> => Bytes(|bytes: Option<Vec<u8>>| bytes.map(Cow::Owned));
    Vec<i64> => Ints(|numbers| numbers);
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(Some(Cow::Borrowed(bytes)))
    }
}

impl<'a> Value<'a> {
    /// Names as one parameter.
    pub(crate) fn names<T: AsRef<str> + ?Sized + 'a>(names: impl IntoIterator<Item = &'a T>) -> Self {
        Self::Names(names.into_iter().map(|name| Cow::Borrowed(name.as_ref())).collect())
    }

    /// Texts as one parameter.
    pub(crate) fn texts<T: AsRef<str> + ?Sized + 'a>(texts: impl IntoIterator<Item = &'a T>) -> Self {
        Self::Texts(texts.into_iter().map(|text| Cow::Borrowed(text.as_ref())).collect())
    }
}

/// The parameters of one statement.
#[derive(Debug, Clone, Default)]
pub(crate) struct Args<'a>(pub(super) Vec<Value<'a>>);

impl<'a> Args<'a> {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The row of the user comes first wherever a statement is about one.
    pub(crate) fn of(user: i64) -> Self {
        Self::new().with(user)
    }

    /// The rows of a user and a connection.
    pub(crate) fn at(place: Place) -> Self {
        Self::of(place.user).with(place.connection)
    }

    /// Adds one, for chains.
    pub(crate) fn with(mut self, value: impl Into<Value<'a>>) -> Self {
        self.0.push(value.into());
        self
    }
}

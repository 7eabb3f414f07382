//! Turning one raw item into records: pure, so that replaying stored items gives equal records.

mod fields;

use std::fmt;

use crate::error::{Error, ErrorKind, json_fault};
use crate::page::RawItem;
use crate::record::Record;

pub use fields::Fields;
pub(crate) use fields::Members;

/// Turns a provider's object into records. No I/O, no clock: the same item gives the same records.
///
/// Any matching function is one:
///
/// ```
/// use lifehub_core::normalize::{Normalizer, Reject};
/// use lifehub_core::page::RawItem;
/// use lifehub_core::record::Record;
///
/// fn nothing(_: &RawItem) -> Result<Vec<Record>, Reject> {
///     Ok(vec![])
/// }
/// let _: &dyn Normalizer = &nothing;
/// ```
pub trait Normalizer: Send + Sync {
    /// The records of one item, each with a key and dataset that no other of them has.
    ///
    /// # Errors
    /// If the item is not what the provider documents; it is then quarantined until a newer version of the
    /// normalizer takes it.
    fn normalize(&self, item: &RawItem) -> Result<Vec<Record>, Reject>;
}

impl<F> Normalizer for F
where
    F: Fn(&RawItem) -> Result<Vec<Record>, Reject> + Send + Sync,
{
    fn normalize(&self, item: &RawItem) -> Result<Vec<Record>, Reject> {
        self(item)
    }
}

/// Why a normalizer did not take an item: for people, naming the member at fault and no personal value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject(String);

impl Reject {
    /// A reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Reject {}

impl From<serde_json::Error> for Reject {
    fn from(error: serde_json::Error) -> Self {
        Self(json_fault(&error))
    }
}

/// What an answer lacks, where its members were read by [`Fields`].
impl From<Reject> for Error {
    fn from(Reject(reason): Reject) -> Self {
        Self::new(
            ErrorKind::InvalidResponse,
            format!("the answer has another shape than documented: {reason}"),
        )
        .hint("the provider's format may have changed: look for a newer connector")
    }
}

impl From<Error> for Reject {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

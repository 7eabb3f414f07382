//! What the rows of a range become: a dataset, and the columns that its members come from.

use std::collections::BTreeMap;
use std::fmt;

use lifehub_core::record::datasets::VitalKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What rows become. Columns are named by their headers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum As {
    /// Measurements of the body: for each kind its column. Ratios are fractions from 0 to 1, as percent cells are.
    Vital(BTreeMap<Kind, Header>),
    /// Payments.
    Transaction(Payment),
    /// Anything else.
    Custom(Fact),
}

/// The columns of a payment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payment {
    /// The column with the amount, negative where money went out. Either this, or spent, received or both.
    amount: Option<Header>,
    /// The column with what was spent, as a positive number.
    spent: Option<Header>,
    /// The column with what was received, as a positive number.
    received: Option<Header>,
    /// The currency's code (EUR), where no column says it.
    pub(crate) currency: Option<String>,
    /// The column with the currency's code.
    currency_column: Option<Header>,
    /// The column with who received or sent it.
    payee: Option<Header>,
    /// The column with a note.
    memo: Option<Header>,
    /// The column with the category.
    category: Option<Header>,
    /// The column with the account's name.
    account: Option<Header>,
}

/// The columns of a fact that no other dataset knows.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fact {
    /// The name of its kind, written as the names of ranges: its metrics are custom.<schema>.<metric>.
    pub(crate) schema: String,
    /// Columns with numbers to follow over time, by the name of the metric. A ticked box is 1, one that is not is 0.
    #[serde(default)]
    pub(crate) metrics: BTreeMap<String, Header>,
    /// Other columns, by the name of the field.
    #[serde(default)]
    pub(crate) fields: BTreeMap<String, Header>,
}

/// What was measured; ordered, so that a row is written the same way every time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Kind(pub(crate) VitalKind);

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.as_str().cmp(other.0.as_str())
    }
}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The header of a column, however its words are spaced.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub(crate) struct Header(String);

impl Header {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl TryFrom<String> for Header {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let header = Self::new(&text);
        if header.is_empty() { Err("it names no column") } else { Ok(header) }
    }
}

impl As {
    /// What is wrong with it, if something is: the member, and what to write.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Vital(columns) if columns.is_empty() => Err("vital: name the column of at least one kind"),
            Self::Vital(columns) if columns.contains_key(&Kind(VitalKind::Other)) => {
                Err("vital.other: what is of no kind here is read as custom")
            }
            Self::Vital(_) => Ok(()),
            Self::Transaction(payment) => payment.check(),
            Self::Custom(fact) => fact.check(),
        }
    }

    /// Every column that is read: the member that names it, and its header.
    pub(crate) fn columns(&self) -> Vec<(&str, &Header)> {
        match self {
            Self::Vital(columns) => columns.iter().map(|(kind, header)| (kind.0.as_str(), header)).collect(),
            Self::Transaction(payment) => payment.columns().collect(),
            Self::Custom(Fact { metrics, fields, .. }) => {
                metrics.iter().chain(fields).map(|(name, header)| (name.as_str(), header)).collect()
            }
        }
    }
}

impl Payment {
    fn check(&self) -> Result<(), &'static str> {
        let Self { amount, spent, received, currency, currency_column, .. } = self;
        if amount.is_some() == (spent.is_some() || received.is_some()) {
            Err("transaction.amount: name either amount, or spent, received or both")
        } else if currency.is_none() && currency_column.is_none() {
            Err("transaction.currency: set it, or name the currency_column")
        } else if currency.as_deref().is_some_and(|code| !is_currency(code)) {
            Err("transaction.currency: write its code, EUR for example")
        } else {
            Ok(())
        }
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = (&'static str, &Header)> {
        let columns = [
            ("amount", &self.amount),
            ("spent", &self.spent),
            ("received", &self.received),
            ("currency_column", &self.currency_column),
            ("payee", &self.payee),
            ("memo", &self.memo),
            ("category", &self.category),
            ("account", &self.account),
        ];
        columns.into_iter().filter_map(|(member, header)| Some((member, header.as_ref()?)))
    }
}

impl Fact {
    fn check(&self) -> Result<(), &'static str> {
        let Self { schema, metrics, fields } = self;
        if !is_name(schema) {
            Err("custom.schema: write up to 64 lower-case letters, digits, - and _")
        } else if metrics.is_empty() && fields.is_empty() {
            Err("custom.metrics: name at least one column, here or in fields")
        } else if metrics.keys().chain(fields.keys()).any(|name| !is_name(name)) {
            Err("custom.metrics: name metrics and fields with up to 64 lower-case letters, digits, - and _")
        } else if metrics.keys().any(|name| fields.contains_key(name)) {
            Err("custom.fields: a metric has the same name")
        } else {
            Ok(())
        }
    }
}

/// Whether this is a name for ranges, metrics and the like.
pub(crate) fn is_name(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(sound)
}

/// Whether this is a code such as `EUR`, not a sign such as `€`.
pub(crate) fn is_currency(text: &str) -> bool {
    (2..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

//! What the author of a connector needs, by one line: `use lifehub_core::prelude::*;`.

pub use std::sync::{Arc, LazyLock};
pub use std::time::Duration;

pub use async_trait::async_trait;

pub use crate::clock::{Day, Offset, Timestamp, Zone};
pub use crate::connector::{
    Absence, Auth, Connector, Context, CredentialField, Identity, Manifest, SettingsSchema, StreamSpec,
    SyncMode, Terms, Visibility, WebhookDelivery, WebhookEvent, WebhookKeys, WebhookNews, WebhookOutcome,
    first_day, no_settings,
};
pub use crate::error::{Error, ErrorKind, Extent, Result};
pub use crate::http::{
    Answer, AuthScheme, Call, Classify, QuotaReport, QuotaScope, QuotaSpec, Refused, refused,
};
pub use crate::normalize::{Fields, Reject};
pub use crate::oauth::{ClientAuth, OAuthSpec, Refusal, Revocation};
pub use crate::page::{
    Coverage, Cursor, Item, ItemKey, Next, Page, Partition, Pass, PassKind, Place, RawItem, RawJson,
};
pub use crate::paginate::{DaySpan, PageNumber, PagePath, PageToken, TimeSpan, Walk, go_on, resume};
pub use crate::record::datasets::*;
pub use crate::record::{Moment, Record, When};

/// A day of 24 hours.
pub const DAY: Duration = Duration::from_secs(86_400);

/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60);

/// An hour.
pub const HOUR: Duration = Duration::from_secs(3_600);

/// What a normalizer gives.
pub type Records = Result<Vec<Record>, Reject>;

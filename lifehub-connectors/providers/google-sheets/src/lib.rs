//! Google Sheets: the rows of a person's own spreadsheet, as the person says what they are.
//!
//! Facts are from Google's documentation of the Sheets API (<https://developers.google.com/workspace/sheets/api>); see
//! the README for what is read, the limits, and the quirks.

mod mapping;
mod normalize;
mod row;
mod rows;
mod serial;
mod settings;
mod sheet;
#[cfg(feature = "simulator")]
pub mod simulator;

use lifehub_core::prelude::*;
use serde::Deserialize;

use settings::Settings;
use sheet::Spreadsheet;

const HOME: &str = "https://sheets.googleapis.com";

/// The host that knows whose account it is.
const IDENTITY: &str = "https://openidconnect.googleapis.com";

/// The narrowest scope that opens a spreadsheet by its address.
const READ: &str = "https://www.googleapis.com/auth/spreadsheets.readonly";

/// Any of these lets a token read cells.
const SCOPES: &[&str] = &[
    READ,
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/drive.readonly",
    "https://www.googleapis.com/auth/drive",
];

/// Reads Google Sheets.
#[derive(Debug)]
pub struct GoogleSheets {
    manifest: Manifest,
}

impl Default for GoogleSheets {
    fn default() -> Self {
        // Sliding minutes (<https://developers.google.com/workspace/sheets/api/limits>).
        let minute = |name, scope, limit: u32| {
            QuotaSpec::sliding(name, scope, limit, HOUR / 60).burst(limit / 6).only("/v4/")
        };
        let manifest = Manifest {
            id: "google-sheets",
            title: "Google Sheets",
            about: "The rows of a spreadsheet: measurements, payments, or whatever it keeps",
            docs: "https://developers.google.com/workspace/sheets/api",
            base_url: HOME,
            origins: &[IDENTITY],
            auth: Auth::oauth2(OAUTH),
            quotas: vec![minute("user", QuotaScope::Connection, 60), minute("project", QuotaScope::App, 300)],
            streams: vec![
                StreamSpec::snapshot("rows", "Rows", &["vital", "transaction", "custom"], normalize::row)
                    // One answer has all rows of a range.
                    .absence(Absence::MeansGone)
                    .scopes(SCOPES),
            ],
            settings: SettingsSchema::of::<Settings>(),
            terms: Terms::owner_only("https://developers.google.com/terms/api-services-user-data-policy"),
        };
        Self { manifest }
    }
}

/// Google's consent (<https://developers.google.com/identity/protocols/oauth2/native-app>). A refresh token comes only
/// with both parameters, stays the same when it is used, and ends after six months without use.
const OAUTH: OAuthSpec =
    OAuthSpec::new("https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token")
        .scopes(&["openid", READ])
        .client_auth(ClientAuth::Form)
        .authorize_params(&[("access_type", "offline"), ("prompt", "consent")])
        .revoke(Revocation::Rfc7009 { url: "https://oauth2.googleapis.com/revoke", auth: ClientAuth::Form })
        .refresh_token_life(DAY.saturating_mul(180));

/// Google's refusals, `{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"reason":"…"}]}}`.
const REFUSED: &[Refused] = &[
    Refused::on(
        400,
        ErrorKind::Invalid,
        "the file is kept in Microsoft's format, which the Sheets API does not read",
        "open it in Google Sheets, choose File, Save as Google Sheets, and set spreadsheet to the new file's address",
    )
    .if_one_of("error.status", &["FAILED_PRECONDITION"]),
    Refused::on(
        400,
        ErrorKind::Invalid,
        "Google does not take the request",
        "is spreadsheet the address of a spreadsheet, not of a folder or of another file?",
    ),
    Refused::on(
        403,
        ErrorKind::Forbidden,
        "the Google Sheets API is switched off in the app's Cloud project",
        "switch it on in the Google Cloud console (APIs & Services, Library), and wait some minutes",
    )
    .if_one_of("error.details.0.reason", &["SERVICE_DISABLED"]),
    Refused::on(
        403,
        ErrorKind::Forbidden,
        "the consent does not include spreadsheets",
        "connect the account again and leave every box ticked; what was read before stays",
    )
    .if_one_of("error.details.0.reason", &["ACCESS_TOKEN_SCOPE_INSUFFICIENT"]),
    Refused::on(
        403,
        ErrorKind::Forbidden,
        "this Google account may not read the spreadsheet",
        "share the spreadsheet with the account, or connect the one that may; what was read before stays",
    ),
    Refused::on(
        404,
        ErrorKind::NotFound,
        "there is no spreadsheet at this address: it was deleted, or it is a document of another kind",
        "restore it from the bin, or set spreadsheet to the right address; what was read before stays",
    ),
    Refused::on(
        429,
        ErrorKind::Throttled,
        "Google asks to slow down",
        "if it happens often, raise the interval, or lower the quotas",
    ),
];

fn refusal(answer: &Answer) -> Option<Error> {
    // Whatever the ranges, it is one spreadsheet that is refused.
    let error = refused(answer, REFUSED)?.stops(Extent::Stream);
    // Google names no time to come back; half a minute later half of the minute's requests are free again.
    let waits = error.kind() == ErrorKind::Throttled && answer.header("retry-after").is_none();
    Some(if waits { error.at(answer.received + HOUR / 120) } else { error })
}

#[async_trait]
impl Connector for GoogleSheets {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// A person and one of their spreadsheets. That its tabs are there shows that the settings fit.
    async fn identify(&self, cx: &Context<'_>) -> Result<Identity> {
        #[derive(Deserialize)]
        struct Person {
            /// It never changes and never belongs to anybody else; an e-mail address may.
            sub: String,
        }
        let settings: Settings = cx.settings()?;
        let path = "/v1/userinfo";
        let call = if cx.is_at(HOME) { cx.follow(&format!("{IDENTITY}{path}")) } else { cx.get(path) };
        let Person { sub } = call.json().await?;
        let spreadsheet = Spreadsheet::open(cx, &settings.spreadsheet).await?;
        for range in &settings.ranges {
            spreadsheet.tab(range)?;
        }
        let account = format!("{sub}/{}", settings.spreadsheet);
        Ok(Identity { account, title: Some(spreadsheet.properties.title) })
    }

    async fn partitions(&self, cx: &Context<'_>, _stream: &str) -> Result<Vec<Partition>> {
        let settings: Settings = cx.settings()?;
        Ok(settings.ranges.iter().map(|range| Partition::new(range.name.as_str())).collect())
    }

    async fn fetch_page(&self, cx: &Context<'_>, at: Place<'_>, _cursor: Option<&Cursor>) -> Result<Page> {
        let Settings { spreadsheet: id, ranges } = cx.settings()?;
        let range = ranges.iter().find(|range| at.stream == "rows" && range.name == at.partition);
        let range = range.ok_or_else(|| at.unknown())?;
        let spreadsheet = Spreadsheet::open(cx, &id).await?;
        let cells = spreadsheet.tab(range)?.cells(cx, &id, range).await?;
        let items = rows::items(range, &spreadsheet.properties.time_zone, cells)?;
        Ok(Page { items, next: Next::CaughtUp { cursor: Cursor::new(&())?, covers: Coverage::Whole } })
    }

    fn classify(&self) -> Option<Classify> {
        Some(refusal)
    }
}

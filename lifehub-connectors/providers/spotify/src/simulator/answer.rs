//! Lists as Spotify gives them: by offset, or by milliseconds.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{SimRequest, SimResponse};
use serde_json::{Value, json};

use super::fault::Refusal;

/// The most that a page holds, and the plays that are kept.
pub(super) const MOST: usize = 50;

/// How lists are paged.
#[derive(Debug, Clone, Default)]
pub(super) struct Paging {
    /// No page is longer.
    pub(super) most: Option<usize>,
    /// To where links lead, if not to where they were asked for.
    pub(super) lead_to: Option<String>,
}

fn number<T: std::str::FromStr>(
    request: &SimRequest,
    name: &str,
    refusal: Refusal,
) -> Result<Option<T>, Refusal> {
    request.query(name).map(|text| text.parse().map_err(|_| refusal)).transpose()
}

fn limit(request: &SimRequest) -> Result<usize, Refusal> {
    let bad = Refusal::bad("Invalid limit");
    let limit = number(request, "limit", bad)?.unwrap_or(20);
    if (1..=MOST).contains(&limit) { Ok(limit) } else { Err(bad) }
}

/// Where a request came to, and where links lead.
fn origin(request: &SimRequest) -> String {
    format!("http://{}", request.header("host").unwrap_or("api.spotify.com"))
}

/// Which of so many items a page shows.
pub(super) fn shown(
    request: &SimRequest,
    paging: &Paging,
    total: usize,
) -> Result<std::ops::Range<usize>, Refusal> {
    let offset: usize = number(request, "offset", Refusal::bad("Invalid offset"))?.unwrap_or(0);
    let size = limit(request)?.min(paging.most.unwrap_or(MOST).max(1));
    let start = offset.min(total);
    Ok(start..start.saturating_add(size).min(total))
}

/// A page of a list that is counted from its first item.
pub(super) fn page(
    request: &SimRequest,
    paging: &Paging,
    range: std::ops::Range<usize>,
    total: usize,
    items: &[Value],
) -> Result<SimResponse, Refusal> {
    let size = limit(request)?.min(paging.most.unwrap_or(MOST).max(1));
    let (here, there) = (origin(request), paging.lead_to.clone().unwrap_or_else(|| origin(request)));
    let kept: String =
        request.query("time_range").map(|range| format!("time_range={range}&")).unwrap_or_default();
    let link =
        |origin: &str, offset: usize| format!("{origin}{}?{kept}offset={offset}&limit={size}", request.path);
    let next = (range.end < total).then(|| link(&there, range.end));
    let previous = (range.start > 0).then(|| link(&there, range.start.saturating_sub(size)));
    Ok(SimResponse::json(
        200,
        &json!({
            "href": link(&here, range.start), "limit": size, "next": next, "offset": range.start, "previous": previous,
            "total": total, "items": items,
        }),
    ))
}

/// Which plays a request asks for, as far as their milliseconds go. Both bounds are exclusive, and at most one is there.
#[derive(Debug)]
pub(super) struct Played {
    after: Option<i64>,
    before: Option<i64>,
    pub(super) limit: usize,
}

impl Played {
    pub(super) fn read(request: &SimRequest) -> Result<Self, Refusal> {
        let after = number(request, "after", Refusal::bad("Invalid after"))?;
        let before = number(request, "before", Refusal::bad("Invalid before"))?;
        if after.is_some() && before.is_some() {
            return Err(Refusal::bad("Only one of after and before is allowed"));
        }
        Ok(Self { after, before, limit: limit(request)? })
    }

    pub(super) fn holds(&self, at: Timestamp) -> bool {
        let millis = super::kinds::millis(at);
        self.after.is_none_or(|after| millis > after) && self.before.is_none_or(|before| millis < before)
    }

    /// The page of these plays, the newest first. `next` leads on to what came before them, also where nothing did.
    pub(super) fn page(
        &self,
        request: &SimRequest,
        paging: &Paging,
        plays: &[(Timestamp, Value)],
    ) -> SimResponse {
        let millis =
            |play: Option<&(Timestamp, Value)>| play.map(|(at, _)| super::kinds::millis(*at).to_string());
        let items: Vec<&Value> = plays.iter().map(|(_, item)| item).collect();
        let cursors = millis(plays.first()).zip(millis(plays.last()));
        let there = paging.lead_to.clone().unwrap_or_else(|| origin(request));
        let next = cursors
            .as_ref()
            .map(|(_, before)| format!("{there}{}?before={before}&limit={}", request.path, self.limit));
        SimResponse::json(
            200,
            &json!({
                "href": format!("{}{}?limit={}", origin(request), request.path, self.limit), "limit": self.limit,
                "next": next, "items": items,
                "cursors": cursors.map(|(after, before)| json!({ "after": after, "before": before })),
            }),
        )
    }
}

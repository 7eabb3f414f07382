//! The parameters of a request, checked as Open-Meteo checks them: one fault refuses the whole.

use lifehub_core::clock::{Day, Timestamp, Zone};
use lifehub_testkit::{Place, SimRequest};

use super::answer::Refusal;
use super::units::{Units, VARIABLES};

/// The datasets of the archive.
const ARCHIVES: [&str; 8] = [
    "best_match",
    "era5_seamless",
    "era5",
    "era5_land",
    "ecmwf_ifs",
    "cerra",
    "era5_ensemble",
    "ecmwf_ifs_analysis_long_window",
];

/// The archive's first day, 1940-01-01, counted from 1970.
const FIRST: i32 = -10_958;

/// The forecast's past and coming days at most.
const PAST: i32 = 92;
const AHEAD: i32 = 16;

/// A request that is answered.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) archive: bool,
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    pub(super) variables: Vec<&'static str>,
    pub(super) units: Units,
    pub(super) unixtime: bool,
    pub(super) timezone: String,
    /// That of the moment at which it is asked, for all days.
    pub(super) offset_s: i64,
    /// The day on the place's clock at which it is asked.
    pub(super) today: Day,
    pub(super) days: Vec<Day>,
}

impl Query {
    pub(super) fn read(request: &SimRequest, archive: bool, now: Timestamp) -> Result<Self, Refusal> {
        let bad = |reason: String| Err(Refusal::bad_request(reason));
        let latitude = coordinate(request, "latitude")?;
        let longitude = coordinate(request, "longitude")?;
        if latitude.is_nan() || latitude.abs() > 90.0 {
            return bad(format!("Latitude must be in range of -90 to 90°. Given: {latitude:?}."));
        }
        if longitude.is_nan() || longitude.abs() > 180.0 {
            return bad(format!("Longitude must be in range of -180 to 180°. Given: {longitude:?}."));
        }
        let timezone = request.query("timezone").unwrap_or("GMT").to_owned();
        let Some(offset_s) = offset_s(&timezone, now) else { return bad("Invalid timezone".into()) };
        let mut variables = Vec::new();
        for name in request.query("daily").into_iter().flat_map(|list| list.split(',')) {
            match VARIABLES.into_iter().find(|known| *known == name) {
                Some(known) => variables.push(known),
                None => return Err(Refusal::unknown("ForecastVariableDaily", name)),
            }
        }
        let units =
            ["temperature_unit", "wind_speed_unit", "precipitation_unit"].map(|name| request.query(name));
        let units = Units::read(units[0], units[1], units[2])
            .map_err(|(kind, value)| Refusal::unknown(kind, value))?;
        if let Some(model) = request.query("models")
            && !(if archive { ARCHIVES.contains(&model) } else { model == "best_match" })
        {
            return Err(Refusal::unknown("MultiDomains", model));
        }
        let unixtime = match request.query("timeformat") {
            None | Some("iso8601") => false,
            Some("unixtime") => true,
            Some(other) => return Err(Refusal::unknown("Timeformat", other)),
        };
        let today = day_of(now.as_seconds() + offset_s);
        let days = days(request, archive, today, day_of(now.as_seconds()))?;
        Ok(Self { archive, latitude, longitude, variables, units, unixtime, timezone, offset_s, today, days })
    }

    /// What it costs: a call, or a tenth for each variable, times the fortnights.
    pub(super) fn weight(&self) -> f64 {
        let tenths = self.variables.len() as f64 / 10.0;
        (tenths * self.days.len() as f64 / 14.0).max(tenths).max(1.0)
    }
}

/// How far clocks of a zone are ahead of UTC; none if there is no such zone.
pub(super) fn offset_s(timezone: &str, at: Timestamp) -> Option<i64> {
    let place = [Place::Rome, Place::NewYork].into_iter().find(|place| place.zone() == timezone);
    match (place, timezone) {
        (Some(place), _) => Some(place.offset_s(at)),
        (None, "GMT" | "UTC") => Some(0),
        (None, name) => Some(i64::from(name.parse::<Zone>().ok()?.offset_at(at).as_seconds())),
    }
}

/// The day on a clock that shows so many seconds since 1970.
pub(super) fn day_of(seconds: i64) -> Day {
    Day::from_number(i32::try_from(seconds.div_euclid(86_400)).unwrap_or(0))
}

/// So many days later.
pub(super) fn later(day: Day, days: i32) -> Day {
    Day::from_number(day.as_number().saturating_add(days))
}

fn coordinate(request: &SimRequest, name: &'static str) -> Result<f64, Refusal> {
    let text = request
        .query(name)
        .ok_or_else(|| Refusal::bad_request(format!("Value of type 'String' required for key '{name}'.")))?;
    text.parse().map_err(|_| Refusal::unknown("Float", text))
}

fn number(request: &SimRequest, name: &'static str) -> Result<Option<i32>, Refusal> {
    let read = |text: &str| text.parse().map_err(|_| Refusal::unknown("Int", text));
    request.query(name).map(read).transpose()
}

fn date(request: &SimRequest, name: &'static str) -> Result<Option<Day>, Refusal> {
    let fault = |_| Refusal::bad_request("Invalid date format. Make sure to use 'YYYY-MM-DD'".into());
    request.query(name).map(|text| text.parse().map_err(fault)).transpose()
}

/// The days that are asked for, in either style. What may be asked for counts by the day in UTC.
fn days(request: &SimRequest, archive: bool, today: Day, utc: Day) -> Result<Vec<Day>, Refusal> {
    let (past, ahead) = (number(request, "past_days")?, number(request, "forecast_days")?);
    let range = |from: Day, to: Day| (from.as_number()..=to.as_number()).map(Day::from_number).collect();
    let (from, to) = match (date(request, "start_date")?, date(request, "end_date")?) {
        (Some(from), Some(to)) => (from, to),
        (None, None) if archive => {
            return Err(Refusal::bad_request("Parameter 'start_date' is required".into()));
        }
        (None, None) => {
            for (name, days, most) in [("Past", past, PAST), ("Forecast", ahead, AHEAD)] {
                if let Some(days) = days.filter(|days| !(0..=most).contains(days)) {
                    let reason = format!("{name} days is invalid. Allowed range 0 to {most}. Given {days}.");
                    return Err(Refusal::bad_request(reason));
                }
            }
            return Ok(range(later(today, -past.unwrap_or(0)), later(today, ahead.unwrap_or(7) - 1)));
        }
        _ => {
            return Err(Refusal::bad_request(
                "Both 'start_date' and 'end_date' must be set in the url".into(),
            ));
        }
    };
    for (name, days) in [("past_days", past), ("forecast_days", ahead)] {
        if days.is_some_and(|days| days != 0) {
            let reason = format!("Parameter '{name}' is mutually exclusive with 'start_date' and 'end_date'");
            return Err(Refusal::bad_request(reason));
        }
    }
    if to < from {
        return Err(Refusal::bad_request("End-date must be larger or equals than start-date".into()));
    }
    let (first, last) =
        if archive { (Day::from_number(FIRST), utc) } else { (later(utc, -PAST - 1), later(utc, AHEAD - 1)) };
    for (name, day) in [("start_date", from), ("end_date", to)] {
        if !(first..=last).contains(&day) {
            let reason = format!("Parameter '{name}' is out of allowed range from {first} to {last}");
            return Err(Refusal::bad_request(reason));
        }
    }
    Ok(range(from, to))
}

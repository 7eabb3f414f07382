//! A Strava activity as a workout.

use std::borrow::Cow;

use lifehub_core::clock::{Offset, Timestamp, Zone};
use lifehub_core::normalize::Reject;
use lifehub_core::page::RawItem;
use lifehub_core::record::datasets::Workout;
use lifehub_core::record::{Moment, Record, When};
use serde::Deserialize;

/// The members that are read, by the documentation and by recorded answers, which have more than it names.
#[derive(Deserialize)]
struct Activity<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sport_type: Option<Cow<'a, str>>,
    /// Deprecated, but all that old answers have.
    #[serde(rename = "type", borrow)]
    old_type: Option<Cow<'a, str>>,
    /// UTC.
    start_date: Timestamp,
    /// `(GMT+01:00) Europe/Rome`; the offset in it is that of winter.
    #[serde(borrow)]
    timezone: Option<Cow<'a, str>>,
    /// Seconds, daylight saving included.
    utc_offset: Option<f64>,
    /// Wall-clock time, with a `Z` that is not true.
    #[serde(borrow)]
    start_date_local: Option<Cow<'a, str>>,
    moving_time: Option<f64>,
    elapsed_time: Option<f64>,
    distance: Option<f64>,
    total_elevation_gain: Option<f64>,
    /// Kilocalories; in detailed answers alone.
    calories: Option<f64>,
    average_heartrate: Option<f64>,
    max_heartrate: Option<f64>,
    average_speed: Option<f64>,
    #[serde(borrow)]
    map: Option<Map<'a>>,
}

#[derive(Deserialize)]
struct Map<'a> {
    #[serde(borrow)]
    summary_polyline: Option<Cow<'a, str>>,
}

/// Makes the workout of an activity.
pub(crate) fn activity(item: &RawItem) -> Result<Vec<Record>, Reject> {
    let activity: Activity<'_> = item.body.read()?;
    let sport = activity.sport_type.as_deref().or(activity.old_type.as_deref());
    let sport = sport.ok_or_else(|| Reject::new("neither `sport_type` nor `type` is there"))?;
    let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let workout = Workout {
        sport: sport.to_owned(),
        name: filled(activity.name.as_deref()),
        moving_s: activity.moving_time,
        elapsed_s: activity.elapsed_time,
        distance_m: activity.distance,
        elevation_gain_m: activity.total_elevation_gain,
        energy_kcal: activity.calories,
        avg_hr_bpm: activity.average_heartrate,
        max_hr_bpm: activity.max_heartrate,
        avg_speed_mps: activity.average_speed,
        polyline: filled(activity.map.as_ref().and_then(|map| map.summary_polyline.as_deref())),
    };
    Ok(vec![Record::new(activity.when()?, &workout)?])
}

impl Activity<'_> {
    /// From the start until the elapsed time is over, on the clock of the place where it started.
    fn when(&self) -> Result<When, Reject> {
        let zone = self.timezone.as_deref().and_then(zone);
        let moment = |at: Timestamp| match &zone {
            Some(zone) => Moment::in_zone(at, zone.clone()),
            None => Moment { at, offset: self.offset(), zone: None },
        };
        let start = moment(self.start_date);
        Ok(match self.elapsed_time {
            Some(elapsed) if elapsed.is_finite() && elapsed >= 0.0 => {
                // Longer than any activity, and far inside the calendar.
                let elapsed = std::time::Duration::from_secs_f64(elapsed.min(1e9));
                When::Span { start, end: moment(self.start_date + elapsed) }
            }
            Some(_) => return Err(Reject::new("`elapsed_time` is negative")),
            None => When::At(start),
        })
    }

    /// The offset as Strava tells it, or as both start times give it.
    fn offset(&self) -> Option<Offset> {
        let told = self.utc_offset.filter(|seconds| seconds.is_finite());
        let seconds = told.map(|seconds| seconds as i64).or_else(|| {
            let local: Timestamp = self.start_date_local.as_deref()?.parse().ok()?;
            Some(local.as_seconds() - self.start_date.as_seconds())
        })?;
        Offset::from_seconds(i32::try_from(seconds).ok()?).ok()
    }
}

/// The zone in `(GMT+01:00) Europe/Rome`, if it is one that exists.
fn zone(text: &str) -> Option<Zone> {
    text.rsplit(' ').next()?.parse().ok()
}

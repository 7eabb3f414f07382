//! An activity as Strava's list shows it, member by member, and how a draft becomes one.

use lifehub_core::clock::Timestamp;
use lifehub_testkit::{Bytes, Place, Seeded, date_time};
use serde::Serialize;

use super::ATHLETE_ID;
use super::calendar::Draft;
use super::polyline::route;

/// The members in the order of real answers. What a sport or a device does not give is absent, not null; what is null
/// in real answers is null here.
#[derive(Debug, Serialize)]
struct Activity {
    resource_state: u8,
    athlete: Athlete,
    name: String,
    distance: f64,
    moving_time: i64,
    elapsed_time: i64,
    total_elevation_gain: Number,
    r#type: &'static str,
    sport_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    workout_type: Option<u8>,
    id: i64,
    start_date: String,
    start_date_local: String,
    timezone: String,
    utc_offset: f64,
    location_city: (),
    location_state: (),
    location_country: (),
    achievement_count: i64,
    kudos_count: i64,
    comment_count: i64,
    athlete_count: i64,
    photo_count: i64,
    map: Map,
    trainer: bool,
    commute: bool,
    manual: bool,
    private: bool,
    visibility: &'static str,
    flagged: bool,
    gear_id: Option<&'static str>,
    start_latlng: Vec<f64>,
    end_latlng: Vec<f64>,
    average_speed: f64,
    max_speed: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_cadence: Option<f64>,
    #[serde(flatten)]
    power: Option<Power>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_temp: Option<i64>,
    has_heartrate: bool,
    #[serde(flatten)]
    heart: Option<Heart>,
    #[serde(flatten)]
    elevation: Option<Elevation>,
    upload_id: Option<i64>,
    upload_id_str: Option<String>,
    external_id: Option<String>,
    from_accepted_tag: bool,
    pr_count: i64,
    total_photo_count: i64,
    has_kudoed: bool,
}

#[derive(Debug, Serialize)]
struct Athlete {
    id: i64,
    resource_state: u8,
}

#[derive(Debug, Serialize)]
struct Map {
    id: String,
    summary_polyline: String,
    resource_state: u8,
}

#[derive(Debug, Serialize)]
struct Power {
    average_watts: f64,
    max_watts: i64,
    weighted_average_watts: i64,
    kilojoules: f64,
    device_watts: bool,
}

#[derive(Debug, Serialize)]
struct Heart {
    average_heartrate: f64,
    max_heartrate: f64,
    heartrate_opt_out: bool,
    display_hide_heartrate_option: bool,
    suffer_score: f64,
}

#[derive(Debug, Serialize)]
struct Elevation {
    elev_high: f64,
    elev_low: f64,
}

/// Real answers have `84.0` here and `0` there.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Fraction(f64),
}

/// Draws all other members of a draft, and writes its JSON. The same seed, draft and id give the same bytes.
pub(super) fn settle(seed: u64, draft: &Draft, id: i64, polyline_bytes: usize) -> Bytes {
    let sport = draft.sport;
    let mut dice = Seeded::new(seed).fork(draft.label).fork(2);
    let moving_s = dice.whole(sport.minutes.0 * 60, sport.minutes.1 * 60);
    let pause_s = if sport.manual || dice.chance(0.3) { 0 } else { dice.whole(5, moving_s / 8) };
    let speed = dice.fraction(sport.speed_mps.0, sport.speed_mps.1);
    let distance = rounded(speed * moving_s as f64, 1);
    let climb = rounded(distance / 1_000.0 * sport.climb_m_per_km * dice.fraction(0.5, 1.5), 1);
    let offset = draft.place.offset_s(draft.start);
    let inside = sport.manual || matches!(sport.name, "VirtualRide" | "Swim");
    let only_me = dice.chance(0.04);
    let (start, end) = ends(&mut dice, draft.place, inside);
    let heart = (!sport.manual && dice.chance(0.85)).then(|| {
        let average = rounded(dice.around(sport.heart_bpm, 5.0), 1);
        Heart {
            average_heartrate: average,
            max_heartrate: (average + dice.fraction(12.0, 34.0)).round(),
            heartrate_opt_out: false,
            display_hide_heartrate_option: true,
            suffer_score: (moving_s as f64 / 60.0 * (average / 130.0)).round(),
        }
    });
    let power = sport.watts.map(|middle| {
        let watts = rounded(dice.around(middle, 12.0), 1);
        Power {
            average_watts: watts,
            max_watts: dice.whole(380, 720),
            weighted_average_watts: (watts * 1.08).round() as i64,
            kilojoules: rounded(watts * moving_s as f64 / 1_000.0, 1),
            device_watts: dice.chance(0.7),
        }
    });
    let low = rounded(dice.fraction(60.0, 140.0), 1);
    let upload = (!sport.manual).then(|| id + 1_000_000_000 + dice.whole(0, 40));
    let activity = Activity {
        resource_state: 2,
        athlete: Athlete { id: ATHLETE_ID, resource_state: 1 },
        name: name(&mut dice, draft, offset),
        distance,
        moving_time: moving_s,
        elapsed_time: moving_s + pause_s,
        total_elevation_gain: if inside { Number::Whole(0) } else { Number::Fraction(climb) },
        r#type: sport.legacy,
        sport_type: sport.name,
        workout_type: (sport.legacy == "Run").then_some(if sport.title == "Long Run" { 2 } else { 0 }),
        id,
        start_date: format!("{}Z", date_time(draft.start.as_seconds())),
        // Wall-clock time with a `Z` that it does not deserve, as the real ones have it.
        start_date_local: format!("{}Z", draft.place.wall_clock(draft.start)),
        timezone: timezone(draft.place),
        utc_offset: offset as f64,
        location_city: (),
        location_state: (),
        location_country: (),
        achievement_count: dice.whole(0, 4),
        kudos_count: dice.whole(0, 12),
        comment_count: dice.whole(0, 1),
        athlete_count: 1,
        photo_count: 0,
        map: Map {
            id: format!("a{id}"),
            summary_polyline: if inside { String::new() } else { route(&mut dice, start, polyline_bytes) },
            resource_state: 2,
        },
        trainer: inside && sport.name != "Swim",
        commute: sport.commute,
        manual: sport.manual,
        private: only_me,
        visibility: if only_me { "only_me" } else { "followers_only" },
        flagged: false,
        gear_id: sport.gear,
        start_latlng: if inside { Vec::new() } else { start.to_vec() },
        end_latlng: if inside { Vec::new() } else { end.to_vec() },
        average_speed: rounded(speed, 3),
        max_speed: rounded(speed * dice.fraction(1.2, 1.9), 3),
        average_cadence: sport.cadence_rpm.map(|middle| rounded(dice.around(middle, 2.0), 1)),
        power,
        average_temp: (!inside && dice.chance(0.8)).then(|| dice.whole(4, 27)),
        has_heartrate: heart.is_some(),
        heart,
        elevation: (!inside).then(|| Elevation { elev_high: rounded(low + climb / 2.0, 1), elev_low: low }),
        upload_id: upload,
        upload_id_str: upload.map(|upload| upload.to_string()),
        external_id: upload.map(|upload| format!("watch_ping_{upload}")),
        from_accepted_tag: false,
        pr_count: 0,
        total_photo_count: 0,
        has_kudoed: false,
    };
    // Its members are numbers, texts and lists: nothing that JSON cannot hold.
    serde_json::to_vec(&activity).unwrap_or_default().into_boxed_slice().into()
}

/// The zone as Strava writes it, with the standard offset even in summer: `(GMT+01:00) Europe/Rome`.
fn timezone(place: Place) -> String {
    let offset = place.standard_offset_s();
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    format!("(GMT{sign}{:02}:{:02}) {}", minutes / 60, minutes % 60, place.zone())
}

/// What the app calls it by itself, or what a person typed.
fn name(dice: &mut Seeded, draft: &Draft, offset: i64) -> String {
    let typed = ["Easy \"recovery\" loop", "Tempo 4 × 2 km – brutal", "Con gli amici 🏃", "back\\forth"];
    if dice.chance(0.08) {
        return dice.pick(&typed).copied().unwrap_or_default().to_owned();
    }
    let hour = (draft.start.as_seconds() + offset).rem_euclid(86_400) / 3_600;
    let time = match hour {
        4..=10 => "Morning",
        11..=13 => "Lunch",
        14..=17 => "Afternoon",
        18..=21 => "Evening",
        _ => "Night",
    };
    format!("{time} {}", draft.sport.title)
}

/// Where it began and ended. The places are fields and waterways, not addresses.
fn ends(dice: &mut Seeded, place: Place, inside: bool) -> ([f64; 2], [f64; 2]) {
    if inside {
        return ([0.0; 2], [0.0; 2]);
    }
    let middle = match place {
        Place::NewYork => [40.78, -73.96],
        _ => [45.0, 9.0],
    };
    let mut near = |from: [f64; 2]| from.map(|degrees| rounded(degrees + dice.fraction(-0.02, 0.02), 5));
    let start = near(middle);
    (start, near(start))
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

/// A draft for an activity at that instant, made by hand rather than by the calendar.
pub(super) fn draft_at(start: Timestamp, label: u64) -> Draft {
    // Whole seconds: that is all that the wire shows.
    let start = Timestamp::from_seconds(start.as_seconds());
    Draft { start, place: Place::Rome, sport: &super::sport::RUN, label }
}

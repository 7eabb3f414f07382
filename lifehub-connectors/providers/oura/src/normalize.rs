//! Oura's documents as records. Units are those of the API's schemas.

use std::collections::BTreeMap;

use lifehub_core::prelude::*;

/// Sleep that is longer is a night to Oura, in seconds.
const NIGHT: f64 = 3.0 * 3_600.0;

/// A night or nap: its durations. Its score is the day's, of another stream.
pub(crate) fn sleep(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let asleep_s: Option<f64> = fields.get("total_sleep_duration")?;
    let in_bed_s: Option<f64> = fields.get("time_in_bed")?;
    let sleep = Sleep {
        kind: match fields.text("type")?.as_deref() {
            Some("long_sleep") => SleepKind::Main,
            Some("sleep" | "late_nap") => SleepKind::Nap,
            // Taken for sleep falsely, says the user.
            Some("rest") => SleepKind::Rest,
            _ if asleep_s.or(in_bed_s).is_some_and(|seconds| seconds > NIGHT) => SleepKind::Main,
            _ => SleepKind::Nap,
        },
        asleep_s,
        in_bed_s,
        awake_s: fields.get("awake_time")?,
        light_s: fields.get("light_sleep_duration")?,
        deep_s: fields.get("deep_sleep_duration")?,
        rem_s: fields.get("rem_sleep_duration")?,
        latency_s: fields.get("latency")?,
        efficiency: fields.get("efficiency")?.map(ratio),
        avg_hr_bpm: fields.get("average_heart_rate")?,
        lowest_hr_bpm: fields.get("lowest_heart_rate")?,
        // RMSSD.
        hrv_ms: fields.get("average_hrv")?,
        breath_rate_bpm: fields.get("average_breath")?,
        score: None,
    };
    Ok(vec![Record::new(fields.span("bedtime_start", "bedtime_end")?, &sleep)?])
}

/// The score of a day's sleep, and nothing that its nights tell too.
pub(crate) fn daily_sleep(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let day = When::Day(fields.need("day")?);
    let Some(score) = fields.get("score")? else { return Ok(vec![]) };
    let sleep = Sleep { kind: SleepKind::Main, score: Some(score), ..Sleep::default() };
    Ok(vec![Record::new(day, &sleep)?])
}

pub(crate) fn daily_readiness(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let contributors: Option<BTreeMap<String, Option<f64>>> = fields.get("contributors")?;
    let known = contributors.into_iter().flatten().filter_map(|(name, score)| Some((name, score?)));
    let readiness = Readiness {
        score: fields.get("score")?,
        contributors: known.collect(),
        temperature_deviation_c: fields.get("temperature_deviation")?,
    };
    let day = When::Day(fields.need("day")?);
    Ok(if readiness == Readiness::default() { vec![] } else { vec![Record::new(day, &readiness)?] })
}

/// A day from four o'clock to four o'clock.
pub(crate) fn daily_activity(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let activity = Activity {
        steps: fields.get("steps")?,
        active_kcal: fields.get("active_calories")?,
        total_kcal: fields.get("total_calories")?,
        distance_m: fields.get("equivalent_walking_distance")?,
        sedentary_s: fields.get("sedentary_time")?,
        score: fields.get("score")?,
    };
    Ok(vec![Record::new(When::Day(fields.need("day")?), &activity)?])
}

pub(crate) fn daily_spo2(item: &RawItem) -> Records {
    const INDEX: &str = "breathing_disturbance_index";
    let fields = Fields::of(item)?;
    let day = fields.need("day")?;
    let average = fields.get("spo2_percentage.average")?.map(ratio);
    let oxygen = average.map(|ratio| (Vital::new(VitalKind::OxygenSaturation, ratio), ""));
    let index = fields.get(INDEX)?.map(|index| (Vital::other(INDEX, index, "index"), INDEX));
    let record = |(vital, key)| Ok(Record::new(When::Day(day), &vital)?.key(key));
    oxygen.into_iter().chain(index).map(record).collect()
}

pub(crate) fn workout(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let when = fields.span("start_datetime", "end_datetime")?;
    let workout = Workout {
        sport: fields.need("activity")?,
        name: fields.text("label")?,
        elapsed_s: when.duration_s(),
        distance_m: fields.get("distance")?,
        energy_kcal: fields.get("calories")?,
        ..Workout::default()
    };
    Ok(vec![Record::new(when, &workout)?])
}

/// A breathing exercise, a meditation, a rest. No dataset knows them.
pub(crate) fn session(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let when = fields.span("start_datetime", "end_datetime")?;
    let session = fields.custom("oura_session", &[("type", "type"), ("mood", "mood")])?;
    let session = session.metric("duration_s", when.duration_s());
    Ok(vec![Record::new(when, &session)?])
}

/// What the person noted: each kind of tag is a tracker, and each tag a yes in it.
pub(crate) fn tag(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let tracker = match fields.text("tag_type_code")?.as_deref() {
        None => "note".to_owned(),
        Some("custom") => slug(&fields.text("custom_name")?.unwrap_or_default()),
        Some(code) => slug(code.trim_start_matches("tag_").trim_start_matches("generic_")),
    };
    let day = When::Day(fields.need("start_day")?);
    // These times are declared local, and may lack an offset.
    let when = match (fields.maybe::<Moment>("start_time"), fields.maybe::<Moment>("end_time")) {
        (Some(start), Some(end)) if start.at <= end.at => When::Span { start, end },
        (start, _) => start.map_or(day, When::At),
    };
    let entry = Entry { tracker, value: EntryValue::Boolean(true), note: fields.text("comment")? };
    Ok(vec![Record::new(when, &entry)?])
}

/// A sample. Its time is always in UTC: the user's zone decides the day.
pub(crate) fn heart_rate(item: &RawItem) -> Records {
    let fields = Fields::of(item)?;
    let when = When::At(Moment::utc(fields.need("timestamp")?));
    Ok(vec![Record::new(when, &Vital::new(VitalKind::HeartRate, fields.need("bpm")?))?])
}

fn ratio(percent: f64) -> f64 {
    percent / 100.0
}

/// Letters and digits in lower case, with single `_` between words.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("_");
    if slug.is_empty() { "custom".to_owned() } else { slug }
}

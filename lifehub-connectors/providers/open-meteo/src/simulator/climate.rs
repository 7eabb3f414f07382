//! Made-up weather: seasons by latitude, fair and foul spells of several days, hours that are cut into days wherever
//! the answer's clock has its midnight.

use std::f64::consts::TAU;

use lifehub_core::clock::Day;
use lifehub_testkit::Seeded;

use super::units::tenth;

/// The weather of a day: °C, mm, m/s, seconds and a WMO code.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Weather {
    /// Lowest temperature.
    pub min: f64,
    /// Mean temperature.
    pub mean: f64,
    /// Highest temperature.
    pub max: f64,
    /// Rain and melted snow.
    pub precipitation: f64,
    /// Strongest wind.
    pub wind: f64,
    /// Sunshine.
    pub sunshine: f64,
    /// The worst of the day's hours.
    pub code: u8,
}

impl Weather {
    /// After so many revisions, each of which makes the day warmer by 1.1 degrees.
    pub(super) fn revised(mut self, times: u32) -> Self {
        self.warm(1.1 * f64::from(times));
        self
    }

    fn warm(&mut self, degrees: f64) {
        for temperature in [&mut self.min, &mut self.mean, &mut self.max] {
            *temperature = tenth(*temperature + degrees);
        }
    }
}

/// The weather of one cell of a tenth of a degree.
#[derive(Debug)]
pub(super) struct Climate {
    dice: Seeded,
    latitude: f64,
    longitude: f64,
}

/// What a day has of its own, apart from season and hour.
#[derive(Debug, Clone, Copy)]
struct Mood {
    warmth: f64,
    /// 0 to 1.
    cloud: f64,
    storm: f64,
    /// In mm an hour, from an hour on, for six hours.
    rain: f64,
    rain_from: i64,
}

/// How much of a mood's deviation is left a day later.
const MEMORY: f64 = 0.7;

impl Climate {
    pub(super) fn new(seed: u64, latitude: f64, longitude: f64) -> Self {
        let cell = |degrees: f64| ((degrees + 360.0) * 10.0).round() as u64;
        let dice = Seeded::new(seed).fork(cell(latitude) * 10_000 + cell(longitude));
        Self { dice, latitude, longitude }
    }

    /// What happened on a day that begins when a clock so many seconds ahead of UTC shows midnight. Hours are whole in
    /// UTC, as in the models.
    pub(super) fn day(&self, day: Day, offset_s: i64) -> Weather {
        let first = i64::from(day.as_number()) * 24 - offset_s / 3_600;
        let utc_day = first.div_euclid(24);
        let moods = [0, 1, 2].map(|ahead| self.mood(utc_day + ahead));
        let (mut min, mut max, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        let (mut precipitation, mut wind, mut sunshine, mut code) = (0.0, 0.0_f64, 0.0, 0);
        for hour in first..first + 24 {
            let place = usize::try_from(hour.div_euclid(24) - utc_day).unwrap_or(0);
            let (today, tomorrow) = (moods[place], moods[place + 1]);
            let passed = hour.rem_euclid(24) as f64 / 24.0;
            let between = |one: f64, other: f64| one + (other - one) * passed;
            let season = self.season(hour);
            let solar = (hour.rem_euclid(24) as f64 + self.longitude / 15.0).rem_euclid(24.0);
            let noon = ((solar - 15.0) / 24.0 * TAU).cos();
            let cloud = between(today.cloud, tomorrow.cloud);
            let temperature = 30.0 - 0.35 * self.latitude.abs()
                + 0.22 * self.latitude.abs() * season
                + (5.5 - 3.0 * cloud) * noon
                + 3.0 * between(today.warmth, tomorrow.warmth);
            let rains = (today.rain_from..today.rain_from + 6).contains(&hour.rem_euclid(24));
            let rain = if rains { today.rain } else { 0.0 };
            let daylight = 6.0 + 0.035 * self.latitude.abs() * season;
            (min, max, sum) = (min.min(temperature), max.max(temperature), sum + temperature);
            precipitation += rain;
            wind = wind.max((3.0 + 1.5 * between(today.storm, tomorrow.storm) + noon).max(0.3));
            if (solar - 12.0).abs() < daylight {
                sunshine += 3_600.0 * (1.0 - cloud);
            }
            code = code.max(wmo_code(temperature, rain, cloud));
        }
        Weather {
            min: tenth(min),
            mean: tenth(sum / 24.0),
            max: tenth(max),
            precipitation: tenth(precipitation),
            wind: (wind * 1e2).round() / 1e2,
            sunshine: (sunshine * 1e2).round() / 1e2,
            code,
        }
    }

    /// What is expected of a day, by the forecast of another: wrong by some tenths at least, and by more the further
    /// ahead. Of days that are over it says what it said on that day.
    pub(super) fn forecast(&self, day: Day, offset_s: i64, issued: Day) -> Weather {
        let lead = (day.as_number() - issued.as_number()).max(0);
        let issued = day.min(issued).as_number();
        let label = (i64::from(day.as_number()) << 20) ^ i64::from(issued);
        let mut dice = self.dice.fork(label as u64 ^ 0xf0_0000_0000_0000);
        let spread = 0.2 + 0.15 * f64::from(lead);
        let wrong = dice.around(0.0, spread);
        let mut weather = self.day(day, offset_s);
        weather.warm(if wrong < 0.0 { wrong - 0.2 } else { wrong + 0.2 });
        weather.precipitation = tenth(weather.precipitation * dice.fraction(0.5, 1.5));
        weather.wind = (weather.wind * dice.fraction(0.8, 1.2) * 1e2).round() / 1e2;
        weather
    }

    /// From -1 in the depth of winter to 1 at the height of summer.
    fn season(&self, hour: i64) -> f64 {
        let year = hour as f64 / 24.0 / 365.242_5;
        // The warmest day is the 20th of July in the north; 1970 began on the first day of a year.
        let phase = ((year - 200.0 / 365.25) * TAU).cos();
        if self.latitude < 0.0 { -phase } else { phase }
    }

    fn mood(&self, utc_day: i64) -> Mood {
        let wet = self.spell(1, utc_day);
        let mut dice = self.dice.fork(utc_day as u64 ^ 0x4_0000_0000_0000);
        Mood {
            warmth: self.spell(0, utc_day),
            cloud: (0.45 + 0.3 * wet).clamp(0.0, 1.0),
            storm: self.spell(2, utc_day).abs(),
            rain: tenth((wet - 0.4).max(0.0) * dice.fraction(0.5, 4.0)),
            rain_from: dice.whole(0, 18),
        }
    }

    /// A value around 0 with a deviation of about 1 that changes slowly: each day's own, and what is left of the days
    /// before. It needs no past but theirs, so that every request gives the same day the same weather.
    fn spell(&self, kind: u64, utc_day: i64) -> f64 {
        let own = |ago: i64| {
            let day = (utc_day - ago) as u64 & 0xffff_ffff;
            self.dice.fork((kind + 1) << 32 | day).around(0.0, 1.0)
        };
        let sum: f64 = (0..10).map(|ago| MEMORY.powi(ago as i32) * own(ago)).sum();
        sum * (1.0 - MEMORY * MEMORY).sqrt()
    }
}

/// WMO codes of table 4677, as many as are needed: clear to overcast, rain, snow.
fn wmo_code(temperature: f64, rain: f64, cloud: f64) -> u8 {
    if rain > 0.0 {
        let strength = if rain < 1.0 {
            0
        } else if rain < 3.0 {
            2
        } else {
            4
        };
        return if temperature < 0.0 { 71 } else { 61 } + strength;
    }
    match cloud {
        c if c < 0.2 => 0,
        c if c < 0.4 => 1,
        c if c < 0.7 => 2,
        _ => 3,
    }
}

//! What the made-up athlete does, how long, how fast and at what time of day.

/// A sport with the ranges from which its activities are drawn.
#[derive(Debug)]
pub(super) struct Sport {
    /// `sport_type`.
    pub(super) name: &'static str,
    /// `type`, the older and coarser word.
    pub(super) legacy: &'static str,
    /// The word in titles: "Morning Run".
    pub(super) title: &'static str,
    /// First and last hour at which it begins, local time.
    pub(super) hours: (i64, i64),
    /// Moving time, minutes.
    pub(super) minutes: (i64, i64),
    /// Average speed, m/s; zero for sports without distance.
    pub(super) speed_mps: (f64, f64),
    /// Climb, metres per kilometre.
    pub(super) climb_m_per_km: f64,
    /// Average heart rate.
    pub(super) heart_bpm: f64,
    /// Cadence, if the sport has one: steps of one leg or turns of the crank a minute.
    pub(super) cadence_rpm: Option<f64>,
    /// Average power, if the sport has one.
    pub(super) watts: Option<f64>,
    /// Entered by hand, without a recording: neither place nor upload.
    pub(super) manual: bool,
    pub(super) commute: bool,
    /// `gear_id`.
    pub(super) gear: Option<&'static str>,
}

const BASE: Sport = Sport {
    name: "",
    legacy: "",
    title: "",
    hours: (7, 18),
    minutes: (30, 60),
    speed_mps: (0.0, 0.0),
    climb_m_per_km: 0.0,
    heart_bpm: 125.0,
    cadence_rpm: None,
    watts: None,
    manual: false,
    commute: false,
    gear: None,
};

pub(super) const RUN: Sport = Sport {
    name: "Run",
    legacy: "Run",
    title: "Run",
    hours: (6, 7),
    minutes: (35, 65),
    speed_mps: (2.8, 3.7),
    climb_m_per_km: 8.0,
    heart_bpm: 148.0,
    cadence_rpm: Some(84.0),
    gear: Some("g900001"),
    ..BASE
};
pub(super) const LONG_RUN: Sport =
    Sport { hours: (8, 10), minutes: (75, 140), speed_mps: (2.7, 3.2), title: "Long Run", ..RUN };
pub(super) const TRAIL_RUN: Sport = Sport {
    name: "TrailRun",
    title: "Trail Run",
    hours: (8, 11),
    minutes: (60, 150),
    speed_mps: (2.0, 2.8),
    climb_m_per_km: 45.0,
    ..RUN
};
pub(super) const RIDE: Sport = Sport {
    name: "Ride",
    legacy: "Ride",
    title: "Ride",
    hours: (9, 14),
    minutes: (80, 240),
    speed_mps: (6.2, 8.6),
    climb_m_per_km: 11.0,
    heart_bpm: 134.0,
    cadence_rpm: Some(81.0),
    watts: Some(165.0),
    gear: Some("b800001"),
    ..BASE
};
pub(super) const GRAVEL: Sport =
    Sport { name: "GravelRide", title: "Gravel Ride", speed_mps: (5.2, 6.8), ..RIDE };
pub(super) const COMMUTE: Sport =
    Sport { title: "Commute", hours: (7, 8), minutes: (18, 32), commute: true, watts: None, ..RIDE };
pub(super) const VIRTUAL_RIDE: Sport = Sport {
    name: "VirtualRide",
    legacy: "VirtualRide",
    title: "Indoor Ride",
    hours: (18, 20),
    minutes: (40, 75),
    ..RIDE
};
pub(super) const GYM: Sport = Sport {
    name: "WeightTraining",
    legacy: "WeightTraining",
    title: "Gym",
    hours: (18, 19),
    minutes: (40, 60),
    manual: true,
    ..BASE
};
pub(super) const YOGA: Sport =
    Sport { name: "Yoga", legacy: "Yoga", title: "Yoga", hours: (20, 21), minutes: (25, 50), ..GYM };
pub(super) const SWIM: Sport = Sport {
    name: "Swim",
    legacy: "Swim",
    title: "Swim",
    hours: (12, 13),
    minutes: (30, 50),
    speed_mps: (0.7, 0.95),
    heart_bpm: 128.0,
    ..BASE
};
pub(super) const HIKE: Sport = Sport {
    name: "Hike",
    legacy: "Hike",
    title: "Hike",
    hours: (8, 11),
    minutes: (120, 330),
    speed_mps: (0.9, 1.3),
    climb_m_per_km: 70.0,
    heart_bpm: 112.0,
    ..BASE
};
pub(super) const SKI: Sport = Sport {
    name: "NordicSki",
    legacy: "NordicSki",
    title: "Nordic Ski",
    hours: (9, 12),
    minutes: (60, 150),
    speed_mps: (2.8, 4.6),
    climb_m_per_km: 18.0,
    heart_bpm: 141.0,
    ..BASE
};
/// A sport that Strava's own description does not list yet.
pub(super) const NEW_SPORT: Sport = Sport {
    name: "ParkourFlow",
    legacy: "Workout",
    title: "Parkour Flow",
    hours: (17, 18),
    minutes: (30, 70),
    ..BASE
};

/// How often something is done on a day: expected times a day.
pub(super) type Plan = Vec<(&'static Sport, f64)>;

/// The habits of a weekday (Monday is 0), from `summer` 0 (mid-January) to 1 (mid-July).
pub(super) fn habits(weekday: i64, summer: f64) -> Plan {
    let winter = 1.0 - summer;
    match weekday {
        0 => vec![(&YOGA, 0.3), (&COMMUTE, 0.4 * summer)],
        1 => vec![(&RUN, 0.8), (&COMMUTE, 0.5 * summer)],
        2 => vec![(&GYM, 0.7), (&COMMUTE, 0.4 * summer)],
        3 => vec![(&RUN, 0.65), (&VIRTUAL_RIDE, 0.3 * winter)],
        4 => vec![(&SWIM, 0.4), (&COMMUTE, 0.4 * summer), (&NEW_SPORT, 0.02)],
        5 => {
            vec![(&RIDE, 0.8 * summer), (&GRAVEL, 0.25 * summer), (&SKI, 0.5 * winter), (&RUN, 0.3 * winter)]
        }
        _ => vec![(&LONG_RUN, 0.5), (&HIKE, 0.15 + 0.25 * summer), (&TRAIL_RUN, 0.2)],
    }
}

//! The collections of the API, each with what is known of its lists, and how its entries are made.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::{Kind, Seeded};
use serde_json::{Value, json};

use super::{movement, night, noted};

/// A collection of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Collection {
    /// Nights and naps.
    Sleep,
    /// The score of a day's sleep.
    DailySleep,
    /// The score of a day's readiness.
    DailyReadiness,
    /// A day's movement.
    DailyActivity,
    /// A night's blood oxygen.
    DailySpo2,
    /// Workouts.
    Workout,
    /// Breathing, meditation, rest.
    Session,
    /// What the person noted.
    EnhancedTag,
    /// Heart rate. The made-up account has that of its last ten days, a sample every ten to fifteen minutes: a real one
    /// has one every five, 200,000 in two years, for which neither a demo nor a suite has the time.
    HeartRate,
}

impl Collection {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Sleep,
        Self::DailySleep,
        Self::DailyReadiness,
        Self::DailyActivity,
        Self::DailySpo2,
        Self::Workout,
        Self::Session,
        Self::EnhancedTag,
        Self::HeartRate,
    ];

    /// The last part of its path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::DailySleep => "daily_sleep",
            Self::DailyReadiness => "daily_readiness",
            Self::DailyActivity => "daily_activity",
            Self::DailySpo2 => "daily_spo2",
            Self::Workout => "workout",
            Self::Session => "session",
            Self::EnhancedTag => "enhanced_tag",
            Self::HeartRate => "heartrate",
        }
    }

    /// The stream that stands for it.
    pub fn stream(self) -> &'static str {
        match self {
            Self::Workout => "workouts",
            Self::Session => "sessions",
            Self::EnhancedTag => "tags",
            Self::HeartRate => "heart_rate",
            _ => self.path(),
        }
    }

    /// The scope that it needs.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Sleep | Self::DailySleep | Self::DailyReadiness | Self::DailyActivity => "daily",
            Self::DailySpo2 => "spo2",
            Self::Workout => "workout",
            Self::Session => "session",
            Self::EnhancedTag => "tag",
            Self::HeartRate => "heartrate",
        }
    }

    /// Whether the `end_date` of a list belongs to it: as measured, and where nobody has, it does not.
    pub fn includes_end(self) -> bool {
        matches!(self, Self::DailySleep | Self::DailyReadiness | Self::DailySpo2)
    }

    /// Whether it has one entry a day.
    pub fn is_daily(self) -> bool {
        matches!(self, Self::DailySleep | Self::DailyReadiness | Self::DailyActivity | Self::DailySpo2)
    }

    /// The day that an entry bears.
    pub(super) fn day(self, entry: &Value) -> Option<Day> {
        let member = if self == Self::EnhancedTag { "start_day" } else { "day" };
        entry[member].as_str()?.parse().ok()
    }
}

/// What a shelf of one collection holds.
#[derive(Debug, Clone)]
pub(super) struct Documents {
    pub(super) collection: Collection,
    pub(super) seed: u64,
    /// Whether several entries share an instant: then nothing but their sources tells samples apart.
    pub(super) ties: bool,
}

impl Documents {
    fn new_id(&self, number: u64) -> String {
        format!("{:08x}-{:04x}-4000-8000-{number:012x}", self.seed & 0xffff_ffff, self.collection as u16)
    }
}

impl Kind for Documents {
    fn make(&self, number: u64, at: Timestamp, dice: Seeded) -> Value {
        let mut entry = match self.collection {
            Collection::Sleep => night::sleep(self.seed, at, dice),
            Collection::DailySleep => night::daily_sleep(self.seed, at, dice),
            Collection::DailyReadiness => night::daily_readiness(self.seed, at, dice),
            Collection::DailySpo2 => night::daily_spo2(at, dice),
            Collection::DailyActivity => movement::daily_activity(at, dice),
            Collection::Workout => movement::workout(at, dice),
            Collection::Session => noted::session(at, dice),
            Collection::EnhancedTag => noted::tag(at, dice),
            Collection::HeartRate => return movement::sample(number, at, self.ties, dice),
        };
        entry["id"] = json!(self.new_id(number));
        entry
    }

    fn id(&self, item: &Value) -> String {
        let text = |member: &str| item[member].as_str().unwrap_or_default().to_owned();
        match self.collection {
            Collection::HeartRate => {
                format!("{}|{}", text("timestamp").replace("+00:00", "Z"), text("source"))
            }
            _ => text("id"),
        }
    }

    fn records(&self, item: &Value) -> Vec<Value> {
        match self.collection {
            Collection::Sleep => night::of_sleep(item),
            Collection::DailySleep => night::of_daily_sleep(item),
            Collection::DailyReadiness => night::of_daily_readiness(item),
            Collection::DailySpo2 => night::of_daily_spo2(item),
            Collection::DailyActivity => movement::of_daily_activity(item),
            Collection::Workout => movement::of_workout(item),
            Collection::Session => noted::of_session(item),
            Collection::EnhancedTag => noted::of_tag(item),
            Collection::HeartRate => movement::of_sample(item),
        }
    }

    fn edit(&self, item: &mut Value) -> bool {
        let count = |value: &Value, by: i64| json!(value.as_i64().unwrap_or(0) + by);
        let score = |value: &Value| json!(value.as_i64().unwrap_or(60) % 40 + 55);
        match self.collection {
            // It is analysed again when the app opens.
            Collection::Sleep => {
                item["total_sleep_duration"] = count(&item["total_sleep_duration"], 30);
                item["sleep_analysis_reason"] = json!("background_created_foreground_updated");
            }
            Collection::DailySleep | Collection::DailyReadiness => item["score"] = score(&item["score"]),
            Collection::DailyActivity => item["steps"] = count(&item["steps"], 250),
            Collection::DailySpo2 => {
                let index = count(&item["breathing_disturbance_index"], 1);
                item["breathing_disturbance_index"] = index;
            }
            Collection::Workout => {
                item["label"] = json!(format!("{}!", item["label"].as_str().unwrap_or("Loop")))
            }
            Collection::Session => {
                let mood = if item["mood"] == "good" { "great" } else { "good" };
                item["mood"] = json!(mood);
            }
            Collection::EnhancedTag => {
                item["comment"] = json!(format!("{}, again", item["comment"].as_str().unwrap_or("late")));
            }
            Collection::HeartRate => item["bpm"] = count(&item["bpm"], 1),
        }
        true
    }

    fn spoil(&self, item: &mut Value) -> bool {
        let member = match self.collection {
            Collection::Sleep => "bedtime_end",
            Collection::DailySleep => "score",
            Collection::DailyReadiness => "contributors",
            Collection::DailyActivity => "steps",
            Collection::DailySpo2 => "spo2_percentage",
            Collection::Workout => "distance",
            Collection::Session => "end_datetime",
            Collection::EnhancedTag => "tag_type_code",
            Collection::HeartRate => "bpm",
        };
        item[member] = json!(["out", "of", "order"]);
        true
    }

    fn unname(&self, item: &mut Value) -> bool {
        let member = if self.collection == Collection::HeartRate { "source" } else { "id" };
        item.as_object_mut().is_some_and(|members| members.remove(member).is_some())
    }
}

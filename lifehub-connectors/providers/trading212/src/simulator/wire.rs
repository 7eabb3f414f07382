//! How Trading 212 writes amounts and times, and what a record makes of them.

use lifehub_core::clock::{Day, Timestamp};
use lifehub_testkit::date_time;
use serde_json::{Value, json};

/// A JSON number of so many units, of which ten to the power of `scale` make one.
pub(super) fn number(units: i64, scale: i32) -> Value {
    json!(units as f64 / 10_f64.powi(scale))
}

/// The hundredths in a JSON number.
pub(super) fn hundredths(number: &Value) -> i64 {
    (number.as_f64().unwrap_or_default() * 100.0).round() as i64
}

/// A JSON number as records write amounts, divided by ten to the power of `shift`: two digits or more after the point, and
/// beyond these no zero at the end.
pub(super) fn decimal(number: &Value, shift: usize) -> String {
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = fraction.len() + shift;
    let all = format!("{:0>width$}", format!("{whole}{fraction}"), width = scale + 1);
    let (whole, fraction) = all.split_at(all.len() - scale);
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    format!("{sign}{}.{fraction:0<2}", if whole.is_empty() { "0" } else { whole })
}

/// So many hundredths as records write amounts.
pub(super) fn amount(hundredths: i64) -> String {
    decimal(&number(hundredths, 2), 0)
}

/// An instant in one of the forms that were seen: with and without a fraction, and in the zone of the server.
pub(super) fn instant(at: Timestamp, number: u64) -> String {
    let seconds = at.as_seconds();
    let fraction = ["", ".315", ".000"][usize::try_from(seconds.rem_euclid(3)).unwrap_or(0)];
    match number % 3 {
        0 => format!("{}{fraction}Z", date_time(seconds)),
        1 => format!("{}{fraction}+00:00", date_time(seconds)),
        _ => format!("{}{fraction}+03:00", date_time(seconds + 10_800)),
    }
}

/// What such a text means, as records write instants: in UTC.
pub(super) fn meant(text: &str) -> String {
    let part = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<i64>().ok());
    let day = text.get(..10).and_then(|day| day.parse::<Day>().ok()).map_or(0, Day::as_number);
    let clock = [(11, 13, 3_600), (14, 16, 60), (17, 19, 1)];
    let second: i64 = clock.iter().map(|(from, to, unit)| part(*from, *to).unwrap_or(0) * unit).sum();
    let rest = text.get(19..).unwrap_or_default();
    let (fraction, offset_s) = match rest.split_once('+') {
        Some((fraction, "03:00")) => (fraction, 10_800),
        Some((fraction, _)) => (fraction, 0),
        None => (rest.trim_end_matches('Z'), 0),
    };
    let seconds = i64::from(day) * 86_400 + second - offset_s;
    format!("{}{}Z", date_time(seconds), fraction.trim_end_matches(['0', '.']))
}

//! Serial numbers: days since 1899-12-30 and parts of a day, on the clock of the spreadsheet's zone.

use lifehub_core::prelude::*;

/// In seconds.
pub(crate) const A_DAY: i64 = 86_400;

/// From 1899-12-30 to 1970-01-01, in days.
pub(crate) const EPOCH: i64 = 25_569;

/// The serial number of the day after 9999-12-31: what is larger is a number of another kind.
const END: f64 = 2_958_466.0;

/// A serial number in seconds since 1899-12-30. Fractions of a day are no whole seconds in binary, and are rounded.
pub(crate) fn seconds(serial: f64) -> Result<i64, Reject> {
    if !(0.0..END).contains(&serial) {
        return Err(Reject::new("a number is no date between 1899-12-30 and 9999-12-31"));
    }
    let day = serial.floor();
    Ok(day as i64 * A_DAY + ((serial - day) * A_DAY as f64).round() as i64)
}

/// The moment at which a clock in a spreadsheet's zone shows so many seconds since 1970. The zone is an IANA name, or
/// `GMT-07:00`.
pub(crate) fn moment(zone: &str, local: i64) -> Result<Moment, Reject> {
    if let Ok(zone) = zone.parse::<Zone>() {
        let (day, second) = (local.div_euclid(A_DAY), local.rem_euclid(A_DAY));
        let day = Day::from_number(i32::try_from(day).unwrap_or(0));
        let clock = format!("{day}T{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60);
        return Ok(Moment::in_zone(zone.instant_of(&clock)?, zone));
    }
    let offset = custom(zone).ok_or_else(|| Reject::new("the spreadsheet's time zone is not known"))?;
    Ok(Moment::with_offset(Timestamp::from_seconds(local - i64::from(offset.as_seconds())), offset))
}

/// The offset of a zone that is none of IANA's.
fn custom(zone: &str) -> Option<Offset> {
    let (sign, clock) = match zone.strip_prefix("GMT")?.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':').unwrap_or((clock, "0"));
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    Offset::from_seconds(sign * (i32::from(hours) * 3_600 + i32::from(minutes) * 60)).ok()
}

//! Serial numbers: days and moments on the clock of the spreadsheet's own zone.

use serde_json::{Value, json};

use crate::rig::Rig;

fn timed() -> Value {
    json!({ "date": "Date", "time": "Time", "as": { "custom": { "schema": "log", "fields": { "n": "N" } } } })
}

/// The starts or days of rows with these dates and times, in a spreadsheet of that zone.
async fn read(zone: &str, rows: &[(Value, Value)]) -> Vec<String> {
    let mut cells = vec![json!(["Date", "Time", "N"])];
    cells.extend(rows.iter().enumerate().map(|(n, (date, time))| json!([date, time, n])));
    let rig = Rig::with(timed(), json!(cells));
    rig.simulator.set_zone(zone);
    rig.sync().await;
    let mut starts = vec!["in quarantine".to_owned(); rows.len()];
    for record in rig.stored().values() {
        let n = record["body"]["fields"]["n"].as_f64().unwrap() as usize;
        starts[n] = record["start"].as_str().or(record["day"].as_str()).unwrap().to_owned();
    }
    starts
}

/// The serial number of midnight on 2026-08-01.
const AUGUST: f64 = 46_235.0;

fn clock(hours: f64, minutes: f64, seconds: f64) -> f64 {
    ((hours * 60.0 + minutes) * 60.0 + seconds) / 86_400.0
}

#[tokio::test]
async fn a_date_is_a_day_and_a_time_is_a_moment_in_the_sheets_zone() {
    let rows = [
        (json!(AUGUST), json!(null)),
        (json!(AUGUST), json!(AUGUST + clock(7.0, 15.0, 0.0))),
        (json!(AUGUST), json!(clock(7.0, 15.0, 0.0))),
        (json!(null), json!(AUGUST)),
        (json!(AUGUST + 0.75), json!("")),
        (json!("2026-08-01"), json!(0)),
        (json!(43_831), json!(null)),
    ];
    let starts = read("Europe/Rome", &rows).await;
    assert_eq!(
        starts,
        [
            "2026-08-01",
            "2026-08-01T07:15:00+02:00",
            "2026-08-01T07:15:00+02:00",
            "2026-08-01T00:00:00+02:00",
            "2026-08-01",
            "2026-08-01T00:00:00+02:00",
            "2020-01-01",
        ]
    );
    assert_eq!(read("America/New_York", &rows).await[1], "2026-08-01T07:15:00-04:00");
    assert_eq!(read("GMT-07:00", &rows).await[1..3], ["2026-08-01T07:15:00-07:00"; 2]);
    assert_eq!(read("GMT+5:30", &rows).await[1], "2026-08-01T07:15:00+05:30");
}

#[tokio::test]
async fn fractions_are_rounded_to_the_second() {
    // 07:24:59.9999…, and what rounds up to the next day.
    let rows = [
        (json!(null), json!(AUGUST + clock(7.0, 25.0, 0.0) - 1e-9)),
        (json!(null), json!(AUGUST + clock(7.0, 25.0, 0.0) + 1e-9)),
        (json!(null), json!(AUGUST + 0.999_999_9)),
        (json!(AUGUST + 0.999_999_9), json!(null)),
    ];
    assert_eq!(
        read("Europe/Rome", &rows).await,
        ["2026-08-01T07:25:00+02:00", "2026-08-01T07:25:00+02:00", "2026-08-02T00:00:00+02:00", "2026-08-02",]
    );
}

#[tokio::test]
async fn every_hour_of_a_year_is_read_on_the_sheets_clock() {
    let hours: Vec<i64> = (0..365 * 24).step_by(7).collect();
    let january = 46_023.0;
    let rows: Vec<_> = hours.iter().map(|hour| (json!(null), json!(january + *hour as f64 / 24.0))).collect();
    let starts = read("Europe/Rome", &rows).await;
    for (hour, start) in hours.iter().zip(&starts) {
        let wall = lifehub_testkit::date_time(1_767_225_600 + hour * 3_600);
        let skipped = wall.starts_with("2026-03-29T02");
        assert_eq!(start[..13] == wall[..13], !skipped, "{start} {wall}");
        let summer = ("2026-03-29T03".."2026-10-25T03").contains(&&wall[..13]) || skipped;
        assert_eq!(&start[19..], if summer { "+02:00" } else { "+01:00" }, "{start}");
    }
}

#[tokio::test]
async fn clocks_that_change_skip_an_hour_and_show_one_twice() {
    let night = |day: f64| (json!(null), json!(day + clock(2.0, 30.0, 0.0)));
    // 29 March and 25 October 2026.
    let starts = read("Europe/Rome", &[night(46_110.0), night(46_320.0)]).await;
    assert_eq!(starts, ["2026-03-29T03:30:00+02:00", "2026-10-25T02:30:00+02:00"]);
}

#[tokio::test]
async fn what_is_no_date_is_kept_in_quarantine() {
    let rows = [
        (json!("01/08/2026"), json!(null)),
        (json!("2026-08-01T07:15"), json!(null)),
        (json!(20_260_801), json!(null)),
        (json!(-1), json!(null)),
        (json!(true), json!(null)),
        (json!("#REF!"), json!(null)),
        (json!(null), json!(0.5)),
        (json!(AUGUST), json!("07:15")),
        (json!(null), json!(null)),
    ];
    let starts = read("Europe/Rome", &rows).await;
    assert_eq!(starts, vec!["in quarantine"; rows.len()]);
}

#[tokio::test]
async fn another_zone_moves_moments_and_no_days() {
    let cells = json!([["Date", "Time", "N"], [AUGUST, null, 1], [AUGUST, 0.5, 2]]);
    let rig = Rig::with(timed(), cells.clone());
    rig.sync().await;
    rig.simulator.set_zone("Asia/Tokyo");
    let counts = rig.sync().await;
    assert_eq!((counts.inserted, counts.updated, counts.deleted), (0, 1, 0), "they are the same rows");
    assert_eq!(rig.told("/fields/n"), ["2026-08-01 1.0", "2026-08-01T12:00:00+09:00 2.0"]);

    // Where no moment is read, the zone is nothing of the rows'.
    let mut range = timed();
    range.as_object_mut().unwrap().remove("time");
    let rig = Rig::with(range, cells);
    rig.sync().await;
    rig.simulator.set_zone("Nowhere/At-All");
    assert_eq!(rig.sync().await.unchanged, 2);
}

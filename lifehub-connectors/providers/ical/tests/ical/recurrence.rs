//! Recurrence: rules with the days that RFC 5545 and Python's dateutil give for them, forms that are wrong but common, and
//! rules that must not be let loose.

use lifehub_core::ErrorKind;
use lifehub_core::page::PassKind;

use crate::rig::{Feed, block_on, calendar, event, items, now, read, starts, within};

/// The starts, each without its seconds and offset, and without its year where it is that of the one before.
fn check(lines: &str, expected: &str) {
    let starts = starts(&event(lines));
    let short: Vec<&str> = starts.iter().map(|start| start.get(..16).unwrap_or(start)).collect();
    let expected: Vec<&str> = expected.split_whitespace().collect();
    assert_eq!(short, expected, "{lines}");
}

/// The days of a series that begins at nine in New York.
fn days(start: &str, rule: &str, expected: &str) {
    let starts = starts(&event(&format!("DTSTART;TZID=America/New_York:{start}T090000\nRRULE:{rule}")));
    let days: Vec<&str> = starts.iter().map(|start| &start[..10]).collect();
    let expected: Vec<&str> = expected.split_whitespace().collect();
    assert_eq!(days, expected, "{rule}");
    assert!(starts.iter().all(|start| start[10..].starts_with("T09:00:00-0")), "{rule}: {starts:?}");
}

#[test]
fn the_rules_of_the_rfc_give_the_days_of_the_rfc() {
    days("19970902", "FREQ=DAILY;COUNT=3", "1997-09-02 1997-09-03 1997-09-04");
    days(
        "19970902",
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        "1997-09-02 1997-09-12 1997-09-22 1997-10-02 1997-10-12",
    );
    days(
        "19970902",
        "FREQ=WEEKLY;COUNT=4;WKST=SU;BYDAY=TU,TH",
        "1997-09-02 1997-09-04 1997-09-09 1997-09-11",
    );
    days(
        "19970805",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1997-08-05 1997-08-10 1997-08-19 1997-08-24",
    );
    days(
        "19970805",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1997-08-05 1997-08-17 1997-08-19 1997-08-31",
    );
    days("19970905", "FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "1997-09-05 1997-10-03 1997-11-07");
    days("19970922", "FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "1997-09-22 1997-10-20 1997-11-17");
    days("19970928", "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3", "1997-09-28 1997-10-29 1997-11-28");
    days("20260131", "FREQ=MONTHLY;COUNT=4", "2026-01-31 2026-03-31 2026-05-31 2026-07-31");
    days("19970904", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04 1997-10-07 1997-11-06");
    days(
        "19970929",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3",
        "1997-09-29 1997-10-30 1997-11-27",
    );
    days("19970512", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", "1997-05-12 1998-05-11 1999-05-17");
    days(
        "19970101",
        "FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200",
        "1997-01-01 1997-04-10 1997-07-19 2000-01-01",
    );
    days(
        "19961105",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
        "1996-11-05 2000-11-07 2004-11-02",
    );
    days("19970519", "FREQ=YEARLY;BYDAY=20MO;COUNT=2", "1997-05-19 1998-05-18");
    check(
        "DTSTART:20260301T090000Z\nRRULE:FREQ=HOURLY;INTERVAL=3;UNTIL=20260301T170000Z",
        "2026-03-01T09:00 2026-03-01T12:00 2026-03-01T15:00",
    );
    check(
        "DTSTART:20260301T090000Z\nRRULE:FREQ=MINUTELY;INTERVAL=90;COUNT=3",
        "2026-03-01T09:00 2026-03-01T10:30 2026-03-01T12:00",
    );
}

#[test]
fn a_start_counts_first_also_where_it_does_not_fit() {
    // The Wednesday is no Monday, and one of the three.
    days("20260304", "FREQ=WEEKLY;BYDAY=MO;COUNT=3", "2026-03-04 2026-03-09 2026-03-16");
    days("20260304", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20260316T130000Z", "2026-03-04 2026-03-09 2026-03-16");
    days("20260304", "FREQ=WEEKLY;BYDAY=MO;COUNT=1", "2026-03-04");
    days("20260304", "FREQ=WEEKLY;UNTIL=20260101T000000Z", "2026-03-04");
}

#[test]
fn until_is_taken_in_every_form() {
    let series =
        |until: &str| format!("DTSTART;TZID=Europe/Rome:20260325T190000\nRRULE:FREQ=DAILY;UNTIL={until}");
    let three = "2026-03-25T19:00 2026-03-26T19:00 2026-03-27T19:00";
    check(&series("20260327T180000Z"), three); // exactly the last start
    check(&series("20260327T175959Z"), "2026-03-25T19:00 2026-03-26T19:00");
    check(&series("20260327"), three); // the whole day
    check(&series("20260327T190000"), three); // the series' own clock
    check(&series("20260327T185959"), "2026-03-25T19:00 2026-03-26T19:00");
    check(&series("2026-03-27T18:00:00Z"), three);
    // Across the change to summer time: 19:00 is 17:00 UTC then.
    let summer = "2026-03-25T19:00 2026-03-26T19:00 2026-03-27T19:00 2026-03-28T19:00 2026-03-29T19:00";
    check(&series("20260329T170000Z"), summer);
    let days = |zone: &str, until: &str, expected: &str| {
        let text = event(&format!("DTSTART;VALUE=DATE:20260325\nRRULE:FREQ=DAILY;UNTIL={until}"));
        let text = text.replace("X-WR-CALNAME", &format!("X-WR-TIMEZONE:{zone}\r\nX-WR-CALNAME"));
        assert_eq!(starts(&text).last().unwrap(), expected, "{zone} {until}");
    };
    days("Europe/Rome", "20260327", "2026-03-27");
    days("Europe/Rome", "20260326T230000Z", "2026-03-27"); // midnight in Rome
    days("Europe/Rome", "20260327T215959Z", "2026-03-27");
    days("America/New_York", "20260327T000000Z", "2026-03-27"); // a day made an instant
    days("America/New_York", "20260328T035959Z", "2026-03-27"); // the end of the day there
    days("Europe/Rome", "20260327T000000", "2026-03-27");
}

#[test]
fn dates_are_added_and_taken_out_by_instant_and_kind() {
    let series = "DTSTART;TZID=Europe/Rome:20260327T090000\nDTEND;TZID=Europe/Rome:20260327T100000\nRRULE:FREQ=DAILY;COUNT=4\n";
    let with = |lines: &str, expected: &str| check(&format!("{series}{lines}"), expected);
    let all = "2026-03-27T09:00 2026-03-28T09:00 2026-03-29T09:00 2026-03-30T09:00";
    with("X-NONE:1", all);
    with("EXDATE;TZID=Europe/Rome:20260328T090000,20260330T090000", "2026-03-27T09:00 2026-03-29T09:00");
    with("EXDATE:20260328T080000Z\nEXDATE:20260329T070000Z", "2026-03-27T09:00 2026-03-30T09:00");
    with(
        "EXDATE;TZID=America/New_York:20260328T040000",
        "2026-03-27T09:00 2026-03-29T09:00 2026-03-30T09:00",
    );
    with("EXDATE;TZID=Europe/Rome:20260328T090001", all);
    with("EXDATE;VALUE=DATE:20260328", all);
    with("EXDATE;TZID=Europe/Rome:20260327T090000", "2026-03-28T09:00 2026-03-29T09:00 2026-03-30T09:00");
    with("RDATE;TZID=Europe/Rome:20260329T090000,20260401T200000", &format!("{all} 2026-04-01T20:00"));
    with("RDATE;TZID=Europe/Rome:20260401T200000\nEXDATE:20260401T180000Z", all);
    with("RDATE;VALUE=PERIOD:20260401T080000Z/20260401T093000Z", &format!("{all} 2026-04-01T10:00"));
    check(
        "DTSTART;VALUE=DATE:20260327\nRDATE;VALUE=DATE:20260330,20260328\nEXDATE;VALUE=DATE:20260327",
        "2026-03-28 2026-03-30",
    );
    check(
        "DTSTART;VALUE=DATE:20260327\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20260328",
        "2026-03-27 2026-03-29",
    );
    check(
        "DTSTART;VALUE=DATE:20260327\nRRULE:FREQ=DAILY;COUNT=3\nRRULE:FREQ=WEEKLY;COUNT=2",
        "2026-03-27 2026-03-28 2026-03-29 2026-04-03",
    );
}

#[test]
fn an_exception_may_stand_for_all_later_ones() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Europe/Rome:20260326T090000\nDTEND;TZID=Europe/Rome:20260326T100000\n\
         RRULE:FREQ=DAILY;COUNT=6\nSUMMARY:Old\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Rome:20260328T090000\n\
         DTSTART;TZID=Europe/Rome:20260328T113000\nDTEND;TZID=Europe/Rome:20260328T120000\nSUMMARY:New\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:a\nRECURRENCE-ID;TZID=Europe/Rome:20260330T090000\n\
         DTSTART;TZID=Europe/Rome:20260330T150000\nDTEND;TZID=Europe/Rome:20260330T160000\nSUMMARY:Once\nEND:VEVENT",
    );
    let expected = [
        "2026-03-26T09:00:00+01:00/2026-03-26T10:00:00+01:00 Europe/Rome Old",
        "2026-03-27T09:00:00+01:00/2026-03-27T10:00:00+01:00 Europe/Rome Old",
        "2026-03-28T11:30:00+01:00/2026-03-28T12:00:00+01:00 Europe/Rome New",
        "2026-03-29T11:30:00+02:00/2026-03-29T12:00:00+02:00 Europe/Rome New",
        "2026-03-30T15:00:00+02:00/2026-03-30T16:00:00+02:00 Europe/Rome Once",
        "2026-03-31T11:30:00+02:00/2026-03-31T12:00:00+02:00 Europe/Rome New",
    ];
    assert_eq!(crate::rig::told(&read(text.clone()).unwrap()), expected);
    let cancelled = text.replace("SUMMARY:New", "STATUS:CANCELLED");
    let left = crate::rig::told(&read(cancelled).unwrap());
    assert_eq!(
        left,
        [expected[0], expected[1], expected[4]],
        "all later ones are cancelled but that of its own"
    );
}

#[test]
fn lengths_are_exact_or_as_long_as_days_are() {
    let end = |lines: &str, expected: &[&str]| {
        let told = crate::rig::told(&read(event(lines)).unwrap());
        let ends: Vec<&str> = told.iter().map(|t| t.split(['/', ' ']).nth(1).unwrap()).collect();
        assert_eq!(ends, expected, "{lines}");
    };
    let night = "DTSTART;TZID=Europe/Rome:20260327T230000\nRRULE:FREQ=DAILY;COUNT=2\n";
    // DTEND is eight hours, of which the clock skips one in the second night.
    end(
        &format!("{night}DTEND;TZID=Europe/Rome:20260328T070000"),
        &["2026-03-28T07:00:00+01:00", "2026-03-29T08:00:00+02:00"],
    );
    end(&format!("{night}DURATION:PT8H"), &["2026-03-28T07:00:00+01:00", "2026-03-29T08:00:00+02:00"]);
    end(&format!("{night}DURATION:P1D"), &["2026-03-28T23:00:00+01:00", "2026-03-29T23:00:00+02:00"]);
    end("DTSTART:20260301T100000Z\nDURATION:P1W1DT2H3M4S", &["2026-03-09T12:03:04Z"]);
    end("DTSTART:20260301T100000Z\nDURATION:-PT5M", &["2026-03-01T10:00:00Z"]);
    end("DTSTART:20260301T100000Z\nDTEND:20260228T100000Z", &["2026-03-01T10:00:00Z"]);
    end("DTSTART:20260301T100000Z", &["2026-03-01T10:00:00Z"]);
    let day = |lines: &str, expected: &str| {
        assert_eq!(crate::rig::told(&read(event(lines)).unwrap()), [format!("{expected} -")], "{lines}");
    };
    day("DTSTART;VALUE=DATE:20260301", "2026-03-01");
    day("DTSTART;VALUE=DATE:20260301\nDTEND;VALUE=DATE:20260302", "2026-03-01");
    day("DTSTART;VALUE=DATE:20260301\nDTEND;VALUE=DATE:20260301", "2026-03-01");
    day("DTSTART;VALUE=DATE:20260227\nDTEND;VALUE=DATE:20260302", "2026-02-27/2026-03-01");
    day("DTSTART;VALUE=DATE:20260227\nDURATION:P3D", "2026-02-27/2026-03-01");
    day("DTSTART:20260301", "2026-03-01");
}

#[test]
fn a_series_goes_to_the_end_of_next_year() {
    let last = |lines: &str| starts(&event(lines)).pop().unwrap();
    assert_eq!(last("DTSTART;VALUE=DATE:19500501\nRRULE:FREQ=YEARLY"), "2027-05-01");
    assert_eq!(last("DTSTART;VALUE=DATE:16040229\nRRULE:FREQ=YEARLY"), "2024-02-29");
    assert_eq!(
        last("DTSTART;TZID=America/New_York:20260101T230000\nRRULE:FREQ=DAILY"),
        "2027-12-31T23:00:00-05:00"
    );
    assert_eq!(last("DTSTART:20400101T000000Z"), "2040-01-01T00:00:00Z", "what happens once has no horizon");
    assert_eq!(starts(&event("DTSTART;VALUE=DATE:19900101\nRRULE:FREQ=DAILY")).len(), 13_879);
}

#[test]
fn what_cannot_be_expanded_rightly_is_refused_with_a_reason() {
    let refused = |rule: &str, reason: &str| {
        let text = event(&format!("DTSTART:20260301T090000Z\nRRULE:{rule}"));
        let found = within(10, rule, || items(&read(text).unwrap())).remove(0).1.unwrap_err();
        assert!(found.contains(reason), "{rule}: {found}");
    };
    refused("FREQ=SECONDLY", "more than 20000");
    refused("FREQ=MINUTELY", "more than 20000");
    refused(
        "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,10,20,30,40,50",
        "more than 20000",
    );
    let sixty = (0..60).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    refused(&format!("FREQ=YEARLY;BYMINUTE={sixty};BYSECOND={sixty}"), "more than 20000");
    refused("FREQ=SECONDLY;BYSECOND=0,1;BYSETPOS=2", "BYSETPOS");
    refused("FREQ=WEEKLY;BYDAY=1MO", "numbered days");
    refused("BYDAY=MO", "no `FREQ`");
    refused("FREQ=FORTNIGHTLY", "`FREQ`");
    refused("FREQ=DAILY;INTERVAL=0", "`INTERVAL`");
    refused("FREQ=DAILY;INTERVAL=99999", "`INTERVAL`");
    refused("FREQ=DAILY;COUNT=-1", "`COUNT`");
    refused("FREQ=DAILY;UNTIL=never", "`UNTIL`");
    refused("FREQ=MONTHLY;BYMONTHDAY=0", "`BYMONTHDAY`");
    refused("FREQ=MONTHLY;BYMONTHDAY=32", "`BYMONTHDAY`");
    refused("FREQ=WEEKLY;BYMONTHDAY=3", "cannot be read");
    refused("FREQ=WEEKLY;BYDAY=XX", "cannot be read");
    refused("RSCALE=CHINESE;FREQ=YEARLY", "`RSCALE`");
    check("DTSTART:20260301T090000Z\nRRULE:FREQ=DAILY;COUNT=0", "2026-03-01T09:00");
    check(
        "DTSTART:20260301T090000Z\nRRULE:freq=daily; count=2;X-OWN=1;BYDAY=",
        "2026-03-01T09:00 2026-03-02T09:00",
    );
    // The 30th of February never comes: the start alone counts.
    check("DTSTART:20260301T090000Z\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-03-01T09:00");
}

#[test]
fn a_file_of_endless_series_ends() {
    let one = |n: usize| {
        format!("BEGIN:VEVENT\nUID:{n}\nDTSTART:20200101T090000Z\nRRULE:FREQ=MINUTELY;BYDAY=MO\nEND:VEVENT\n")
    };
    let barren = |n: usize| {
        format!(
            "BEGIN:VEVENT\nUID:{n}\nDTSTART:20200101T090000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT\n"
        )
    };
    for text in [(0..2000).map(one).collect::<String>(), (0..2000).map(barren).collect()] {
        let error = within(60, "a file of endless series", || {
            block_on(Feed::new(calendar(&text)).page(PassKind::Full, now(), None))
        })
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
    }
}

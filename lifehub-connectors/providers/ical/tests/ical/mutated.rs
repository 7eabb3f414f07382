//! Damaged files: whatever comes, the connector neither panics nor hangs, and a file that it takes normalizes the same
//! way twice.

use lifehub_core::page::{Item, PassKind};
use lifehub_testkit::Seeded;

use crate::rig::{Feed, block_on, normalize, now, within};
use crate::wild::WILD;

/// What is put in somewhere: marks that mean something, and numbers that are too large.
const INSERTED: [&[u8]; 16] = [
    b"\r\n",
    b"\r\n ",
    b";",
    b":",
    b"\"",
    b",",
    b"\\",
    b"=",
    b"\xff\xfe",
    b"\0",
    b"99999999999999999999",
    b"-",
    b"END:VEVENT\r\n",
    b"BEGIN:VEVENT\r\n",
    b"RRULE:FREQ=SECONDLY\r\n",
    b"RRULE:FREQ=YEARLY;BYMONTHDAY=-31,31;BYSETPOS=-366\r\n",
];

fn mutated(dice: &mut Seeded, text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    for _ in 0..dice.whole(1, 12) {
        let place = |dice: &mut Seeded, text: &[u8]| dice.whole(40, text.len() as i64 - 20) as usize;
        let at = place(dice, &text);
        match dice.whole(0, 5) {
            0 => text[at] = dice.whole(0, 255) as u8,
            // Figures stay figures, so that dates and offsets go wrong and not only lines.
            1 => text[at..at + 10]
                .iter_mut()
                .filter(|b| b.is_ascii_digit())
                .for_each(|b| *b = b'0' + b.wrapping_mul(7) % 10),
            2 => drop(text.splice(at..at, dice.pick(&INSERTED).unwrap().iter().copied()).collect::<Vec<_>>()),
            3 => drop(text.drain(at..(at + dice.whole(1, 30) as usize).min(text.len() - 20))),
            4 => {
                let from = place(dice, &text);
                let part = text[from..(from + 60).min(text.len())].to_vec();
                text.splice(at..at, part);
            }
            _ => {
                // A line is swapped for another.
                let line = |at: usize| {
                    let start = text[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
                    let end = text[at..].iter().position(|b| *b == b'\n').map_or(text.len(), |n| at + n + 1);
                    start..end
                };
                let (one, other) = (line(at), line(place(dice, &text)));
                let other = text[other].to_vec();
                text.splice(one, other);
            }
        }
    }
    text
}

#[test]
fn damaged_files_neither_panic_nor_hang() {
    let mut dice = Seeded::new(11);
    let (mut taken, mut records, mut rejected) = (0, 0, 0);
    for round in 0..400 {
        let text = mutated(&mut dice, WILD);
        let read = || block_on(Feed::new(text).page(PassKind::Full, now(), None));
        let Ok(page) = within(20, &format!("round {round}"), read) else { continue };
        taken += 1;
        for item in &page.items {
            let Item::Put(raw) = item else { continue };
            match within(20, &format!("round {round}"), || normalize(raw)) {
                Ok(found) => {
                    records += found.len();
                    assert_eq!(normalize(raw).as_ref(), Ok(&found), "round {round}");
                    let keys: std::collections::BTreeSet<&str> = found.iter().map(|r| r.get_key()).collect();
                    assert_eq!(keys.len(), found.len(), "round {round}: keys are not unique");
                }
                Err(_) => rejected += 1,
            }
        }
    }
    assert!(
        taken > 300 && records > 5000 && rejected > 100,
        "{taken} files, {records} records, {rejected} rejected"
    );
}

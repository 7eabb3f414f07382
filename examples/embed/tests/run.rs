//! The program runs by itself and says what came.

use std::process::Command;

#[test]
fn the_program_syncs_twice_and_shows_what_came() {
    let output = Command::new(env!("CARGO_BIN_EXE_embed")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();

    let new = |line: &str| line.split(' ').rev().nth(2)?.parse::<u64>().ok();
    assert!(lines[0].starts_with("The first sync:") && new(lines[0]) > Some(200), "{text}");
    assert!(lines[1].starts_with("The second sync:") && new(lines[1]) == Some(0), "{text}");

    let newest = &lines[2..7];
    assert!(newest.iter().all(|line| line.contains(": ")), "{text}");
    assert!(newest.is_sorted_by(|a, b| a[..10] >= b[..10]), "{text}");

    // Two years touch 24 or 25 months; at either end there may be one without a distance yet.
    let months = &lines[7..];
    assert!((23..=25).contains(&months.len()) && months.is_sorted(), "{text}");
    assert!(months.iter().all(|line| line.ends_with(" km") && !line.ends_with(" 0.0 km")), "{text}");
    assert!(months[months.len() - 1][..7] <= newest[0][..7], "{text}");
}

//! The program runs by itself and prints pages of records of every stream.

use std::process::Command;

use lifehub_core::connector::Connector;
use lifehub_spotify::Spotify;

#[test]
fn the_program_prints_the_records_of_each_page() {
    let output = Command::new(env!("CARGO_BIN_EXE_pages")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    for stream in &Spotify.manifest().streams {
        let heads = text.lines().filter(|line| line.starts_with(&format!("{} ", stream.name)));
        assert!(heads.count() >= 1, "no page of {}", stream.name);
    }
    let records: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert!(records.len() > 100 && records.iter().any(|line| line.starts_with("play {")), "{text}");
    assert!(records.iter().all(|line| line.starts_with("play {") || line.starts_with("custom {")), "{text}");
}

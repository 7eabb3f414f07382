//! The figures as a table for people.

use std::fmt::Write as _;

use crate::cli::{Pass, Program};
use crate::figures::{Measured, Row, Scenario, Setting};
use crate::reach::beside;

/// The whole report.
pub(crate) fn of(measured: &Measured) -> String {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = write(&mut text, measured);
    text
}

fn write(out: &mut String, measured: &Measured) -> std::fmt::Result {
    let m = &measured.machine;
    let server = m.server.as_ref().map(|server| format!("; {server}")).unwrap_or_default();
    writeln!(
        out,
        "{}, {} cores, {} GiB, {}, {}{server}; {}, {} build",
        m.cpu, m.cores, m.memory_gib, m.kernel, m.file_system, m.rustc, m.build
    )?;
    let rounds = measured.scale.rounds;
    writeln!(
        out,
        "items of {} bytes; medians of {rounds} alternating rounds, one where so said",
        measured.item_bytes
    )?;
    let mut last = None;
    for row in &measured.rows {
        if last.replace(row.setting) != Some(row.setting) {
            writeln!(out, "\n{}", heading(&row.setting))?;
            writeln!(
                out,
                "  {:<10} {:<20} {:<8} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>10} {:>10} {:>9}",
                "",
                "",
                "",
                "items/s",
                "wall s",
                "CPU s",
                "client s",
                "server s",
                "peak MiB",
                "wall/floor",
                "CPU/floor",
                "provider"
            )?;
        }
        line(out, measured, row)?;
    }
    writeln!(
        out,
        "\nCPU is that of client and server together; `provider` is how much of a core it kept busy. Reaches:"
    )?;
    for reach in &measured.reaches {
        let mark = match (measured.judged, reach.met) {
            (false, _) => "not judged",
            (true, true) => "met",
            (true, false) => "MISSED",
        };
        writeln!(out, "  {mark:<10} {:>7.2}, at most {:>5}: {}", reach.value, reach.limit, reach.name)?;
    }
    // The table ends with its last line.
    out.truncate(out.trim_end().len());
    Ok(())
}

fn heading(setting: &Setting) -> String {
    let Setting { scenario, items, per_page, latency_ms } = setting;
    let at = format!("{items} items, {per_page} a page");
    match scenario {
        Scenario::Near => at,
        Scenario::Far => format!("{at}, {latency_ms} ms a request"),
        Scenario::Large => format!("{at}, one round"),
    }
}

fn line(out: &mut String, measured: &Measured, row: &Row) -> std::fmt::Result {
    let median = &row.median;
    let program = match row.program {
        Program::Lifehub => "lifehub",
        Program::Floor => "floor",
    };
    write!(
        out,
        "  {:<10} {:<20} {program:<8} {:>9.0} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {:>9.1}",
        row.database.title(),
        row.pass.title(),
        median.items_per_s,
        median.wall_s,
        median.cpu_s,
        median.client_s,
        median.server_s,
        median.peak_mib
    )?;
    match beside(&measured.rows, row).filter(|_| row.program == Program::Lifehub) {
        Some(floor) => write!(
            out,
            " {:>10.2} {:>10.2}",
            median.wall_s / floor.median.wall_s,
            median.cpu_s / floor.median.cpu_s
        )?,
        None => write!(out, " {:>10} {:>10}", "", "")?,
    }
    writeln!(out, " {:>8.0}%", median.provider_share * 100.0)?;
    if row.pass == Pass::Full
        && row.program == Program::Lifehub
        && let Some(first) = measured.rows.iter().find(|other| {
            (other.program, other.pass) == (Program::Floor, Pass::First)
                && (other.setting, other.database) == (row.setting, row.database)
        })
    {
        let ratio = median.cpu_s / first.median.cpu_s;
        writeln!(out, "  {:<31} {ratio:.2} of the CPU of the floor's first run", "")?;
    }
    Ok(())
}

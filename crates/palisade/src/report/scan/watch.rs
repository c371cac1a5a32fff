//! What a watcher tells, a line each.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use palisade_scan::watch::Event;
use palisade_scan::{Category, Severity};

use crate::report::text::printable;

const ALARM: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// The most findings of an event that the text shows.
const FINDINGS: usize = 6;

/// Writes events for people: a line each, and a line for each finding that
/// matters.
pub(crate) fn text(events: &[Event], out: &mut dyn Write) -> io::Result<()> {
    for event in events {
        let version = event.version.as_ref().map(ToString::to_string);
        let package = format!("{} {}", event.name, version.unwrap_or_default());
        write!(
            out,
            "{} {:<10} {}",
            event.at,
            event.kind.as_str(),
            printable(package.trim_end())
        )?;
        if let Some(reason) = &event.failed {
            writeln!(out, ": not scanned: {}", printable(reason))?;
            continue;
        }
        match event.risk {
            Some(risk) if event.alarm => writeln!(out, ": {ALARM}alarm{ALARM:#}, risk {risk}")?,
            Some(risk) => writeln!(out, ": risk {risk}")?,
            None => writeln!(out)?,
        }
        let findings = event.findings.iter().filter(|finding| {
            finding.category != Category::Hygiene
                && (finding.severity >= Severity::Medium || event.alarm)
        });
        for finding in findings.take(FINDINGS) {
            writeln!(
                out,
                "  {:<8} {}{DIM}  {}{DIM:#}",
                finding.severity.as_str(),
                printable(&finding.message),
                finding.detector
            )?;
        }
    }
    Ok(())
}

/// Writes events for programs: a JSON object a line, as in the journal.
pub(crate) fn json(events: &[Event], out: &mut dyn Write) -> io::Result<()> {
    for event in events {
        serde_json::to_writer(&mut *out, event)?;
        writeln!(out)?;
    }
    Ok(())
}

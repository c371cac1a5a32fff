//! What changed between two versions.

use std::io::{self, Write};

use clap::builder::styling::Style;
use palisade_scan::{Diff, Report, Severity};
use serde::Serialize;

use super::json::{JsonTarget, target};
use super::text::findings;
use crate::report::text::printable;

const BOLD: Style = Style::new().bold();

/// Writes the changes for people, and then what the scan says about them.
pub(crate) fn text(diff: &Diff, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (old, new) = (&diff.old, &diff.new);
    let title = format!("{} {} -> {} {}", old.0, old.1, new.0, new.1);
    writeln!(out, "{BOLD}{}{BOLD:#}", printable(&title))?;
    for change in &diff.changes {
        writeln!(
            out,
            "  {:<14}{}",
            change.kind.as_str(),
            printable(&change.text)
        )?;
    }
    if diff.changes.is_empty() {
        writeln!(out, "  nothing that matters has changed")?;
    }
    writeln!(out)?;
    findings(report, Severity::Low, out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    old: JsonVersion<'a>,
    new: JsonVersion<'a>,
    changes: Vec<JsonChange<'a>>,
    scan: JsonTarget<'a>,
}

#[derive(Serialize)]
struct JsonVersion<'a> {
    name: &'a str,
    version: String,
}

#[derive(Serialize)]
struct JsonChange<'a> {
    kind: &'static str,
    text: &'a str,
}

/// Writes the changes for programs.
pub(crate) fn json(diff: &Diff, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    fn version((name, version): &(String, impl ToString)) -> JsonVersion<'_> {
        JsonVersion {
            name,
            version: version.to_string(),
        }
    }
    let changes = diff.changes.iter();
    let document = Document {
        schema: 1,
        old: version(&diff.old),
        new: version(&diff.new),
        changes: changes
            .map(|change| JsonChange {
                kind: change.kind.as_str(),
                text: &change.text,
            })
            .collect(),
        scan: target(report),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

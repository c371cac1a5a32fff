//! What `scan` looks for.

use std::io::{self, Write};

use clap::builder::styling::Style;
use palisade_scan::Rule;

const BOLD: Style = Style::new().bold();

/// Writes a line for each detector.
pub(crate) fn list(rules: &[&Rule], out: &mut dyn Write) -> io::Result<()> {
    for rule in rules {
        writeln!(
            out,
            "{BOLD}{:<34}{BOLD:#} {:<10} {:<8} {}",
            rule.id,
            rule.category.as_str(),
            rule.severity.as_str(),
            rule.summary().trim()
        )?;
    }
    Ok(())
}

/// Writes a detector's documentation.
pub(crate) fn explain(rule: &Rule, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{BOLD}{}{BOLD:#} ({}, {}, {} confidence, {})\n",
        rule.id,
        rule.category.as_str(),
        rule.severity.as_str(),
        rule.confidence.as_str(),
        rule.lifecycle.as_str()
    )?;
    for line in rule.documentation.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match line.strip_prefix("## ") {
            Some(heading) => writeln!(out, "{BOLD}{heading}{BOLD:#}")?,
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

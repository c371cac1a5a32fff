//! Scores: the two numbers, and what the second is made of.

use std::io::{self, Write};

use clap::builder::styling::Style;
use palisade_scan::{Check, Report};
use serde::Serialize;

use crate::report::text::printable;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Writes the scores for people.
pub(crate) fn text(reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
    for report in reports {
        let package = format!("{} {}", report.name, report.version);
        writeln!(out, "{BOLD}{}{BOLD:#}", printable(&package))?;
        writeln!(out, "  risk of malice {:>5} of 100", report.risk)?;
        writeln!(out, "  hygiene        {:>5.1} of 10", report.hygiene.score)?;
        for check in &report.hygiene.checks {
            let score = check
                .score
                .map_or("  -".to_owned(), |score| format!("{score:>3}"));
            writeln!(
                out,
                "    {score}  {:<24} {}",
                check.id,
                printable(&check.reason)
            )?;
            if !check.improve.is_empty() {
                writeln!(out, "         {DIM}{:<24} {}{DIM:#}", "", check.improve)?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    targets: Vec<Target<'a>>,
}

#[derive(Serialize)]
struct Target<'a> {
    name: &'a str,
    version: String,
    risk: u8,
    hygiene: f64,
    checks: &'a [Check],
}

/// Writes the scores for programs.
pub(crate) fn json(reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
    let targets = reports.iter().map(|report| Target {
        name: &report.name,
        version: report.version.to_string(),
        risk: report.risk,
        hygiene: report.hygiene.score,
        checks: &report.hygiene.checks,
    });
    let document = Document {
        schema: 1,
        targets: targets.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// A badge with the hygiene score, as an SVG image.
pub(crate) fn badge(report: &Report) -> String {
    let score = report.hygiene.score;
    let colour = match score {
        8.0.. => "#3c7d3c",
        6.0.. => "#7a7a1f",
        4.0.. => "#a8641a",
        _ => "#a83232",
    };
    // Only numbers of ours go in: a name could be markup.
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"124\" height=\"20\" role=\"img\" aria-label=\"hygiene: {score:.1} of 10\">\
         <title>hygiene: {score:.1} of 10</title>\
         <rect width=\"70\" height=\"20\" fill=\"#444\"/><rect x=\"70\" width=\"54\" height=\"20\" fill=\"{colour}\"/>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\" text-anchor=\"middle\">\
         <text x=\"35\" y=\"14\">hygiene</text><text x=\"97\" y=\"14\">{score:.1}/10</text></g></svg>\n"
    )
}

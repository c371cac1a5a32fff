//! For people: each finding as the compiler would show it.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use clap::builder::styling::Style;
use palisade_scan::{Finding, Report, Severity};

use super::ScanView;
use crate::report::text::printable;

const BOLD: Style = Style::new().bold();

/// Writes the findings, package by package, and the summary.
pub(crate) fn render(view: &ScanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    for report in view.reports {
        findings(report, view.show, out)?;
    }
    for (target, reason) in view.failed {
        writeln!(
            out,
            "{BOLD}not scanned{BOLD:#}: {}: {}",
            printable(target),
            printable(reason)
        )?;
    }
    if !view.missing.is_empty() {
        writeln!(
            out,
            "{BOLD}not fetched{BOLD:#}: {}",
            printable(&view.missing.join(", "))
        )?;
    }
    writeln!(out, "{}", summary(view))
}

/// Writes a package's findings that are severe enough, and then its scores.
pub(super) fn findings(report: &Report, show: Severity, out: &mut dyn Write) -> io::Result<()> {
    let package = format!("{} {}", report.name, report.version);
    let mut shown = 0;
    for finding in &report.findings {
        if finding.suppressed.is_some() || finding.severity < show {
            continue;
        }
        shown += 1;
        writeln!(out, "{}\n", rendered(&package, finding))?;
    }
    if shown > 0 {
        writeln!(
            out,
            "{BOLD}{}{BOLD:#}: risk of malice {} of 100, hygiene {:.1} of 10{}\n",
            printable(&package),
            report.risk,
            report.hygiene.score,
            if report.complete {
                ""
            } else {
                ", not fully scanned"
            }
        )?;
    }
    Ok(())
}

fn rendered(package: &str, finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Critical | Severity::High => Level::ERROR,
        Severity::Medium => Level::WARNING,
        Severity::Low => Level::NOTE,
    };
    let title = printable(&finding.message);
    // The texts that snippets borrow.
    let places: Vec<(String, String, String)> = finding
        .places
        .iter()
        .map(|place| {
            let path = format!("{package}/{}", place.file);
            (
                printable(&path),
                printable(&place.text),
                printable(&place.label),
            )
        })
        .collect();
    let rating = format!(
        "{} severity, {} confidence; `palisade rules explain {}` says more",
        finding.severity.as_str(),
        finding.confidence.as_str(),
        finding.detector
    );
    let reached = finding.reached.as_ref().map(|reach| {
        printable(&format!(
            "reached from {}: {}",
            reach.from,
            reach.chain.join(" -> ")
        ))
    });
    let mut group: Group<'_> = level
        .primary_title(&title)
        .id(&finding.detector)
        .elements(Vec::<Origin<'_>>::new());
    if places.is_empty() {
        group = group.element(Origin::path(package));
    }
    for (index, (place, (path, text, label))) in finding.places.iter().zip(&places).enumerate() {
        if text.is_empty() {
            group = group.element(Origin::path(path.as_str()));
            if !label.is_empty() {
                group = group.element(Level::NOTE.message(label.as_str()));
            }
            continue;
        }
        let kind = if index == 0 {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let byte = |column: u32| {
            text.char_indices()
                .nth(column as usize)
                .map_or(text.len(), |(at, _)| at)
        };
        let span = byte(place.columns.0)..byte(place.columns.1);
        group = group.element(
            Snippet::source(text.as_str())
                .line_start(place.line as usize)
                .path(path.as_str())
                .annotation(kind.span(span).label(label.as_str())),
        );
    }
    if let Some(reached) = &reached {
        group = group.element(Level::NOTE.message(reached.as_str()));
    }
    group = group.element(Level::NOTE.message(rating.as_str()));
    Renderer::styled().render(&[group])
}

fn summary(view: &ScanView<'_>) -> String {
    let count = |number: usize, one: &str, many: &str| {
        format!("{number} {}", if number == 1 { one } else { many })
    };
    let all = || view.reports.iter().flat_map(|report| &report.findings);
    let open = || all().filter(|finding| finding.suppressed.is_none());
    let severities = Severity::ALL.iter().rev().filter_map(|severity| {
        let number = open()
            .filter(|finding| finding.severity == *severity)
            .count();
        (number > 0).then(|| format!("{number} {}", severity.as_str()))
    });
    let severities: Vec<String> = severities.collect();
    let findings = open().count();
    let mut text = count(view.reports.len(), "package scanned", "packages scanned");
    text.push_str("; ");
    if findings == 0 {
        text.push_str("no findings");
    } else {
        text.push_str(&format!(
            "{}: {}",
            count(findings, "finding", "findings"),
            severities.join(", ")
        ));
    }
    let hidden = open()
        .filter(|finding| finding.severity < view.show)
        .count();
    if hidden > 0 {
        text.push_str(&format!(" ({hidden} not shown; --show low shows them)"));
    }
    let suppressed = all().count() - findings;
    if suppressed > 0 {
        text.push_str(&format!(", {suppressed} suppressed"));
    }
    let incomplete = view
        .reports
        .iter()
        .filter(|report| !report.complete)
        .count();
    if incomplete > 0 {
        text.push_str(&format!("; {incomplete} not fully scanned"));
    }
    if !view.failed.is_empty() {
        text.push_str(&format!("; {} could not be scanned", view.failed.len()));
    }
    if !view.missing.is_empty() {
        text.push_str(&format!("; {} not fetched", view.missing.len()));
    }
    text
}

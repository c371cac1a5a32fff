//! For people: per advisory the verdict, the evidence and the remedy.
//!
//! The most urgent comes first, and targets that share a verdict share a
//! block. Colour only repeats what the words say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use palisade_advisory::{Advisory, VersionRange};
use palisade_model::{Context, Finding, Hop, Kind, Level, Verdict};

use super::view::hop_location;
use super::{View, remedy_text};

/// Widest column of function names before the places.
const WIDEST_NAME: usize = 64;

/// Most blind spots shown per finding.
const MOST_BLIND_SPOTS: usize = 5;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Writes the findings, most urgent first, and the summary line.
pub(crate) fn render(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    for block in blocks(view) {
        write_block(view, &block, out)?;
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(view))
}

/// Writes everything about one advisory: its findings, the functions that it
/// names, and its own text.
pub(crate) fn explain(view: &View<'_>, advisory: &Advisory, out: &mut dyn Write) -> io::Result<()> {
    if view.report.findings.is_empty() {
        let subject = format!("{}: {}", advisory.id, advisory.title);
        writeln!(out, "{BOLD}{}{BOLD:#}", printable(&subject))?;
        writeln!(
            out,
            "  it does not apply to any locked version of {}",
            printable(&advisory.package)
        )?;
        writeln!(out)?;
    }
    for block in blocks(view) {
        write_block(view, &block, out)?;
        writeln!(out)?;
    }
    line(out, "date", &advisory.date.to_string())?;
    let ranges = |ranges: &[VersionRange]| match ranges {
        [] => "none".to_owned(),
        ranges => ranges
            .iter()
            .map(VersionRange::as_str)
            .collect::<Vec<_>>()
            .join(", "),
    };
    line(
        out,
        "fixed",
        &printable(&ranges(&advisory.versions.patched)),
    )?;
    if !advisory.versions.unaffected.is_empty() {
        line(
            out,
            "never",
            &printable(&ranges(&advisory.versions.unaffected)),
        )?;
    }
    for function in &advisory.functions {
        line(out, "names", &printable(&function.text))?;
    }
    writeln!(out)?;
    for text in advisory.description.lines() {
        writeln!(out, "{}", printable(text))?;
    }
    Ok(())
}

/// Findings that differ in nothing but their target.
struct Block<'a> {
    finding: &'a Finding,
    targets: Vec<&'a str>,
}

fn blocks<'a>(view: &View<'a>) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for finding in &view.report.findings {
        let same = blocks.iter_mut().find(|block| {
            let other = block.finding;
            (
                &other.id,
                &other.package,
                other.level,
                other.verdict,
                other.context,
            ) == (
                &finding.id,
                &finding.package,
                finding.level,
                finding.verdict,
                finding.context,
            ) && other.ignored == finding.ignored
        });
        match same {
            Some(block) => block.targets.push(&finding.target),
            None => blocks.push(Block {
                finding,
                targets: vec![&finding.target],
            }),
        }
    }
    blocks
}

/// The verdict in words, with its colour.
fn headline(finding: &Finding) -> (Style, &'static str) {
    let colour = |colour: AnsiColor| colour.on_default().bold();
    if finding.ignored.is_some() {
        return (DIM, "ignored");
    }
    match (finding.verdict, finding.context) {
        (Verdict::Reached, Context::Run) => (colour(AnsiColor::Red), "reached"),
        (Verdict::Reached, Context::Build) if finding.blind_spots.is_empty() => {
            (colour(AnsiColor::Red), "reached at build time")
        }
        (Verdict::Reached, Context::Build) => (
            colour(AnsiColor::Red),
            "reached at build time, possibly at run time too",
        ),
        (Verdict::Unknown, _) => (colour(AnsiColor::Yellow), "unknown"),
        (Verdict::NotReached, _) => (colour(AnsiColor::Green), "not reached"),
    }
}

fn write_block(view: &View<'_>, block: &Block<'_>, out: &mut dyn Write) -> io::Result<()> {
    let finding = block.finding;
    let (style, verdict) = headline(finding);
    writeln!(
        out,
        "{style}{verdict}{style:#}{BOLD}: {}: {}{BOLD:#}",
        printable(&finding.id),
        printable(&finding.title)
    )?;
    line(out, "package", &package(finding))?;
    let targets: Vec<&str> = block
        .targets
        .iter()
        .copied()
        .filter(|target| !target.is_empty())
        .collect();
    if !targets.is_empty() {
        line(out, "targets", &targets.join(", "))?;
    }
    line(out, "reason", &printable(&finding.reason))?;
    if let Some(reason) = &finding.ignored {
        line(out, "ignored", &printable(reason))?;
    }
    if !finding.missing_functions.is_empty() {
        let names = some_of(&finding.missing_functions);
        line(
            out,
            "warning",
            &format!("this version does not have {}", printable(&names)),
        )?;
    }
    for path in finding.paths.iter().take(view.paths) {
        write_path(view, path, out)?;
    }
    write_blind_spots(view, finding, out)?;
    line(
        out,
        "remedy",
        &printable(&remedy_text(&finding.remedy, view.project)),
    )?;
    if let Some(url) = &finding.url {
        line(out, "see", &printable(url))?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    writeln!(out, "  {DIM}{label:>7}:{DIM:#} {text}")
}

fn package(finding: &Finding) -> String {
    let mut words = vec![finding.kind.as_str().to_owned()];
    if finding.level == Level::Required {
        words.push("required only".to_owned());
    } else if finding.context == Context::Build && finding.verdict != Verdict::Reached {
        words.push("used at build time".to_owned());
    }
    words.extend(finding.aliases.iter().cloned());
    printable(&format!("{} ({})", finding.package, words.join(", ")))
}

/// One witness path, a line per function.
pub(crate) fn write_path(view: &View<'_>, path: &[Hop], out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> = path
        .iter()
        .map(|hop| printable(&hop.function.path))
        .collect();
    let width = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        .min(WIDEST_NAME);
    for (index, (hop, name)) in path.iter().zip(&names).enumerate() {
        let label = if index == 0 { "path:" } else { "" };
        let place = match hop_location(hop) {
            Some(location) => printable(&view.place(location, &hop.function)),
            None => String::new(),
        };
        // Direct calls are the rule; only what is not one needs saying.
        let how = match hop.dispatch {
            None | Some("static") => String::new(),
            Some(dispatch) => format!(" ({dispatch})"),
        };
        let text = format!("{name:width$}  {DIM}{place}{how}{DIM:#}");
        writeln!(out, "  {DIM}{label:>8}{DIM:#} {}", text.trim_end())?;
    }
    Ok(())
}

fn write_blind_spots(view: &View<'_>, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let spots = finding
        .blind_spots
        .iter()
        .filter_map(|&index| view.report.blind_spots.get(index));
    let mut shown = 0;
    for spot in spots {
        shown += 1;
        if shown > MOST_BLIND_SPOTS {
            continue;
        }
        let place = view.plain_place(&spot.location);
        line(
            out,
            "because",
            &printable(&format!(
                "{}: {} at {place}",
                spot.cause.as_str(),
                spot.detail
            )),
        )?;
    }
    if shown > MOST_BLIND_SPOTS {
        line(
            out,
            "because",
            &format!("… and {} more", shown - MOST_BLIND_SPOTS),
        )?;
    }
    Ok(())
}

/// The summary line. It counts advisories per package, each by its most
/// urgent verdict over the targets.
pub(crate) fn summary(view: &View<'_>) -> String {
    let summary = &view.report.summary;
    let mut worst: BTreeMap<(&str, &palisade_model::Package), Verdict> = BTreeMap::new();
    let mut ignored = BTreeSet::new();
    let mut informational: BTreeMap<(&str, &palisade_model::Package), Kind> = BTreeMap::new();
    for finding in &view.report.findings {
        let key = (finding.id.as_str(), &finding.package);
        if finding.ignored.is_some() {
            ignored.insert(key);
        } else if finding.kind.is_informational() {
            informational.insert(key, finding.kind);
        } else {
            let verdict = worst.entry(key).or_insert(finding.verdict);
            *verdict = (*verdict).max(finding.verdict);
        }
    }
    let of = |verdict| worst.values().filter(|&&worst| worst == verdict).count();
    let scope = format!(
        "{} in {}{}",
        count(summary.advisories, "advisory", "advisories"),
        "the database",
        match summary.database_age_days {
            Some(0) => " (of today)".to_owned(),
            Some(days) => format!(
                " ({} old)",
                count(usize::try_from(days).unwrap_or(0), "day", "days")
            ),
            None => String::new(),
        }
    );
    let packages = count(summary.packages, "package", "packages");
    if view.report.findings.is_empty() {
        return format!("no advisory applies to {packages}; {scope}");
    }
    let mut parts = vec![
        format!("{} reached", of(Verdict::Reached)),
        format!("{} unknown", of(Verdict::Unknown)),
        format!("{} not reached", of(Verdict::NotReached)),
    ];
    if !informational.is_empty() {
        parts.push(format!("{} informational", informational.len()));
    }
    if !ignored.is_empty() {
        parts.push(format!("{} ignored", ignored.len()));
    }
    let mut text = format!("{}; {packages}", parts.join(", "));
    if !summary.targets.is_empty() {
        text.push_str(&format!(
            ", {}, {} walked",
            count(summary.targets.len(), "target", "targets"),
            count(summary.functions_reached, "function", "functions")
        ));
    }
    format!("{text}; {scope}")
}

/// The first few names, and how many more there are.
fn some_of(names: &[String]) -> String {
    const MOST: usize = 3;
    let first = names
        .iter()
        .take(MOST)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(MOST) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Text of strangers without what could steer a terminal or reorder its line.
pub(crate) fn printable(text: &str) -> String {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .map(|c| if steers(c) { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{project, rendered};
    use palisade_model::{Report, Summary};

    /// Guards what people read: order, blocks, paths, remedies and the summary
    /// line; and that a title cannot steer the terminal.
    #[test]
    fn report() {
        let text = anstream::adapter::strip_str(&rendered(render)).to_string();
        insta::assert_snapshot!(text, @"
        reached: RUSTSEC-2099-0001: The problem RUSTSEC-2099-0001
          package: demo 1.0.0 (vulnerability, CVE-2099-1)
          targets: bin:app, bin:tool
           reason: a call path leads to demo::f
             path: app::main    src/main.rs:4
                   app::report  src/my report.rs:9 (dyn)
                   demo::f      demo-1.0.0/src/lib.rs:20
           remedy: cargo update -p demo --precise 1.0.1
              see: https://rustsec.org/advisories/RUSTSEC-2099-0001.html

        unknown: RUSTSEC-2099-0002: The problem RUSTSEC-2099-0002
          package: macros 2.0.0+build (vulnerability)
          targets: bin:app
           reason: only through what could not be followed may macros::run be reached
          warning: this version does not have macros::old
          because: unexpanded-macro: macros::generate! at src/main.rs:12
           remedy: macros >=3.0.0 has the fix, but middle 0.2.0 requires macros ^2; update middle 0.2.0 first
              see: https://rustsec.org/advisories/RUSTSEC-2099-0002.html

        not reached: RUSTSEC-2099-0003: The problem RUSTSEC-2099-0003
          package: demo 1.0.0 (vulnerability)
          targets: bin:app
           reason: no call path leads to demo::f
           remedy: no fixed version exists
              see: https://rustsec.org/advisories/RUSTSEC-2099-0003.html

        not reached: RUSTSEC-2099-0004: The problem RUSTSEC-2099-0004
          package: windows-only 0.3.0 (vulnerability, required only)
           reason: the package is locked, but no part of the build
           remedy: update windows-only to ^0.3.1 or >=0.4.0
              see: https://rustsec.org/advisories/RUSTSEC-2099-0004.html

        reached at build time: RUSTSEC-2099-0005: old is �[31munmaintained�
          package: old 0.1.0 (unmaintained)
          targets: bin:app
           reason: no call path leads to demo::f
           remedy: no fixed version exists
              see: https://rustsec.org/advisories/RUSTSEC-2099-0005.html

        ignored: RUSTSEC-2099-0006: The problem RUSTSEC-2099-0006
          package: demo 1.0.0 (vulnerability)
          targets: bin:app
           reason: no call path leads to demo::f
          ignored: behind a proxy
           remedy: no fixed version exists
              see: https://rustsec.org/advisories/RUSTSEC-2099-0006.html

        1 reached, 1 unknown, 2 not reached, 1 informational, 1 ignored; 42 packages, 2 targets, 321 functions walked; 1200 advisories in the database (3 days old)
        ");
    }

    /// Guards the good news.
    #[test]
    fn nothing_applies() {
        let figures = Summary {
            packages: 1,
            advisories: 1200,
            database_age_days: Some(0),
            ..Summary::default()
        };
        let report = Report {
            summary: figures,
            ..Report::default()
        };
        let project = project();
        let view = View {
            report: &report,
            project: &project,
            paths: 1,
            timestamp: 0,
        };
        insta::assert_snapshot!(summary(&view), @"no advisory applies to 1 package; 1200 advisories in the database (of today)");
    }
}

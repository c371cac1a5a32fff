//! Advisories that cannot be read but are about a locked package.
//!
//! What such an advisory says is not known, so it stays *unknown*: leaving it
//! out would look like good news.

use std::collections::BTreeSet;

use camino::Utf8Path;
use palisade_advisory::{Database, DatabaseDiagnostic, Matches};
use palisade_model::{Context, Finding, Kind, Level, Package, Remedy, Verdict};

/// One finding per unreadable advisory and locked package.
pub(crate) fn findings(
    database: &Database,
    matches: &Matches,
    packages: &[Package],
) -> Vec<Finding> {
    if matches.diagnostics.is_empty() {
        return Vec::new();
    }
    let names: BTreeSet<&str> = matches
        .diagnostics
        .iter()
        .filter_map(|diagnostic| diagnostic.package.as_deref())
        .collect();
    // An advisory with one odd path is diagnosed too, but it was read.
    let (advisories, _) = database.advisories_for(names);
    let read: BTreeSet<&Utf8Path> = advisories
        .iter()
        .map(|advisory| advisory.file.as_path())
        .collect();
    let mut findings = Vec::new();
    for diagnostic in &matches.diagnostics {
        if read.contains(diagnostic.file.as_path()) {
            continue;
        }
        for package in packages {
            if package.source.is_crates_io() && diagnostic.package.as_ref() == Some(&package.name) {
                findings.push(finding(diagnostic, package));
            }
        }
    }
    findings
}

fn finding(diagnostic: &DatabaseDiagnostic, package: &Package) -> Finding {
    Finding {
        id: diagnostic
            .file
            .file_stem()
            .unwrap_or(diagnostic.file.as_str())
            .to_owned(),
        aliases: Vec::new(),
        title: "an advisory that cannot be read".to_owned(),
        url: None,
        kind: Kind::Vulnerability,
        package: package.clone(),
        target: String::new(),
        level: Level::Required,
        verdict: Verdict::Unknown,
        context: Context::Run,
        reason: format!("{}: {}", diagnostic.file, diagnostic.message),
        functions: Vec::new(),
        missing_functions: Vec::new(),
        paths: Vec::new(),
        blind_spots: Vec::new(),
        remedy: Remedy::Fixed {
            package: package.name.clone(),
            fixed: Vec::new(),
        },
        ignored: None,
    }
}

//! For code scanning: [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/).
//!
//! A result is placed in its package: `name-version/file`. Its fingerprint
//! depends on package, detector, file and the text of the line, so that it
//! stays the same result while other lines move.

use std::collections::BTreeMap;
use std::io::{self, Write};

use palisade_scan::{Finding, Report, Severity, rules};
use serde::Serialize;

use super::ScanView;
use crate::report::sarif_model::{
    ArtifactLocation, PhysicalLocation, Region, Rule, RuleProperties, SarifLocation, SarifResult,
    Suppression, fingerprint, log, message, uri_path,
};

#[derive(Serialize)]
struct Properties {
    package: String,
    category: &'static str,
    severity: &'static str,
    confidence: &'static str,
}

/// Writes one SARIF log with one run.
pub(crate) fn render(view: &ScanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let known = rules();
    let mut used: Vec<Rule> = Vec::new();
    let mut results = Vec::new();
    for report in view.reports {
        for finding in &report.findings {
            let rule_index = used
                .iter()
                .position(|rule| rule.id == finding.detector)
                .unwrap_or_else(|| {
                    let summary = known.iter().find(|rule| rule.id == finding.detector);
                    used.push(Rule {
                        id: finding.detector.clone(),
                        short_description: message(
                            summary.map_or("", |rule| rule.summary().trim()),
                        ),
                        help_uri: None,
                        properties: RuleProperties {
                            tags: vec!["security".to_owned(), finding.category.as_str().to_owned()],
                        },
                    });
                    used.len() - 1
                });
            results.push(result(report, finding, rule_index));
        }
    }
    let mut warnings = view.warnings.to_vec();
    let failed = view.failed.iter();
    warnings.extend(failed.map(|(target, reason)| format!("{target} was not scanned: {reason}")));
    warnings.extend(
        view.missing
            .iter()
            .map(|target| format!("{target} was not fetched")),
    );
    let log = log(used, results, BTreeMap::new(), &warnings);
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn result(report: &Report, finding: &Finding, rule_index: usize) -> SarifResult<Properties> {
    let package = format!("{}-{}", report.name, report.version);
    let place = |file: &str, line: u32, label: Option<&str>| SarifLocation {
        physical_location: Some(PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: uri_path(&format!("{package}/{file}")),
                uri_base_id: None,
            },
            region: Some(Region {
                start_line: line.max(1),
            }),
        }),
        logical_locations: Vec::new(),
        message: label.map(message),
    };
    let locations = match finding.places.first() {
        Some(first) => vec![place(&first.file, first.line, Some(&first.label))],
        None => vec![place("Cargo.toml", 1, None)],
    };
    let text = finding
        .places
        .first()
        .map_or("", |place| place.text.as_str());
    let suppressions = finding.suppressed.iter();
    SarifResult {
        rule_id: finding.detector.clone(),
        rule_index,
        level: match finding.severity {
            Severity::Critical | Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low => "note",
        },
        message: message(&format!("{package}: {}.", finding.message)),
        locations,
        partial_fingerprints: BTreeMap::from([(
            "palisade/v1",
            fingerprint([
                report.name.as_str(),
                &finding.detector,
                finding.file().unwrap_or_default(),
                text,
                &finding.message,
            ]),
        )]),
        code_flows: Vec::new(),
        suppressions: suppressions
            .map(|reason| Suppression {
                kind: "external",
                justification: reason.clone(),
            })
            .collect(),
        properties: Properties {
            package,
            category: finding.category.as_str(),
            severity: finding.severity.as_str(),
            confidence: finding.confidence.as_str(),
        },
    }
}

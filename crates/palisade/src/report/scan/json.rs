//! For programs: the scan as `docs/json.md` describes it.

use std::io::{self, Write};

use palisade_scan::{Finding, Provenance, Report};
use serde::Serialize;

use super::ScanView;

/// The version of the format. Fields may be added without changing it; it
/// changes when one is removed or means something else.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    targets: Vec<JsonTarget<'a>>,
    failed: Vec<JsonFailed<'a>>,
    missing: &'a [String],
    warnings: &'a [String],
}

/// One package, in the output of `diff` too.
#[derive(Serialize)]
pub(crate) struct JsonTarget<'a> {
    name: &'a str,
    version: String,
    target: &'a str,
    previous: Option<String>,
    risk: u8,
    hygiene: f64,
    complete: bool,
    followed_calls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<JsonProvenance<'a>>,
    findings: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
struct JsonProvenance<'a> {
    class: &'static str,
    commit: Option<&'a str>,
    dirty: bool,
    path: Option<&'a str>,
    repository: Option<&'a str>,
    reference: Option<&'a str>,
    same: usize,
    normalised: Vec<JsonNormalised<'a>>,
    differences: &'a [palisade_scan::FileDifference],
    unresolved: &'a [String],
}

#[derive(Serialize)]
struct JsonNormalised<'a> {
    path: &'a str,
    change: &'a str,
}

#[derive(Serialize)]
struct JsonFailed<'a> {
    target: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    detector: &'a str,
    category: &'static str,
    severity: &'static str,
    confidence: &'static str,
    file: Option<&'a str>,
    line: Option<u32>,
    message: &'a str,
    places: Vec<JsonPlace<'a>>,
    reached: Option<JsonReach<'a>>,
    suppressed: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonReach<'a> {
    from: &'a str,
    chain: &'a [String],
}

#[derive(Serialize)]
struct JsonPlace<'a> {
    file: &'a str,
    line: Option<u32>,
    label: &'a str,
    text: &'a str,
}

/// Writes one document.
pub(crate) fn render(view: &ScanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let failed = view.failed.iter();
    let document = Document {
        schema: SCHEMA,
        targets: view.reports.iter().map(target).collect(),
        failed: failed
            .map(|(target, reason)| JsonFailed { target, reason })
            .collect(),
        missing: view.missing,
        warnings: view.warnings,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

pub(crate) fn target(report: &Report) -> JsonTarget<'_> {
    JsonTarget {
        name: &report.name,
        version: report.version.to_string(),
        target: &report.target,
        previous: report.previous.as_ref().map(ToString::to_string),
        risk: report.risk,
        hygiene: report.hygiene.score,
        complete: report.complete,
        followed_calls: report.followed_calls,
        provenance: report.provenance.as_ref().map(provenance),
        findings: report.findings.iter().map(finding).collect(),
    }
}

fn provenance(provenance: &Provenance) -> JsonProvenance<'_> {
    let revision = provenance.revision.as_ref();
    let normalised = provenance.normalised.iter();
    JsonProvenance {
        class: provenance.class.as_str(),
        commit: revision.map(|revision| revision.commit.as_str()),
        dirty: revision.is_some_and(|revision| revision.dirty),
        path: revision.and_then(|revision| revision.path.as_deref()),
        repository: provenance.repository.as_deref(),
        reference: provenance.reference.as_deref(),
        same: provenance.same,
        normalised: normalised
            .map(|(path, change)| JsonNormalised { path, change })
            .collect(),
        differences: &provenance.differences,
        unresolved: &provenance.unresolved,
    }
}

fn finding(finding: &Finding) -> JsonFinding<'_> {
    let places = finding.places.iter().map(|place| JsonPlace {
        file: &place.file,
        line: (place.line > 0).then_some(place.line),
        label: &place.label,
        text: &place.text,
    });
    JsonFinding {
        detector: &finding.detector,
        category: finding.category.as_str(),
        severity: finding.severity.as_str(),
        confidence: finding.confidence.as_str(),
        file: finding.file(),
        line: finding.line(),
        message: &finding.message,
        places: places.collect(),
        reached: finding.reached.as_ref().map(|reach| JsonReach {
            from: &reach.from,
            chain: &reach.chain,
        }),
        suppressed: finding.suppressed.as_deref(),
    }
}

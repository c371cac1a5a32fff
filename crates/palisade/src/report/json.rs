//! For programs: the report as `docs/json.md` describes it.

use std::io::{self, Write};

use palisade_model::{BlindSpot, Finding, Hop, Remedy, Summary};
use serde::Serialize;

use super::view::hop_location;
use super::{View, remedy_command, remedy_text};

/// The version of the format. Fields may be added without changing it; it
/// changes when one is removed or means something else.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    findings: Vec<JsonFinding<'a>>,
    blind_spots: Vec<JsonBlindSpot<'a>>,
    warnings: &'a [String],
    summary: JsonSummary<'a>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    id: &'a str,
    aliases: &'a [String],
    title: &'a str,
    url: Option<&'a str>,
    kind: &'static str,
    package: &'a str,
    version: String,
    target: &'a str,
    level: &'static str,
    verdict: &'static str,
    context: &'static str,
    reason: &'a str,
    functions: &'a [String],
    missing_functions: &'a [String],
    paths: Vec<Vec<JsonHop<'a>>>,
    blind_spots: &'a [usize],
    remedy: JsonRemedy<'a>,
    ignored: Option<&'a str>,
}

/// One step of a path, in `why`'s output too.
#[derive(Serialize)]
pub(crate) struct JsonHop<'a> {
    #[serde(rename = "crate")]
    crate_name: &'a str,
    version: Option<&'a str>,
    function: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    dispatch: Option<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct JsonBlindSpot<'a> {
    file: &'a str,
    line: u32,
    cause: &'static str,
    detail: &'a str,
    may_reach: &'a [String],
}

#[derive(Serialize)]
struct JsonRemedy<'a> {
    kind: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixed: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_by: Option<JsonBlocker<'a>>,
}

#[derive(Serialize)]
struct JsonBlocker<'a> {
    parent: &'a str,
    requirement: &'a str,
}

#[derive(Serialize)]
struct JsonSummary<'a> {
    packages: usize,
    advisories: usize,
    database_age_days: Option<i64>,
    targets: &'a [String],
    functions_reached: usize,
    reached: usize,
    not_reached: usize,
    unknown: usize,
    informational: usize,
    ignored: usize,
}

/// Writes one JSON document.
pub(crate) fn render(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let report = view.report;
    let document = Document {
        schema: SCHEMA,
        findings: report
            .findings
            .iter()
            .map(|finding| json_finding(view, finding))
            .collect(),
        blind_spots: report.blind_spots.iter().map(blind_spot).collect(),
        warnings: &report.warnings,
        summary: summary(&report.summary),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn json_finding<'a>(view: &View<'a>, finding: &'a Finding) -> JsonFinding<'a> {
    JsonFinding {
        id: &finding.id,
        aliases: &finding.aliases,
        title: &finding.title,
        url: finding.url.as_deref(),
        kind: finding.kind.as_str(),
        package: &finding.package.name,
        version: finding.package.version.to_string(),
        target: &finding.target,
        level: finding.level.as_str(),
        verdict: finding.verdict.as_str(),
        context: finding.context.as_str(),
        reason: &finding.reason,
        functions: &finding.functions,
        missing_functions: &finding.missing_functions,
        paths: finding
            .paths
            .iter()
            .take(view.paths)
            .map(|path| hops(path))
            .collect(),
        blind_spots: &finding.blind_spots,
        remedy: remedy(view, &finding.remedy),
        ignored: finding.ignored.as_deref(),
    }
}

/// A path, hop by hop.
pub(crate) fn hops(path: &[Hop]) -> Vec<JsonHop<'_>> {
    path.iter().map(json_hop).collect()
}

fn json_hop(hop: &Hop) -> JsonHop<'_> {
    let location = hop_location(hop);
    JsonHop {
        crate_name: &hop.function.crate_name,
        version: hop.function.version.as_deref(),
        function: &hop.function.path,
        file: location.map(|location| location.file.as_str()),
        line: location.map(|location| location.line),
        dispatch: hop.dispatch,
    }
}

/// A blind spot, in `why`'s output too.
pub(crate) fn blind_spot(spot: &BlindSpot) -> JsonBlindSpot<'_> {
    JsonBlindSpot {
        file: &spot.location.file,
        line: spot.location.line,
        cause: spot.cause.as_str(),
        detail: &spot.detail,
        may_reach: &spot.may_reach,
    }
}

fn remedy<'a>(view: &View<'_>, remedy: &'a Remedy) -> JsonRemedy<'a> {
    let mut json = JsonRemedy {
        kind: "none",
        text: remedy_text(remedy, view.project),
        command: remedy_command(remedy, view.project),
        to: None,
        fixed: Vec::new(),
        blocked_by: None,
    };
    match remedy {
        Remedy::Update { to, .. } => {
            json.kind = "update";
            json.to = Some(to.to_string());
        }
        Remedy::Blocked {
            fixed,
            parent,
            requirement,
            ..
        } => {
            json.kind = "blocked";
            json.fixed = vec![fixed];
            json.blocked_by = Some(JsonBlocker {
                parent,
                requirement,
            });
        }
        Remedy::Fixed { fixed, .. } => {
            json.kind = "fixed";
            json.fixed = fixed.iter().map(String::as_str).collect();
        }
        Remedy::Toolchain { fixed } => {
            json.kind = "toolchain";
            json.fixed = fixed.iter().map(String::as_str).collect();
        }
        Remedy::None => {}
    }
    json
}

fn summary(summary: &Summary) -> JsonSummary<'_> {
    JsonSummary {
        packages: summary.packages,
        advisories: summary.advisories,
        database_age_days: summary.database_age_days,
        targets: &summary.targets,
        functions_reached: summary.functions_reached,
        reached: summary.reached,
        not_reached: summary.not_reached,
        unknown: summary.unknown,
        informational: summary.informational,
        ignored: summary.ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::rendered;

    /// Guards the documented format: every field of every kind of finding.
    #[test]
    fn report() {
        insta::assert_snapshot!(rendered(render));
    }
}

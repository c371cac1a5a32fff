//! For code scanning: [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/).
//!
//! A finding that is reached is placed where the workspace's own code starts
//! the path, which is the line that a reviewer can change; every other finding
//! is placed at the package's entry in the lockfile. Witness paths are code
//! flows. Fingerprints depend on advisory, package and target only, so that a
//! result stays the same result while the code around it moves.

use std::collections::BTreeMap;
use std::io::{self, Write};

use palisade_model::{Finding, Hop, Level, Verdict};
use serde::Serialize;

use super::sarif_model::{
    self, ArtifactLocation, CodeFlow, FlowLocation, LogicalLocation, PhysicalLocation, Region,
    Rule, RuleProperties, SarifLocation, SarifResult, Suppression, ThreadFlow, UriBase, file_uri,
    log, message, uri_path,
};
use super::view::hop_location;
use super::{View, purl, remedy_text};

/// The name that relative files are resolved against.
const ROOT: &str = "SRCROOT";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultProperties {
    package: String,
    target: String,
    verdict: &'static str,
    reachability_level: &'static str,
    context: &'static str,
    remedy: String,
}

/// Writes one SARIF log with one run.
pub(crate) fn render(view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut results = Vec::new();
    for finding in &view.report.findings {
        let rule_index = rules
            .iter()
            .position(|rule| rule.id == finding.id)
            .unwrap_or_else(|| {
                rules.push(rule(finding));
                rules.len() - 1
            });
        results.push(result(view, finding, rule_index));
    }
    let root = UriBase {
        uri: format!("{}/", file_uri(view.project.root.as_str())),
    };
    let bases = BTreeMap::from([(ROOT, root)]);
    let log = log(rules, results, bases, &view.report.warnings);
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn rule(finding: &Finding) -> Rule {
    let mut tags = vec!["security".to_owned(), finding.kind.as_str().to_owned()];
    tags.extend(finding.aliases.iter().cloned());
    Rule {
        id: finding.id.clone(),
        short_description: message(&finding.title),
        help_uri: finding.url.clone(),
        properties: RuleProperties { tags },
    }
}

fn result(view: &View<'_>, finding: &Finding, rule_index: usize) -> SarifResult<ResultProperties> {
    let remedy = remedy_text(&finding.remedy, view.project);
    let text = format!(
        "{}: {} ({}: {}). Remedy: {remedy}.",
        finding.package,
        finding.title,
        finding.verdict.as_str(),
        finding.reason
    );
    let suppressions = finding.ignored.iter();
    let suppressions = suppressions.map(|reason| Suppression {
        kind: "external",
        justification: reason.clone(),
    });
    SarifResult {
        rule_id: finding.id.clone(),
        rule_index,
        level: level(finding),
        message: message(&text),
        locations: vec![place(view, finding)],
        partial_fingerprints: BTreeMap::from([("palisade/v1", fingerprint(finding))]),
        code_flows: finding
            .paths
            .iter()
            .take(view.paths)
            .map(|path| code_flow(view, path))
            .collect(),
        suppressions: suppressions.collect(),
        properties: ResultProperties {
            package: purl(&finding.package),
            target: finding.target.clone(),
            verdict: finding.verdict.as_str(),
            reachability_level: finding.level.as_str(),
            context: finding.context.as_str(),
            remedy,
        },
    }
}

fn level(finding: &Finding) -> &'static str {
    match (finding.verdict, finding.level) {
        (Verdict::Reached, _) if finding.kind.is_informational() => "warning",
        (Verdict::Reached, _) => "error",
        (Verdict::Unknown, _) => "warning",
        (Verdict::NotReached, Level::Required | Level::Imported | Level::Reached) => "note",
    }
}

/// Where to show the finding: at the last call in the workspace's own code,
/// else at the package's entry in the lockfile.
fn place(view: &View<'_>, finding: &Finding) -> SarifLocation {
    let own = finding.paths.first().and_then(|path| {
        path.iter().rfind(|hop| {
            hop_location(hop)
                .is_some_and(|location| artifact(view, &location.file).uri_base_id.is_some())
        })
    });
    if let Some(hop) = own {
        return hop_place(view, hop, false);
    }
    let lockfile = view.project.lockfile.as_str();
    SarifLocation {
        physical_location: Some(PhysicalLocation {
            artifact_location: artifact(view, lockfile),
            region: Some(Region {
                start_line: view.project.line(&finding.package).unwrap_or(1),
            }),
        }),
        logical_locations: Vec::new(),
        message: None,
    }
}

fn code_flow(view: &View<'_>, path: &[Hop]) -> CodeFlow {
    let locations = path.iter().map(|hop| FlowLocation {
        location: hop_place(view, hop, true),
    });
    CodeFlow {
        thread_flows: [ThreadFlow {
            locations: locations.collect(),
        }],
    }
}

fn hop_place(view: &View<'_>, hop: &Hop, with_message: bool) -> SarifLocation {
    let name = hop.function.path.clone();
    SarifLocation {
        physical_location: hop_location(hop).map(|location| PhysicalLocation {
            artifact_location: artifact(view, &location.file),
            region: Some(Region {
                start_line: location.line.max(1),
            }),
        }),
        message: with_message.then(|| message(&name)),
        logical_locations: vec![LogicalLocation {
            fully_qualified_name: name,
            kind: "function",
        }],
    }
}

fn artifact(view: &View<'_>, file: &str) -> ArtifactLocation {
    let path = camino::Utf8Path::new(file);
    let inside = match path.is_relative() {
        true => Some(path),
        false => path.strip_prefix(&view.project.root).ok(),
    };
    match inside {
        Some(inside) => ArtifactLocation {
            uri: uri_path(inside.as_str()),
            uri_base_id: Some(ROOT),
        },
        None => ArtifactLocation {
            uri: file_uri(file),
            uri_base_id: None,
        },
    }
}

fn fingerprint(finding: &Finding) -> String {
    sarif_model::fingerprint([
        finding.id.as_str(),
        &finding.package.name,
        &finding.package.version.to_string(),
        &finding.target,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::rendered;

    /// Guards places, code flows, levels, suppressions and fingerprints.
    #[test]
    fn report() {
        insta::assert_snapshot!(rendered(render));
    }

    /// Guards against output that code scanning would refuse.
    #[test]
    fn follows_the_schema() {
        let schema = include_str!("../../tests/schema/sarif-2.1.0.json");
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let log: serde_json::Value = serde_json::from_str(&rendered(render)).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&log)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new());
        // The schema refuses what it should, so that agreeing means something.
        let mut broken = log.clone();
        broken["runs"][0]["results"][0]["level"] = "fatal".into();
        assert!(!validator.is_valid(&broken));
    }

    /// Guards that fingerprints tell findings apart and nothing else.
    #[test]
    fn fingerprints() {
        let report = crate::report::testing::report();
        let [first, second, ..] = report.findings.as_slice() else {
            panic!("two findings")
        };
        assert_ne!(fingerprint(first), fingerprint(second), "two targets");
        let mut moved = first.clone();
        moved.paths.clear();
        moved.title.clear();
        assert_eq!(fingerprint(first), fingerprint(&moved));
    }
}

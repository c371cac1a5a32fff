//! Every detector finds what it is for, and stays silent where it has to.

use std::collections::BTreeSet;
use std::path::Path;

use palisade_scan::{Category, rules};

use crate::{fixture, scan, shown};

/// Guards each detector by its own file: true positives and true negatives,
/// with their severities. A detector without both is not finished.
#[test]
fn every_detector_has_fixtures_that_hold() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/detectors");
    let mut wrong = Vec::new();
    let mut documented = BTreeSet::new();
    for rule in rules() {
        // `secrets.rs` and `provenance.rs` make tokens and repositories when
        // they run.
        if rule.category == Category::Secret || crate::provenance::RULES.contains(&rule.id) {
            continue;
        }
        let path = directory.join(format!("{}.md", rule.id));
        documented.insert(path.clone());
        let Ok(markdown) = std::fs::read_to_string(&path) else {
            wrong.push(format!("{} is missing", path.display()));
            continue;
        };
        let fixtures = fixture::read(&markdown);
        let positive =
            |fixture: &fixture::Fixture| fixture.finds.iter().any(|(id, _)| id == rule.id);
        let negative = |fixture: &fixture::Fixture| fixture.silent.iter().any(|id| id == rule.id);
        if !fixtures.iter().any(positive) || !fixtures.iter().any(negative) {
            wrong.push(format!(
                "{} needs a true positive and a true negative",
                path.display()
            ));
        }
        for fixture in &fixtures {
            let report = scan(fixture);
            let found = |detector: &str| {
                let own = report
                    .findings
                    .iter()
                    .filter(|finding| finding.detector == detector);
                own.map(|finding| finding.severity).max()
            };
            for (detector, severity) in &fixture.finds {
                let actual = found(detector).map(|severity| severity.as_str());
                if actual != Some(severity) {
                    wrong.push(format!(
                        "{}: {}: expected {detector} {severity}, got {actual:?}\n{}",
                        rule.id,
                        fixture.title,
                        shown(&report)
                    ));
                }
            }
            for detector in &fixture.silent {
                if found(detector).is_some() {
                    wrong.push(format!(
                        "{}: {}: {detector} is not silent\n{}",
                        rule.id,
                        fixture.title,
                        shown(&report)
                    ));
                }
            }
        }
    }
    let files: BTreeSet<_> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let orphans: Vec<_> = files.difference(&documented).collect();
    assert!(orphans.is_empty(), "no detector is called so: {orphans:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

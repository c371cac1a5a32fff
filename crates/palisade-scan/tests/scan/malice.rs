//! Inert look-alikes of malicious crates, one for each mechanism, trigger,
//! obfuscation and evasion that is known.

use std::path::Path;

use palisade_scan::{Category, Severity};

use crate::{fixture, scan, shown};

/// Guards that none of them gets through: each has a finding of malice that is
/// high at least, or the finding that it asks for. `cargo xtask evaluate-scan` publishes the figures.
#[test]
fn none_gets_through() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/malice");
    let mut missed = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let markdown = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for fixture in fixture::read(&markdown) {
            count += 1;
            let report = scan(&fixture);
            let high = report.findings.iter().any(|finding| {
                finding.severity >= Severity::High && finding.category != Category::Secret
            });
            // A name alone is seldom evidence for more.
            let expected = !fixture.finds.is_empty()
                && fixture.finds.iter().all(|(detector, severity)| {
                    let own = |finding: &&palisade_scan::Finding| finding.detector == *detector;
                    report
                        .findings
                        .iter()
                        .filter(own)
                        .any(|finding| finding.severity.as_str() == severity)
                });
            let found = high || expected;
            if !found {
                missed.push(format!("{}\n{}", fixture.title, shown(&report)));
            }
        }
    }
    assert!(count >= 30, "{count}");
    assert!(
        missed.is_empty(),
        "{} of {count}\n{}",
        missed.len(),
        missed.join("\n")
    );
}

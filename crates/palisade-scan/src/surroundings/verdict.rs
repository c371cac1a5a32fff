//! Whether a vulnerable dependency matters, as a call graph says. The graph is
//! asked by whoever has one; here its answer becomes part of the report.

use crate::detectors::VULNERABLE_DEPENDENCY;
use crate::{Confidence, Report, Severity, risk};

/// What a call graph says about an advisory and a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DependencyVerdict {
    /// The package may reach a vulnerable function: the way there.
    Reached(String),
    /// It reaches none.
    NotReached,
    /// It cannot be told, and why.
    Unknown(String),
}

/// What a call graph said, by the finding's message: `reached`, `not reached`
/// or `unknown`; `None` where none was asked.
pub(crate) fn verdict_of(message: &str) -> Option<&'static str> {
    if message.contains("; reached: ") {
        Some("reached")
    } else if message.ends_with("; not reached") {
        Some("not reached")
    } else if message.contains("; unknown whether it is reached: ") {
        Some("unknown")
    } else {
        None
    }
}

impl Report {
    /// The advisories about this package's dependencies that wait for a
    /// verdict, each once.
    pub fn undecided_advisories(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .findings
            .iter()
            .filter(|finding| finding.detector == VULNERABLE_DEPENDENCY.id)
            .filter_map(|finding| Some(finding.message.split_once(" concerns ")?.0.to_owned()))
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Adds a verdict, and rates the report again: what is not reached is
    /// *low*, what is reached *high*.
    pub fn decide(&mut self, advisory: &str, verdict: &DependencyVerdict) {
        let about = format!("{advisory} concerns ");
        for finding in &mut self.findings {
            let is_it =
                finding.detector == VULNERABLE_DEPENDENCY.id && finding.message.starts_with(&about);
            if !is_it {
                continue;
            }
            match verdict {
                DependencyVerdict::Reached(path) => {
                    finding.severity = finding.severity.max(Severity::High);
                    finding.confidence = Confidence::Medium;
                    finding.message.push_str(&format!("; reached: {path}"));
                }
                DependencyVerdict::NotReached => {
                    finding.severity = Severity::Low;
                    finding.message.push_str("; not reached");
                }
                DependencyVerdict::Unknown(reason) => {
                    finding
                        .message
                        .push_str(&format!("; unknown whether it is reached: {reason}"));
                }
            }
        }
        self.risk = risk(&self.findings);
    }
}

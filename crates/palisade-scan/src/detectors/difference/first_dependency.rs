//! A dependency where there was none.

use super::dependencies;
use crate::rule::detector;
use crate::subject::{Findings, Subject, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// A version has a dependency, and no version before it had one.
    ///
    /// ## What it does
    /// Compares with the version before, and with the index where there is one: how many versions had
    /// no dependency at all. It is *medium* in a patch release of a crate with many such versions.
    ///
    /// ## Why is this bad?
    /// A hijacked account of August 2026 added the first dependency in the crate's history, and all of
    /// the payload was there.
    ///
    /// ## Example
    /// `0.3.9` and the twenty versions before it need nothing; `0.3.10` needs one crate.
    ///
    /// ## How to fix it
    /// Say in the changelog what it is for.
    FirstDependency "first-dependency" Malice Medium Medium Stable
}

/// As many versions without a dependency are a habit.
const HABIT: usize = 3;

impl FirstDependency {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let Some(previous) = subject.previous else {
            return;
        };
        let now = dependencies(subject.package);
        if now.is_empty() || !dependencies(previous).is_empty() {
            return;
        }
        let version = &subject.package.version;
        let before: Vec<_> = subject
            .index
            .into_iter()
            .flat_map(|index| &index.versions)
            .filter(|other| other.version < *version)
            .collect();
        let never = before.iter().all(|other| {
            let kinds = other.dependencies.iter().map(|dependency| dependency.kind);
            kinds
                .into_iter()
                .all(|kind| kind == palisade_index::DependencyKind::Development)
        });
        let patch =
            (version.major, version.minor) == (previous.version.major, previous.version.minor);
        let severity = if patch && never && (before.len() >= HABIT || before.is_empty()) {
            Severity::Medium
        } else {
            Severity::Low
        };
        let names: Vec<&str> = now.into_iter().collect();
        let message = format!(
            "it depends on {}, and {} depended on nothing",
            names.join(", "),
            previous.version
        );
        let places = vec![whole_file("Cargo.toml", "the dependencies")];
        findings.rated(&Self::RULE, severity, Confidence::Medium, message, places);
    }
}

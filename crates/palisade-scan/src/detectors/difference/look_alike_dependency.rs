//! A new dependency that looks like another crate.

use super::dependencies;
use crate::names::look_alike;
use crate::rule::detector;
use crate::subject::{Findings, Subject, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// A new dependency has a name that looks like a popular crate.
    ///
    /// ## What it does
    /// Compares the names of dependencies that the version before did not have, or of all where there
    /// is no version before, with a registry's names. It needs a database dump (`--dump`).
    ///
    /// ## Why is this bad?
    /// Either the author mistyped it, or somebody wants it to pass a review: the payload of a hijack of
    /// August 2026 was in `proc-macro1`.
    ///
    /// ## Example
    /// ```toml
    /// [dependencies]
    /// proc-macro1 = "1.0"
    /// ```
    ///
    /// ## How to fix it
    /// Depend on the crate that was meant.
    LookAlikeDependency "look-alike-dependency" Dependency High Medium Stable
}

impl LookAlikeDependency {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let Some(names) = subject.names else { return };
        let before = subject.previous.map(dependencies).unwrap_or_default();
        for name in dependencies(subject.package).difference(&before) {
            let Some(found) = look_alike(names, name, subject.package.owner_hint()) else {
                continue;
            };
            let severity = if found.score >= 3 {
                Severity::High
            } else {
                Severity::Medium
            };
            let message = format!(
                "it now depends on {name}, which looks like {}: {}",
                found.target, found.evidence
            );
            let places = vec![whole_file("Cargo.toml", "the dependencies")];
            findings.rated(&Self::RULE, severity, Confidence::Medium, message, places);
        }
    }
}

//! The same source with other dependencies.

use super::dependencies;
use crate::rule::detector;
use crate::subject::{Findings, Subject, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// Nothing has changed but the dependencies.
    ///
    /// ## What it does
    /// Compares every Rust file with the version before. Where all are the same and there is a new
    /// dependency, nothing uses it.
    ///
    /// ## Why is this bad?
    /// A dependency that no code uses is there to be built. A carrier looks like this.
    ///
    /// ## Example
    /// `0.8.7` has the source of `0.8.6` and one dependency more.
    ///
    /// ## How to fix it
    /// Remove the dependency.
    ManifestOnlyChange "manifest-only-change" Malice High Medium Stable
}

impl ManifestOnlyChange {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let Some(previous) = subject.previous else {
            return;
        };
        let before = dependencies(previous);
        let now = dependencies(subject.package);
        let new: Vec<&str> = now.difference(&before).copied().collect();
        // A crate that is renamed or split replaces dependencies.
        if new.is_empty() || before.difference(&now).next().is_some() {
            return;
        }
        let sources = |package: &crate::subject::Package<'_>| {
            let files = package
                .tree
                .files()
                .filter(|(path, _)| path.ends_with(".rs"));
            files
                .map(|(path, bytes)| (path.to_owned(), bytes.to_vec()))
                .collect::<std::collections::BTreeMap<_, _>>()
        };
        let source = sources(subject.package);
        if source.is_empty() || source != sources(previous) {
            return;
        }
        // An optional dependency needs no code of its own: a feature turns it on.
        let optional = subject
            .package
            .manifest
            .iter()
            .flat_map(|manifest| &manifest.dependencies)
            .any(|dependency| new.contains(&dependency.package.as_str()) && dependency.optional);
        let severity = if optional {
            Severity::Medium
        } else {
            Severity::High
        };
        let message = format!(
            "no code has changed since {}, but it now depends on {}",
            previous.version,
            new.join(", ")
        );
        let places = vec![whole_file("Cargo.toml", "the dependencies")];
        findings.rated(&Self::RULE, severity, Confidence::Medium, message, places);
    }
}

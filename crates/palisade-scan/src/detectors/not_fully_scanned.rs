//! What was not looked at.

use palisade_archive::Class;

use crate::rule::detector;
use crate::subject::{Findings, Subject, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// A part of the package was not scanned.
    ///
    /// ## What it does
    /// Reports every limit that was hit: entries and files beyond the reader's limits, Rust files that
    /// are too large to analyse, a manifest that cannot be read.
    ///
    /// ## Why is this bad?
    /// What was not scanned may hold anything. The exit code is 4 where nothing else is found.
    ///
    /// ## Example
    /// A Rust file of a hundred megabytes.
    ///
    /// ## How to fix it
    /// Look at what is named, or raise the limit.
    NotFullyScanned "not-fully-scanned" Hygiene Medium High Stable
}

impl NotFullyScanned {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        for finding in subject.package.tree.findings() {
            if finding.kind.class() == Class::Limit {
                let places = if finding.path.is_empty() {
                    Vec::new()
                } else {
                    vec![whole_file(&finding.path, finding.detail.clone())]
                };
                findings.add(&Self::RULE, finding.kind.message(), places);
            }
        }
        for path in &subject.package.skipped {
            let places = vec![whole_file(path, "not analysed")];
            findings.add(
                &Self::RULE,
                "a file is larger than what is analysed",
                places,
            );
        }
        if subject.package.manifest.is_none() {
            findings.rated(
                &Self::RULE,
                Severity::Medium,
                Confidence::High,
                "the manifest is missing or cannot be read",
                Vec::new(),
            );
        }
    }
}

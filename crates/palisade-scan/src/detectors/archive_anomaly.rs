//! Archives that two readers read differently.

use palisade_archive::Class;

use crate::rule::detector;
use crate::subject::{Findings, Subject, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// The archive is ambiguous, or holds what registries refuse.
    ///
    /// ## What it does
    /// Reports what the reader of archives found: entries that repeat or collide, headers that
    /// disagree, data behind the end, links, paths that lead out.
    ///
    /// ## Why is this bad?
    /// Where two readers see two things, a scanner sees the harmless one. Old versions have some of
    /// these by accident, which is why they are *low* where nothing that takes part in a build is
    /// ambiguous.
    ///
    /// ## Example
    /// A file that is in the archive twice, with different contents.
    ///
    /// ## How to fix it
    /// Publish with a current cargo.
    ArchiveAnomaly "archive-anomaly" Malice High Medium Stable
}

impl ArchiveAnomaly {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        for finding in subject.package.tree.findings() {
            let (severity, confidence) = match finding.kind.class() {
                Class::Ambiguous if is_built(&finding.path) => (Severity::High, Confidence::Medium),
                Class::Ambiguous => (Severity::Low, Confidence::Medium),
                Class::Forbidden => (Severity::Low, Confidence::Medium),
                Class::Note | Class::Limit => continue,
            };
            let places = if finding.path.is_empty() {
                Vec::new()
            } else {
                vec![whole_file(&finding.path, finding.detail.clone())]
            };
            findings.rated(
                &Self::RULE,
                severity,
                confidence,
                finding.kind.message(),
                places,
            );
        }
    }
}

/// Whether what is ambiguous takes part in a build. Two readmes do not.
fn is_built(path: &str) -> bool {
    const READ: [&str; 6] = [
        ".md",
        ".txt",
        ".orig",
        "license-mit",
        "license-apache",
        "license",
    ];
    let lower = path.to_ascii_lowercase();
    !READ.iter().any(|ending| lower.ends_with(ending))
}

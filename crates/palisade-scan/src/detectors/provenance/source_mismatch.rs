//! Files that are not the repository's.

use crate::provenance::{DifferenceKind, FileDifference, FileRole, Provenance, ProvenanceClass};
use crate::rule::detector;
use crate::subject::{Findings, whole_file};
use crate::{Confidence, Place, Severity};

detector! {
    /// The package holds files that its repository does not have, or has with other contents.
    ///
    /// ## What it does
    /// Compares every file with the revision that the package names, in a clone of the repository
    /// (`--repository`, `--repositories`). What cargo changes on the way counts as the same: the
    /// normalised manifest, the lockfile, links that are followed, a readme or licence from further up;
    /// so do ends of lines, git's large files and a version that is set while publishing. It is *high*
    /// for code that takes part in a build where the package claims to be made from a clean revision,
    /// *medium* where it says that there were changes on top, and *low* for other files.
    ///
    /// ## Why is this bad?
    /// What is reviewed is the repository; what is built is the package. A stolen token publishes what
    /// no repository ever had.
    ///
    /// ## Example
    /// `build.rs` is in the package, and the revision that it names has no such file.
    ///
    /// ## How to fix it
    /// Commit what is generated, or generate it in the build; publish from a clean checkout.
    SourceMismatch "source-mismatch" Provenance High High Preview
}

impl SourceMismatch {
    pub(crate) fn report(provenance: &Provenance, findings: &mut Findings) {
        let dirty = provenance.class == ProvenanceClass::Dirty
            || provenance
                .revision
                .as_ref()
                .is_some_and(|revision| revision.dirty);
        let of = |built: bool| -> Vec<&FileDifference> {
            let all = provenance.differences.iter();
            all.filter(|difference| difference.role.is_built() == built)
                .collect()
        };
        let (built, others) = (of(true), of(false));
        if let Some(first) = built.first() {
            let (severity, confidence) = match dirty {
                false => (Severity::High, Confidence::High),
                true => (Severity::Medium, Confidence::Medium),
            };
            let message = match built.len() {
                1 => sentence(first),
                count => format!(
                    "{}, and so it is with {} more files",
                    sentence(first),
                    count - 1
                ),
            };
            findings.rated(&Self::RULE, severity, confidence, message, places(&built));
        }
        if let Some(first) = others.first() {
            let confidence = if dirty {
                Confidence::Low
            } else {
                Confidence::Medium
            };
            let message = match others.len() {
                1 => sentence(first),
                count => format!(
                    "{}, and so it is with {} more files",
                    sentence(first),
                    count - 1
                ),
            };
            findings.rated(
                &Self::RULE,
                Severity::Low,
                confidence,
                message,
                places(&others),
            );
        }
    }
}

fn sentence(difference: &FileDifference) -> String {
    let role = match difference.role {
        FileRole::Other => "the file",
        role => role.as_str(),
    };
    match difference.kind {
        DifferenceKind::Extra => format!(
            "{role} `{}` is not in the repository: {}",
            difference.path, difference.detail
        ),
        DifferenceKind::Modified => format!(
            "{role} `{}` is not the repository's: {}",
            difference.path, difference.detail
        ),
    }
}

fn places(differences: &[&FileDifference]) -> Vec<Place> {
    let places = differences.iter().map(|difference| Place {
        line: difference.line,
        ..whole_file(&difference.path, difference.detail.clone())
    });
    places.collect()
}

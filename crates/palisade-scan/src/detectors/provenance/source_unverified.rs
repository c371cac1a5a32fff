//! A package that cannot be compared with its repository.

use crate::provenance::{Provenance, ProvenanceClass};
use crate::rule::detector;
use crate::subject::{Findings, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// Where the package comes from cannot be verified.
    ///
    /// ## What it does
    /// Reports what keeps a package from being compared with its repository: it names no revision, it
    /// was made with uncommitted changes, the repository is gone, does not have the revision, or no
    /// branch and no tag leads there.
    ///
    /// ## Why is this bad?
    /// Nobody can say whether the package is what its repository shows. A revision that no branch
    /// leads to deserves a look: forges answer for commits of strangers' forks as if they were the
    /// repository's, which is why that is *medium*. The others are common and *low*.
    ///
    /// ## Example
    /// `.cargo_vcs_info.json` names a commit that was never pushed.
    ///
    /// ## How to fix it
    /// Push the revision and its tag, then publish from a clean checkout.
    SourceUnverified "source-unverified" Provenance Medium Medium Preview
}

impl SourceUnverified {
    pub(crate) fn report(provenance: &Provenance, findings: &mut Findings) {
        let (severity, confidence) = match provenance.class {
            ProvenanceClass::Match
            | ProvenanceClass::MatchNormalised
            | ProvenanceClass::Different => return,
            ProvenanceClass::CommitUnreachable => (Severity::Medium, Confidence::Medium),
            ProvenanceClass::CommitNotFound | ProvenanceClass::RepositoryGone => {
                (Severity::Low, Confidence::Medium)
            }
            ProvenanceClass::Dirty | ProvenanceClass::NoInformation => {
                (Severity::Low, Confidence::Low)
            }
        };
        let mut message = provenance.class.sentence().to_owned();
        if let Some(revision) = &provenance.revision {
            let short: String = revision.commit.chars().take(12).collect();
            message.push_str(&format!(" ({short})"));
        }
        if let Some(reason) = provenance.unresolved.first() {
            message.push_str(&format!(": {reason}"));
        }
        let places = provenance
            .revision
            .iter()
            .map(|_| whole_file(".cargo_vcs_info.json", "the revision"))
            .collect();
        findings.rated(&Self::RULE, severity, confidence, message, places);
    }
}

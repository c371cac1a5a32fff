//! Two statements about where a version comes from that disagree.

use crate::provenance::repository_address;
use crate::rule::detector;
use crate::subject::{Findings, whole_file};
use crate::surroundings::Around;
use crate::{Confidence, Severity};

detector! {
    /// The forge says that another commit or repository was published than the package does.
    ///
    /// ## What it does
    /// Compares what a forge has signed when a machine published the version (trusted publishing, in a
    /// database dump that has it) with the commit in the archive and the repository in the manifest.
    ///
    /// ## Why is this bad?
    /// The forge's statement cannot be forged from a package; the other two are text.
    ///
    /// ## Example
    /// The workflow ran on one commit, and `.cargo_vcs_info.json` names another one.
    ///
    /// ## How to fix it
    /// Publish from the workflow's own checkout, and name its repository in `Cargo.toml`.
    TrustedCommit "trusted-commit" Provenance High High Preview
}

impl TrustedCommit {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        let Some(known) = around.dumped() else { return };
        let version = known
            .versions
            .iter()
            .find(|known| known.version == *around.version);
        let Some(trusted) = version.and_then(|version| version.trusted.as_ref()) else {
            return;
        };
        let short = |commit: &str| commit.chars().take(12).collect::<String>();
        if let (Some(signed), Some(own)) = (&trusted.commit, &around.profile.commit)
            && !signed.eq_ignore_ascii_case(own)
        {
            let message = format!(
                "{} says that commit {} was published, and the package names {}",
                trusted.provider,
                short(signed),
                short(own)
            );
            findings.rated(
                &Self::RULE,
                Severity::High,
                Confidence::High,
                palisade_archive::visible(&message),
                vec![whole_file(".cargo_vcs_info.json", "the revision")],
            );
        }
        let named = around
            .profile
            .repository
            .as_deref()
            .and_then(repository_address);
        if let (Some(signed), Some(named)) = (&trusted.repository, named)
            && !named
                .to_ascii_lowercase()
                .ends_with(&format!("/{}", signed.to_ascii_lowercase()))
        {
            let message = format!(
                "{} says that it was published from {signed}, and the manifest names {named}",
                trusted.provider
            );
            findings.rated(
                &Self::RULE,
                Severity::Medium,
                Confidence::Medium,
                palisade_archive::visible(&message),
                vec![whole_file("Cargo.toml", "the repository")],
            );
        }
    }
}

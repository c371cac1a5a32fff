//! Two manifests in one package that disagree.

use crate::provenance::disagreement;
use crate::rule::detector;
use crate::subject::{Findings, Subject, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// The manifest that cargo reads says more than its original.
    ///
    /// ## What it does
    /// Compares `Cargo.toml`, which cargo normalises when it packs, with `Cargo.toml.orig`, which its
    /// author wrote. cargo resolves what is inherited and removes what is for the workspace alone; it
    /// never adds a dependency, renames the package or chooses another build script.
    ///
    /// ## Why is this bad?
    /// Whoever reviews reads the repository or the original; whoever builds gets what the other one
    /// says. An archive that was put together by hand can hold two that differ.
    ///
    /// ## Example
    /// `Cargo.toml` depends on a crate that `Cargo.toml.orig` does not name.
    ///
    /// ## How to fix it
    /// Publish with `cargo publish` alone.
    ManifestDisagreement "manifest-disagreement" Provenance High High Preview
}

impl ManifestDisagreement {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        for message in disagreement(subject.package.tree) {
            let places = vec![
                whole_file("Cargo.toml", "what cargo reads"),
                whole_file("Cargo.toml.orig", "what its author wrote"),
            ];
            findings.rated(
                &Self::RULE,
                Severity::High,
                Confidence::High,
                message,
                places,
            );
        }
    }
}

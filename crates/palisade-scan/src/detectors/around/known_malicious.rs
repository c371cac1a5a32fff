//! A crate that an advisory calls malicious.

use palisade_model::Kind;

use crate::rule::detector;
use crate::subject::Findings;
use crate::surroundings::Around;
use crate::{Confidence, Severity};

detector! {
    /// An advisory calls this version malicious.
    ///
    /// ## What it does
    /// Looks the package up in an advisory database (`--db`).
    ///
    /// ## Why is this bad?
    /// Somebody has looked, and it is.
    ///
    /// ## Example
    /// RUSTSEC-2026-0260 about `arrayref` 0.3.10.
    ///
    /// ## How to fix it
    /// Remove it, and look at every machine that has built it.
    KnownMalicious "known-malicious" Malice Critical High Preview
}

impl KnownMalicious {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        let Some(advisories) = &around.surroundings.advisories else {
            return;
        };
        for advisory in advisories.about(around.name).iter() {
            if advisory.kind == Kind::Malicious && advisory.versions.is_affected(around.version) {
                let message = format!("{} calls it malicious: {}", advisory.id, advisory.title);
                findings.rated(
                    &Self::RULE,
                    Severity::Critical,
                    Confidence::High,
                    palisade_archive::visible(&message),
                    Vec::new(),
                );
            }
        }
    }
}

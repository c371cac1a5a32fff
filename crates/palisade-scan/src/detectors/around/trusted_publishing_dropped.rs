//! A person where a machine published before.

use palisade_index::DumpedVersion;

use crate::rule::detector;
use crate::subject::Findings;
use crate::surroundings::Around;
use crate::{Confidence, Severity};

detector! {
    /// A person published a version of a crate that a trusted machine published before.
    ///
    /// ## What it does
    /// Looks at the versions before in a database dump (`--dump`): a machine published at least two in
    /// a row, or the registry takes this crate from machines alone. Public dumps show it by versions
    /// that nobody published, since July 2025.
    ///
    /// ## Why is this bad?
    /// A stolen token publishes from anywhere; the workflow that used to publish was not asked. A
    /// workflow that is broken for a day looks the same.
    ///
    /// ## Example
    /// `1.4.0` to `1.4.6` came from a workflow, `1.4.7` from a person.
    ///
    /// ## How to fix it
    /// Let the registry take the crate from the workflow alone.
    TrustedPublishingDropped "trusted-publishing-dropped" Malice Medium Medium Preview
}

const HABIT: usize = 2;
/// 2025-07-01: before, a version that nobody published is merely old.
const SINCE: i64 = 1_751_328_000;

impl TrustedPublishingDropped {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        let Some(known) = around.dumped() else { return };
        let Some(at) = known
            .versions
            .iter()
            .position(|known| known.version == *around.version)
        else {
            return;
        };
        let own = &known.versions[at];
        let Some(publisher) = &own.published_by else {
            return;
        };
        if own.trusted.is_some() {
            return;
        }
        let before = known.versions[..at].iter().rev();
        let machines = before.take_while(|version| by_machine(version)).count();
        if machines < HABIT {
            return;
        }
        let message =
            format!("{publisher} published it; a machine published the {machines} versions before");
        findings.rated(
            &Self::RULE,
            Severity::Medium,
            Confidence::Medium,
            palisade_archive::visible(&message),
            Vec::new(),
        );
    }
}

pub(crate) fn by_machine(version: &DumpedVersion) -> bool {
    version.trusted.is_some()
        || (version.published_by.is_none()
            && version
                .created
                .is_some_and(|created| created.as_second() >= SINCE))
}

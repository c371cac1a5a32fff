//! A capability that the version before did not have.

use crate::facts::Fact;
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// A version can do what the one before could not.
    ///
    /// ## What it does
    /// Compares what build script, procedural macro and library can do: the network, other programs,
    /// loading code, credentials, places that are run later.
    ///
    /// ## Why is this bad?
    /// A patch release that begins to use the network is not a patch. By itself it is *low*, or
    /// *medium* where it happens while something is built.
    ///
    /// ## Example
    /// `1.0.1` of a parser opens a connection.
    ///
    /// ## How to fix it
    /// Say in the changelog what it is for.
    NewCapability "new-capability" Malice Medium Medium Stable
}

const CAPABILITIES: [Fact; 7] = [
    Fact::Network,
    Fact::Process,
    Fact::LoadCode,
    Fact::CredentialPath,
    Fact::WalletPattern,
    Fact::Persistence,
    Fact::EnvironmentDump,
];

impl NewCapability {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let Some(previous) = subject.previous else {
            return;
        };
        for unit in [Unit::BuildScript, Unit::ProcMacro, Unit::Library] {
            let now = subject.facts().in_unit(unit);
            let before = previous.facts.in_unit(unit);
            let new: Vec<Fact> = CAPABILITIES
                .into_iter()
                .filter(|&fact| now.has(fact) && !before.has(fact))
                .collect();
            let Some(first) = new.first() else { continue };
            let severity = if unit.is_build()
                && new
                    .iter()
                    .any(|fact| !matches!(fact, Fact::Process | Fact::EnvironmentDump))
            {
                Severity::Medium
            } else {
                Severity::Low
            };
            let message = format!(
                "{} {}, which {} did not",
                unit.as_str(),
                first.phrase(),
                previous.version
            );
            findings.rated(
                &Self::RULE,
                severity,
                Confidence::Medium,
                message,
                now.places(subject, &new),
            );
        }
    }
}

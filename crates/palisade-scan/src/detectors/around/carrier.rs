//! Clean code on top of a bad dependency.

use palisade_index::IndexFile;
use palisade_model::Kind;
use semver::{Version, VersionReq};

use crate::rule::detector;
use crate::subject::{Findings, whole_file};
use crate::surroundings::{Advisories, Around};
use crate::{Confidence, Severity};

detector! {
    /// It depends on a crate that is known to be malicious.
    ///
    /// ## What it does
    /// Looks at dependencies of every kind, optional ones and those for tests included: whether an
    /// advisory calls one malicious (`--db`), or a scan that runs beside this one has flagged it
    /// (`palisade watch`). Where the index is known, only versions count that a build can still take.
    ///
    /// ## Why is this bad?
    /// One in ten known malicious crates had clean code of its own: the payload came with a dependency.
    ///
    /// ## Example
    /// `arrayref` 0.3.10 needed `proc-macro1`, which downloaded a program from its build script.
    ///
    /// ## How to fix it
    /// Remove the dependency, and look at every machine that has built it.
    Carrier "carrier" Dependency Critical High Preview
}

/// A scan that is surer than this flags a crate.
const FLAGGED: u8 = 60;

impl Carrier {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        for dependency in &around.profile.dependencies {
            if dependency.foreign {
                continue;
            }
            let Some(requirement) = dependency.requirement() else {
                continue;
            };
            let name = &dependency.package;
            let index = around.lookup(name);
            let places = || vec![whole_file("Cargo.toml", format!("the dependency {name}"))];
            let advisories = around.surroundings.advisories.iter();
            let malicious = advisories
                .flat_map(|advisories| {
                    let about = advisories.about(name);
                    about.iter().cloned().collect::<Vec<_>>()
                })
                .filter(|advisory| advisory.kind == Kind::Malicious)
                .find(|advisory| match &index {
                    // Any version that a build can take is one too many.
                    Some(index) => matching(index, &requirement)
                        .any(|version| advisory.versions.is_affected(version)),
                    None => Advisories::concern(advisory, &requirement, None).is_some(),
                });
            if let Some(advisory) = malicious {
                let severity = if dependency.is_development() {
                    Severity::High
                } else {
                    Severity::Critical
                };
                let message = format!(
                    "it depends on {name} ({}), which {} calls malicious",
                    dependency.kind, advisory.id
                );
                findings.rated(&Self::RULE, severity, Confidence::High, message, places());
                continue;
            }
            let flagged = around.surroundings.flagged.get(name);
            let flagged = flagged.into_iter().flatten().rfind(|(version, risk)| {
                **risk >= FLAGGED
                    && requirement.matches(version)
                    && index.as_ref().is_none_or(|index| {
                        matching(index, &requirement).any(|other| other == *version)
                    })
            });
            if let Some((version, risk)) = flagged {
                let message = format!(
                    "it depends on {name} ({}), whose version {version} a scan rated {risk} of 100",
                    dependency.kind
                );
                findings.rated(
                    &Self::RULE,
                    Severity::High,
                    Confidence::Medium,
                    message,
                    places(),
                );
            }
        }
    }
}

fn matching<'i>(
    index: &'i IndexFile,
    requirement: &'i VersionReq,
) -> impl Iterator<Item = &'i Version> {
    index
        .versions
        .iter()
        .filter(|known| !known.yanked && requirement.matches(&known.version))
        .map(|known| &known.version)
}

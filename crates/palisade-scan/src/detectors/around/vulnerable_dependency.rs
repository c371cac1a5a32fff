//! Dependencies with known vulnerabilities.

use palisade_model::Kind;

use crate::rule::detector;
use crate::subject::{Findings, whole_file};
use crate::surroundings::{Advisories, Around, Concern};
use crate::{Confidence, Severity};

detector! {
    /// A new build of it takes a vulnerable version of a dependency.
    ///
    /// ## What it does
    /// Finds the version of each dependency that a build would take today, in the index, and looks it
    /// up in an advisory database (`--db`). It is *medium* where no matching version is safe, and *low*
    /// where only tests need it. With `--graph` the call graph says whether the vulnerable functions
    /// are reached from this package: *high* when they are, *low* when they are not.
    ///
    /// ## Why is this bad?
    /// Whoever depends on this package gets the vulnerable one as well.
    ///
    /// ## Example
    /// `time = "0.1"`, of which no version has the fix of RUSTSEC-2020-0071.
    ///
    /// ## How to fix it
    /// Require a version with the fix.
    VulnerableDependency "vulnerable-dependency" Dependency High Medium Preview
}

impl VulnerableDependency {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        let Some(advisories) = &around.surroundings.advisories else {
            return;
        };
        for dependency in &around.profile.dependencies {
            let Some(requirement) = dependency.requirement() else {
                continue;
            };
            if dependency.foreign {
                continue;
            }
            let index = around.lookup(&dependency.package);
            for advisory in advisories.about(&dependency.package).iter() {
                if advisory.kind != Kind::Vulnerability {
                    continue;
                }
                let concern = Advisories::concern(advisory, &requirement, index.as_deref());
                let Some(concern) = concern else { continue };
                let (what, hopeless) = match concern {
                    Concern::Taken {
                        version,
                        safe: None,
                    } => (
                        format!(
                            "a build takes {version}, and no version that {} allows is safe",
                            dependency.requirement
                        ),
                        true,
                    ),
                    Concern::Taken {
                        version,
                        safe: Some(safe),
                    } => (format!("a build takes {version}; {safe} is safe"), false),
                    Concern::Every => ("no version of it is safe".to_owned(), true),
                };
                let severity = if hopeless && !dependency.is_development() {
                    Severity::Medium
                } else {
                    Severity::Low
                };
                let message = format!(
                    "{} concerns {} ({}): {what}",
                    advisory.id, dependency.package, dependency.kind
                );
                let places = vec![whole_file(
                    "Cargo.toml",
                    format!("the dependency {}", dependency.package),
                )];
                findings.rated(&Self::RULE, severity, Confidence::Medium, message, places);
            }
        }
    }
}

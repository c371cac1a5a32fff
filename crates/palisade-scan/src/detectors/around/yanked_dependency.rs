//! Dependencies that were withdrawn.

use crate::rule::detector;
use crate::subject::{Findings, whole_file};
use crate::surroundings::Around;
use crate::{Confidence, Severity};

detector! {
    /// Every version of a dependency that it accepts was withdrawn.
    ///
    /// ## What it does
    /// Looks at the index, those for tests left out.
    ///
    /// ## Why is this bad?
    /// It cannot be built any more without a lockfile, and whoever withdrew them had a reason.
    ///
    /// ## Example
    /// `demo = "=1.0.3"`, and 1.0.3 is yanked.
    ///
    /// ## How to fix it
    /// Require a version that is still there.
    YankedDependency "yanked-dependency" Dependency Medium High Preview
}

impl YankedDependency {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        for dependency in &around.profile.dependencies {
            if dependency.foreign || dependency.is_development() {
                continue;
            }
            let (Some(requirement), Some(index)) =
                (dependency.requirement(), around.lookup(&dependency.package))
            else {
                continue;
            };
            let mut matching = index
                .versions
                .iter()
                .filter(|known| requirement.matches(&known.version))
                .peekable();
            if matching.peek().is_none() || matching.any(|known| !known.yanked) {
                continue;
            }
            let message = format!(
                "every version of {} that {} allows is yanked",
                dependency.package, dependency.requirement
            );
            // What has to be enabled first does not break a build.
            let severity = if dependency.optional {
                Severity::Low
            } else {
                Severity::Medium
            };
            let places = vec![whole_file("Cargo.toml", "the dependencies")];
            findings.rated(&Self::RULE, severity, Confidence::High, message, places);
        }
    }
}

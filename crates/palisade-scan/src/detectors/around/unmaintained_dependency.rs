//! Dependencies that nobody looks after.

use palisade_model::Kind;

use crate::rule::detector;
use crate::subject::{Findings, whole_file};
use crate::surroundings::{Advisories, Around};
use crate::{Confidence, Severity};

detector! {
    /// It depends on a crate that nobody maintains, or that is unsound.
    ///
    /// ## What it does
    /// Looks dependencies up in an advisory database (`--db`), those for tests left out.
    ///
    /// ## Why is this bad?
    /// What is found in it will not be fixed.
    ///
    /// ## Example
    /// `paste` is archived (RUSTSEC-2024-0436).
    ///
    /// ## How to fix it
    /// Choose what the advisory recommends instead.
    UnmaintainedDependency "unmaintained-dependency" Dependency Low High Preview
}

impl UnmaintainedDependency {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        let Some(advisories) = &around.surroundings.advisories else {
            return;
        };
        for dependency in &around.profile.dependencies {
            if dependency.foreign || dependency.is_development() {
                continue;
            }
            let Some(requirement) = dependency.requirement() else {
                continue;
            };
            let index = around.lookup(&dependency.package);
            for advisory in advisories.about(&dependency.package).iter() {
                let what = match advisory.kind {
                    Kind::Unmaintained => "is unmaintained",
                    Kind::Unsound => "is unsound",
                    _ => continue,
                };
                if Advisories::concern(advisory, &requirement, index.as_deref()).is_none() {
                    continue;
                }
                let message = format!(
                    "it depends on {}, which {what} ({})",
                    dependency.package, advisory.id
                );
                let places = vec![whole_file("Cargo.toml", "the dependencies")];
                findings.rated(
                    &Self::RULE,
                    Severity::Low,
                    Confidence::High,
                    message,
                    places,
                );
            }
        }
    }
}

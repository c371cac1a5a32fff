//! A new dependency that hardly anybody can know.

use super::days;
use crate::rule::detector;
use crate::subject::{Findings, whole_file};
use crate::surroundings::Around;
use crate::{Confidence, Severity};

detector! {
    /// A new dependency was itself first published less than a week before.
    ///
    /// ## What it does
    /// Compares the times of publication in the index or a database dump (`--dump`), for dependencies
    /// that the version before did not have. Crates that share an owner, or whose names begin with the
    /// same word, are siblings and left out. It is *high* where the version before depended on nothing,
    /// and *medium* where another version came before; in a first version it is *low*.
    ///
    /// ## Why is this bad?
    /// A staging crate is published hours before the version that carries it.
    ///
    /// ## Example
    /// `arrayref` 0.3.10 depended on `proc-macro1`, which was five hours old.
    ///
    /// ## How to fix it
    /// Nothing is wrong with it; look at what the dependency does.
    YoungDependency "young-dependency" Dependency High Medium Preview
}

const YOUNG_DAYS: i64 = 7;

impl YoungDependency {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        let Some(published) = around.published().or(around.surroundings.at) else {
            return;
        };
        let owners = around.owners();
        let first_word = |name: &str| name.split(['-', '_']).next().unwrap_or(name).to_owned();
        for dependency in around.profile.new_dependencies() {
            let name = &dependency.package;
            if dependency.foreign || dependency.is_development() {
                continue;
            }
            let Some(born) = around.born(name) else {
                continue;
            };
            let age = days(born, published);
            if born > published || age >= YOUNG_DAYS || first_word(name) == first_word(around.name)
            {
                continue;
            }
            let theirs = around.names.and_then(|names| names.get(name));
            let shared = theirs.is_some_and(|theirs| {
                theirs.owners.iter().any(|owner| match owner {
                    palisade_index::Owner::User(login) => owners.contains(&login.as_str()),
                    palisade_index::Owner::Team(_) => false,
                })
            });
            if shared {
                continue;
            }
            let severity = match &around.profile.dependencies_before {
                None => Severity::Low,
                Some(before) if before.iter().all(|other| other.is_development()) => Severity::High,
                Some(_) => Severity::Medium,
            };
            let ago = published.duration_since(born).as_hours();
            let age = match age {
                0 => format!("{ago} hours"),
                1 => "a day".to_owned(),
                days => format!("{days} days"),
            };
            let message =
                format!("it now depends on {name}, which was first published {age} before");
            let places = vec![whole_file("Cargo.toml", format!("the dependency {name}"))];
            findings.rated(&Self::RULE, severity, Confidence::Medium, message, places);
        }
    }
}

//! Somebody who looks like somebody else.

use super::days;
use crate::rule::detector;
use crate::subject::{Findings, whole_file};
use crate::surroundings::Around;
use crate::{Confidence, Severity};

detector! {
    /// Its publisher looks like a well-known person, or the manifest says that one made it.
    ///
    /// ## What it does
    /// Compares owners and publisher with the people whose crates are downloaded most (a database dump,
    /// `--dump`): logins that differ by one character, and authors in the manifest who own none of it.
    /// Forks keep their authors honestly, so that an author alone is *low*, and *medium* only for a
    /// crate whose name is new; it weighs more beside an imitated name.
    ///
    /// ## Why is this bad?
    /// A familiar name makes a reviewer look away. The staging crate of August 2026 named the author of
    /// the crate that it imitated.
    ///
    /// ## Example
    /// ```toml
    /// [package]
    /// name = "proc-macro1"
    /// authors = ["David Tolnay <dtolnay@example.com>"]
    /// ```
    ///
    /// ## How to fix it
    /// Name the people who publish the crate, and thank the others in the readme.
    LookAlikePublisher "look-alike-publisher" Name High Medium Preview
}

/// A name is new for so many days.
const NEW: i64 = 30;

impl LookAlikePublisher {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        let Some(names) = around.names else { return };
        let people = names.people();
        let mut owners = around.owners();
        owners.extend(around.publisher());
        owners.sort_unstable();
        owners.dedup();
        let is_new = match (around.born(around.name), around.published()) {
            (Some(born), Some(published)) => days(born, published) < NEW,
            // Whoever is in no dump is newer than the dump.
            _ => around.dumped().is_none(),
        };
        let imitates = around
            .findings
            .iter()
            .any(|finding| finding.detector == "name-look-alike");
        for owner in &owners {
            let Some(famous) = people.looks_like(owner) else {
                continue;
            };
            let severity = if imitates || is_new {
                Severity::High
            } else {
                Severity::Medium
            };
            let message = format!(
                "it belongs to {owner}, a login that looks like {famous}, whose crates have {} downloads",
                people.downloads(famous).unwrap_or_default()
            );
            findings.rated(
                &Self::RULE,
                severity,
                Confidence::Medium,
                palisade_archive::visible(&message),
                Vec::new(),
            );
        }
        // Without owners nobody can say whether the author is one of them.
        if owners.is_empty() {
            return;
        }
        for author in &around.profile.authors {
            let name = author.split(['<', '(']).next().unwrap_or(author);
            let known = people.well_known_as(name);
            let Some(famous) = known.first() else {
                continue;
            };
            if known.iter().any(|login| owners.contains(&login.as_str())) {
                continue;
            }
            let (severity, confidence) = match (imitates, is_new) {
                (true, _) => (Severity::High, Confidence::Medium),
                (false, true) => (Severity::Medium, Confidence::Medium),
                (false, false) => (Severity::Low, Confidence::Low),
            };
            let message = format!(
                "the manifest names {} as author, who is {famous} and owns none of it; {} does",
                name.trim(),
                owners.join(", ")
            );
            findings.rated(
                &Self::RULE,
                severity,
                confidence,
                palisade_archive::visible(&message),
                vec![whole_file("Cargo.toml", "the authors")],
            );
        }
    }
}

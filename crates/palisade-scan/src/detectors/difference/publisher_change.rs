//! A version by somebody else.

use crate::rule::detector;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// A version was published by somebody who never published the crate before.
    ///
    /// ## What it does
    /// Looks at the publishers of a database dump (`--dump`).
    ///
    /// ## Why is this bad?
    /// It is what a transfer looks like, an honest one and a bought or stolen one.
    ///
    /// ## Example
    /// Twenty versions by one person, and the newest by another.
    ///
    /// ## How to fix it
    /// Say in the changelog who maintains the crate now.
    PublisherChange "publisher-change" Malice Low Medium Stable
}

const HABIT: usize = 3;

impl PublisherChange {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let Some(known) = subject
            .names
            .and_then(|names| names.get(&subject.package.name))
        else {
            return;
        };
        let mut before = Vec::new();
        for version in &known.versions {
            if version.version == subject.package.version {
                let Some(publisher) = &version.published_by else {
                    return;
                };
                if before.len() >= HABIT && !before.contains(&publisher) {
                    let message = format!(
                        "{publisher} published it, who had published none of the {} versions before",
                        before.len()
                    );
                    findings.rated(
                        &Self::RULE,
                        Severity::Low,
                        Confidence::Medium,
                        message,
                        Vec::new(),
                    );
                }
                return;
            }
            before.extend(&version.published_by);
        }
    }
}

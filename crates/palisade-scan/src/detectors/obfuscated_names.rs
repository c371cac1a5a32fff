//! Names that were made to be hard to read.

use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// Functions and variables have names that were made to be hard to read.
    ///
    /// ## What it does
    /// Counts names such as `_0x3fa2`, `lIlIlI` and `OO0O0O` in Rust files outside of tests.
    ///
    /// ## Why is this bad?
    /// Source that is published is published to be read; tools that rename it have one purpose.
    ///
    /// ## Example
    /// ```rust
    /// fn _0x4f1a(_0x2b: &[u8]) -> Vec<u8> { _0x2b.iter().map(|lIl| lIl ^ 0x41).collect() }
    /// ```
    ///
    /// ## How to fix it
    /// Publish the source that the names were taken from.
    ObfuscatedNames "obfuscated-names" Malice Medium Medium Preview
}

impl ObfuscatedNames {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        for file in &subject.facts().files {
            let Some((strange, shown, all)) = &file.outline.strange_names else {
                continue;
            };
            let unit = subject.facts().units.of(file.path);
            if unit == Unit::Test || strange * 10 < *all {
                continue;
            }
            let label = format!("{strange} such names, as `{}`", shown.join("`, `"));
            let message = format!(
                "{} has names that were made to be hard to read",
                unit.as_str()
            );
            findings.rated(
                &Self::RULE,
                Severity::Medium,
                Confidence::Medium,
                message,
                vec![whole_file(file.path, label)],
            );
        }
    }
}

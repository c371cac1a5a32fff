//! Names that were made to be hard to read.

use std::collections::BTreeSet;

use crate::rule::detector;
use crate::source::{Kind, Unit};
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

/// As many different ones are no accident.
const FEWEST: usize = 6;

impl ObfuscatedNames {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        for file in &subject.facts().files {
            let unit = subject.facts().units.of(file.path);
            if unit == Unit::Test {
                continue;
            }
            let names = || {
                let names = file.tokens.iter().filter(|token| token.kind == Kind::Ident);
                names.map(|token| token.text(&file.source))
            };
            let strange: BTreeSet<&str> = names().filter(|name| is_strange(name)).collect();
            if strange.len() < FEWEST {
                continue;
            }
            let all: BTreeSet<&str> = names().collect();
            if strange.len() * 10 >= all.len() {
                let shown: Vec<&str> = strange.iter().copied().take(3).collect();
                let label = format!("{} such names, as `{}`", strange.len(), shown.join("`, `"));
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
}

fn is_strange(name: &str) -> bool {
    let hexadecimal = name
        .strip_prefix("_0x")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let of = |letters: &str| name.len() >= 5 && name.chars().all(|c| letters.contains(c));
    hexadecimal
        || (of("lI1i_") && name.contains('I') && name.contains(['l', '1']))
        || (of("oO0Q_") && name.contains('O') && name.contains(['0', 'o', 'Q']))
}

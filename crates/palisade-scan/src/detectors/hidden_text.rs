//! Texts that are hidden and used.

use crate::facts::{Evidence, Fact, Scope};
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// An address, a command or a place of secrets is hidden by an encoding.
    ///
    /// ## What it does
    /// Decodes every text of the code, also where it is cut into pieces or written as numbers: base64,
    /// hexadecimal digits, an exclusive or with a key, text that is reversed or rotated, and layers of
    /// these; included files as well. What comes out counts only when it is an address, a command, a
    /// place of credentials, or a program.
    ///
    /// ## Why is this bad?
    /// Nobody encodes an address but to keep it from being read. It is *high* beside code that could
    /// use it: the network or other programs.
    ///
    /// ## Example
    /// ```rust
    /// const PARTS: [&str; 3] = ["aHR0cHM6Ly9kcm9w", "LmV4YW1wbGUu", "aW52YWxpZC9h"];
    /// ```
    ///
    /// ## How to fix it
    /// Write it as it is. In a test of a decoder, use a text that means nothing.
    HiddenText "hidden-text" Malice High High Stable
}

impl HiddenText {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let facts = subject.facts();
        let hidden = facts
            .evidence
            .iter()
            .filter(|evidence| evidence.fact == Fact::HiddenText && !evidence.test);
        for evidence in hidden {
            let unit = facts.unit(evidence);
            if unit == Unit::Test {
                continue;
            }
            // What could use it, in the file or anywhere in the same crate.
            let uses = |other: &&Evidence| {
                !other.test
                    && matches!(other.fact, Fact::Network | Fact::Process | Fact::LoadCode)
                    && facts.unit(other) == unit
            };
            let near = facts
                .evidence
                .iter()
                .find(|other| uses(other) && other.file == evidence.file);
            let far = facts.evidence.iter().find(uses);
            let (severity, confidence) = match (near, far, unit) {
                (Some(_), _, Unit::Example) => (Severity::High, Confidence::Low),
                (Some(_), ..) => (Severity::High, Confidence::High),
                (None, Some(_), _) => (Severity::High, Confidence::Medium),
                (None, None, _) => (Severity::Medium, Confidence::Medium),
            };
            let mut places = vec![subject.place(evidence)];
            places.extend(near.or(far).map(|other| subject.place(other)));
            let message = format!("{} hides {}", unit.as_str(), evidence.detail);
            findings.rated(&Self::RULE, severity, confidence, message, places);
        }
        // Tests of a decoder hide texts; those that use them do not test.
        let used = |scope: &Scope<'_>| {
            scope.has(Fact::HiddenText)
                && scope.any(&[Fact::Network, Fact::Process, Fact::LoadCode])
        };
        for scope in facts.test_scopes(1, used) {
            let what = scope.details(Fact::HiddenText);
            let what: Vec<&str> = what.into_iter().collect();
            let message = format!("a test hides and uses {}", what.join(", "));
            let places = scope.places(
                subject,
                &[
                    Fact::HiddenText,
                    Fact::Network,
                    Fact::Process,
                    Fact::LoadCode,
                ],
            );
            findings
                .rated(
                    &Self::RULE,
                    Severity::High,
                    Confidence::Low,
                    message,
                    places,
                )
                .reached_as(&scope);
        }
    }
}

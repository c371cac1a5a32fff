//! Text that is not in the order in which it is shown.

use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject, place};
use crate::{Confidence, Severity};

detector! {
    /// Source code holds characters that reorder what is shown.
    ///
    /// ## What it does
    /// Looks for the nine control characters of bidirectional text in Rust files outside of tests.
    ///
    /// ## Why is this bad?
    /// A reviewer sees another program than the compiler: a comment that looks closed is not, a `return`
    /// that looks like text is one. The compiler refuses them in comments and literals unless the code
    /// allows it.
    ///
    /// ## Example
    /// A literal that ends in `U+202E` shows the code behind it backwards.
    ///
    /// ## How to fix it
    /// Write them as escapes: `\u{202E}`.
    BidirectionalText "bidirectional-text" Malice High High Stable
}

impl BidirectionalText {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        for file in &subject.facts().files {
            let unit = subject.facts().units.of(file.path);
            if unit == Unit::Test {
                continue;
            }
            // All of them begin with this byte.
            if memchr::memchr(0xe2, file.source.as_bytes()).is_none() {
                continue;
            }
            let controls = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let mut found = file.source.match_indices(controls);
            let Some((at, control)) = found.next() else {
                continue;
            };
            let code = control.chars().next().unwrap_or_default() as u32;
            let label = format!("U+{code:04X}");
            let places = vec![place(
                file.path,
                &file.source,
                at,
                at + control.len(),
                label,
            )];
            // Code that allows it in the open is about text.
            let openly = file.source.contains("text_direction_codepoint");
            let (severity, confidence) = match (openly, unit) {
                (true, _) | (_, Unit::Loose) => (Severity::Low, Confidence::Low),
                _ => (Severity::High, Confidence::Medium),
            };
            let message = format!(
                "{} holds characters that reorder what is shown",
                unit.as_str()
            );
            findings.rated(&Self::RULE, severity, confidence, message, places);
        }
    }
}

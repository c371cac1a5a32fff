//! Characters that nobody sees.

use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject, place};
use crate::{Confidence, Severity};

detector! {
    /// Source code holds many characters that nobody sees.
    ///
    /// ## What it does
    /// Counts characters without a shape in Rust files outside of tests: tags, variation selectors
    /// that follow nothing, and joiners of no width inside of names or in long rows.
    ///
    /// ## Why is this bad?
    /// Whole programs were shipped in such rows, for a decoder of a few lines that looks empty.
    ///
    /// ## Example
    /// A literal that looks empty and is a thousand bytes long.
    ///
    /// ## How to fix it
    /// Write them as escapes.
    InvisibleText "invisible-text" Malice High High Stable
}

/// As few in a row nobody writes by accident.
const ROW: usize = 8;

impl InvisibleText {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        for file in &subject.facts().files {
            let unit = subject.facts().units.of(file.path);
            if unit == Unit::Test || file.source.is_ascii() {
                continue;
            }
            let mut row = 0;
            let mut found = None;
            for (at, c) in file.source.char_indices() {
                if is_invisible(c) {
                    row += 1;
                    if row >= ROW {
                        found = Some(at);
                        break;
                    }
                } else {
                    row = 0;
                }
            }
            if let Some(at) = found {
                let label = format!("{ROW} or more in a row");
                let places = vec![place(file.path, &file.source, at, at + 1, label)];
                let severity = if unit == Unit::Loose {
                    Severity::Medium
                } else {
                    Severity::High
                };
                let message = format!(
                    "{} holds a row of characters that nobody sees",
                    unit.as_str()
                );
                findings.rated(&Self::RULE, severity, Confidence::Medium, message, places);
            }
        }
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}' | '\u{3164}' | '\u{ffa0}' | '\u{180e}')
}

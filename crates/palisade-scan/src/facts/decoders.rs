//! What a file's own code makes of its texts: backwards, without certain
//! characters, with others in their place, every other one, with a key.
//!
//! Nobody can tell which text an operation is for without running the code, so
//! each is tried on every text of the file, and counts only when something
//! comes out that matters.

use crate::source::{Disguise, Kind, SourceFile, value};

/// The operations that a file uses.
#[derive(Debug, Default)]
pub(super) struct Decoders {
    backwards: bool,
    exclusive_or: bool,
    moved: bool,
    /// What is replaced, and by what.
    replaced: Vec<(String, String)>,
    /// Every how manyth character is taken.
    steps: Vec<usize>,
}

/// The most replacements of one file that are tried.
const REPLACED: usize = 16;
/// The longest text that is tried, in bytes.
const LONGEST: usize = 2048;
/// The longest list of bytes that is tried with every key, and the shortest.
const LIST: std::ops::RangeInclusive<usize> = 5..=512;
/// How far from an operation its argument may stand, in tokens.
const NEAR: usize = 16;

impl Decoders {
    pub(super) fn find(file: &SourceFile<'_>) -> Decoders {
        let mut decoders = Decoders::default();
        let tokens = file.tokens();
        let text = |at: usize| {
            let token = tokens.get(at)?;
            if !matches!(token.kind, Kind::Text | Kind::Char) {
                return None;
            }
            String::from_utf8(value(file.word(at)).into_owned()).ok()
        };
        for (at, token) in tokens.iter().enumerate() {
            if token.is(b'^') {
                decoders.exclusive_or = true;
            }
            if token.kind != Kind::Ident {
                continue;
            }
            match file.word(at) {
                "rev" | "reverse" | "rsplit" => decoders.backwards = true,
                "bitxor" | "bitxor_assign" => decoders.exclusive_or = true,
                "wrapping_sub" | "wrapping_add" | "overflowing_sub" => decoders.moved = true,
                "replace" | "replacen" => {
                    if let (Some(from), Some(to)) = (text(at + 2), text(at + 4)) {
                        decoders.replaces(from, to);
                    }
                }
                // What lies between the pieces is left out.
                "split" => {
                    if let Some(from) = text(at + 2) {
                        decoders.replaces(from, String::new());
                    }
                }
                // `filter(|c| *c != 'x')`, `retain(|c| c != 'x')`
                "filter" | "retain" => {
                    let other = (at..at + NEAR)
                        .find(|&at| file.word(at) == "!" && file.word(at + 1) == "=");
                    if let Some(from) = other.and_then(|other| text(other + 2)) {
                        decoders.replaces(from, String::new());
                    }
                }
                "step_by" => {
                    let number = crate::source::number(file.word(at + 2));
                    if let Some(step @ 2..=8) = number.and_then(|step| usize::try_from(step).ok()) {
                        decoders.steps.push(step);
                    }
                }
                _ => {}
            }
        }
        decoders.steps.sort_unstable();
        decoders.steps.dedup();
        decoders
    }

    fn replaces(&mut self, from: String, to: String) {
        if !from.is_empty() && self.replaced.len() < REPLACED {
            self.replaced.push((from, to));
        }
    }

    /// What a text may become.
    pub(super) fn of_text(&self, text: &str) -> Vec<(String, Disguise)> {
        let mut found = Vec::new();
        if text.len() > LONGEST || text.len() < *LIST.start() {
            return found;
        }
        if self.backwards {
            found.push((text.chars().rev().collect(), Disguise::Reversed));
        }
        // Several are used one after the other.
        let mut all = text.to_owned();
        for (from, to) in &self.replaced {
            if all.contains(from.as_str()) && all.len() <= LONGEST {
                all = all.replace(from.as_str(), to);
                found.push((all.clone(), Disguise::Filtered));
            }
        }
        for &step in &self.steps {
            for first in 0..2 {
                let taken = text.chars().skip(first).step_by(step).collect();
                found.push((taken, Disguise::Filtered));
            }
        }
        found
    }

    /// What a list of bytes may become, with every key of one byte.
    pub(super) fn of_bytes(&self, bytes: &[u8]) -> Vec<(String, Disguise)> {
        let mut found = Vec::new();
        if !LIST.contains(&bytes.len()) {
            return found;
        }
        let mut tried = |disguise, change: &dyn Fn(u8, u8) -> u8| {
            for key in 1..=u8::MAX {
                // Most keys are known to be wrong by the first byte.
                let decoded = bytes.iter().map(|&byte| change(byte, key));
                if decoded.clone().all(|byte| (0x20..0x7f).contains(&byte)) {
                    let text: Vec<u8> = decoded.collect();
                    found.push((String::from_utf8_lossy(&text).into_owned(), disguise));
                }
            }
        };
        if self.exclusive_or {
            tried(Disguise::Xor, &|byte, key| byte ^ key);
        }
        if self.moved {
            tried(Disguise::Shifted, &|byte, key| byte.wrapping_sub(key));
        }
        if self.backwards {
            let text: Vec<u8> = bytes.iter().rev().copied().collect();
            found.push((
                String::from_utf8_lossy(&text).into_owned(),
                Disguise::Reversed,
            ));
        }
        found
    }
}

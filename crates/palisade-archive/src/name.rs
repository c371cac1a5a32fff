//! The names of entries: where they lie, and how they could deceive.

use std::fmt::Write;

use crate::Limits;
use crate::finding::{FindingKind, Findings};

/// `text` with everything escaped that a terminal or a reader would not show
/// as itself.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_invisible(c) {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Characters that reorder the text around them or cannot be seen, after
/// Unicode's *Bidi_Control* and *Default_Ignorable_Code_Point*, and the two
/// separators that are line ends to some readers.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text of a path; bytes that are not UTF-8 are escaped, so that the file
/// can still be looked at.
pub(crate) fn decode(path: &[u8], findings: &mut Findings) -> String {
    if path.contains(&b'\\') {
        let shown = visible(&String::from_utf8_lossy(path));
        findings.add(FindingKind::Backslash, shown, "");
    }
    match std::str::from_utf8(path) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let mut text = String::new();
            for chunk in path.utf8_chunks() {
                text.push_str(chunk.valid());
                for byte in chunk.invalid() {
                    // Writing to a string does not fail.
                    let _ = write!(text, "\\x{byte:02x}");
                }
            }
            findings.add(FindingKind::NotUtf8, visible(&text), "");
            text
        }
    }
}

/// The path of an archive's entry below `top`, with `/` between components;
/// empty for `top` itself, `None` when it does not lie there. A slash at the
/// end has been taken off.
pub(crate) fn below(
    path: &str,
    top: &str,
    limits: &Limits,
    findings: &mut Findings,
) -> Option<String> {
    let shown = visible(path);
    if path.is_empty() {
        findings.add(FindingKind::NoPath, "", "");
        return None;
    }
    if path.starts_with('/') {
        findings.add(FindingKind::Absolute, shown, "");
        return None;
    }
    let mut components = Vec::new();
    let mut odd = false;
    for component in path.split('/') {
        match component {
            "" | "." => odd = true,
            ".." => {
                findings.add(FindingKind::ParentComponent, shown, "");
                return None;
            }
            component => components.push(component),
        }
    }
    if odd {
        findings.add(FindingKind::Unnormalised, &shown, "");
    }
    match components.split_first() {
        Some((first, rest)) if *first == top => check(rest, shown, limits, findings),
        _ => {
            findings.add(
                FindingKind::OutsidePrefix,
                shown,
                format!("not below `{top}`"),
            );
            None
        }
    }
}

/// Judges a path's components and joins them; `None` when it is too long.
pub(crate) fn check(
    components: &[&str],
    shown: String,
    limits: &Limits,
    findings: &mut Findings,
) -> Option<String> {
    let joined = components.join("/");
    if joined.len() > limits.path_bytes || components.len() > limits.path_depth {
        let detail = format!("{} bytes, {} components", joined.len(), components.len());
        findings.add(FindingKind::PathLimit, shown, detail);
        return None;
    }
    if joined.contains(char::is_control) {
        findings.add(FindingKind::Control, &shown, "");
    }
    if joined.contains(is_invisible) {
        findings.add(FindingKind::Invisible, &shown, "");
    }
    if components.iter().any(|component| !is_portable(component)) {
        findings.add(FindingKind::NotPortable, &shown, "");
    }
    Some(joined)
}

/// Whether Windows can have a file of this name.
fn is_portable(component: &str) -> bool {
    const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
    if component.ends_with(['.', ' ']) || component.contains(['<', '>', ':', '"', '|', '?', '*']) {
        return false;
    }
    let stem = component.split('.').next().unwrap_or_default();
    let stem = stem.trim_end_matches(' ').to_ascii_lowercase();
    let numbered = (stem.starts_with("com") || stem.starts_with("lpt"))
        && stem.len() == 4
        && matches!(stem.as_bytes()[3], b'1'..=b'9');
    !numbered && !DEVICES.contains(&stem.as_str())
}

//! Secrets that should not have been published.
//!
//! A prefilter finds the few places where a token could begin; patterns run on
//! a window around such a place alone, never on a whole file. What a token's
//! own checksum or structure proves is proven offline. Nothing that is found
//! is ever sent anywhere, and no output shows it.

mod ai;
mod chat;
mod checks;
mod cloud;
mod files;
mod forges;
mod keys;
mod payment;
mod registries;
mod services;

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use palisade_archive::SourceTree;
use regex::bytes::{Regex, RegexBuilder};

use crate::subject::{Findings, place, whole_file};
use crate::{Confidence, Rule, Severity};

/// A family of tokens.
pub(crate) struct SecretRule {
    pub(crate) rule: Rule,
    /// Texts of which one is in every token of the family.
    anchors: &'static [&'static str],
    /// How many bytes of a token may lie before the anchor.
    before: usize,
    /// The longest token, from the anchor on, in bytes.
    length: usize,
    /// The token; its first group where there is one.
    pattern: &'static str,
    /// What can be proven offline.
    check: fn(&str) -> Proof,
}

/// What a token says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Its checksum or structure is right.
    Right,
    /// It has none that is known.
    None,
    /// Its checksum or structure is wrong: it never was a token.
    Wrong,
}

macro_rules! secret {
    (
        $(#[doc = $doc:literal])+
        $id:literal $severity:ident, anchors: $anchors:expr, before: $before:expr, length: $length:expr,
        pattern: $pattern:expr, check: $check:expr
    ) => {
        $crate::secrets::SecretRule {
            rule: $crate::Rule {
                id: $id,
                category: $crate::Category::Secret,
                severity: $crate::Severity::$severity,
                confidence: $crate::Confidence::Medium,
                lifecycle: $crate::Lifecycle::Stable,
                documentation: concat!($($doc, "\n"),+, $crate::secrets::documentation!()),
            },
            anchors: $anchors,
            before: $before,
            length: $length,
            pattern: $pattern,
            check: $check,
        }
    };
}

/// What all families have in common.
macro_rules! documentation {
    () => {
        "
## What it does
Looks for tokens of this family in every text file. Where a token has a checksum or a structure of its own, that is verified; what is known to be a placeholder is left out. In tests, examples and documentation a finding is *low*.

## Why is this bad?
Everything that is published is copied within minutes, and a version that is yanked can still be downloaded.

## Example
A `.env` or a script with a token that was meant for one machine.

## How to fix it
Revoke the token first, then publish a version without it. `include` in `Cargo.toml` lists what is shipped.
"
    };
}

pub(crate) use {documentation, secret};

/// Every family, in the order of the documentation.
pub(crate) fn rules() -> impl Iterator<Item = &'static SecretRule> {
    [
        registries::RULES,
        forges::RULES,
        cloud::RULES,
        chat::RULES,
        payment::RULES,
        ai::RULES,
        services::RULES,
        keys::RULES,
    ]
    .into_iter()
    .flatten()
}

/// The rule for whole files of credentials.
pub(crate) fn file_rule() -> &'static Rule {
    &files::RULE
}

struct Table {
    matcher: AhoCorasick,
    /// For each anchor, its rule.
    rule_of: Vec<usize>,
    rules: Vec<(&'static SecretRule, Regex)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut anchors = Vec::new();
    let mut rule_of = Vec::new();
    let mut compiled = Vec::new();
    for (index, rule) in rules().enumerate() {
        for anchor in rule.anchors {
            anchors.push(*anchor);
            rule_of.push(index);
        }
        // Tokens are ASCII; without tables of Unicode the patterns stay small.
        let pattern = RegexBuilder::new(rule.pattern).unicode(false).build();
        let pattern = pattern.expect("a test compiles every pattern");
        compiled.push((rule, pattern));
    }
    let matcher = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(anchors)
        .expect("the anchors are few");
    Table {
        matcher,
        rule_of,
        rules: compiled,
    }
});

/// Where a file lies says whether a token in it is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PathClass {
    /// Code, settings, anything else.
    Other,
    /// Tests, fixtures, examples, documentation.
    Sample,
}

struct Hit {
    rule: usize,
    start: usize,
    end: usize,
    proof: Proof,
}

/// The most tokens of one file. Beyond, it is a list of samples.
const HITS: usize = 64;
/// How much of a file is asked whether it is text.
const HEAD: usize = 8 << 10;

pub(crate) fn scan(tree: &SourceTree, longest: u64, findings: &mut Findings) {
    for (path, bytes) in tree.files() {
        files::look(path, bytes, findings);
        if bytes.len() as u64 > longest || bytes[..bytes.len().min(HEAD)].contains(&0) {
            continue;
        }
        let mut hits = hits(bytes);
        if hits.is_empty() {
            continue;
        }
        hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
        let redacted = redact(bytes, &hits);
        let text = String::from_utf8_lossy(&redacted);
        // Offsets hold only where nothing was replaced.
        let exact = text.len() == bytes.len();
        let mut last_end = 0;
        for hit in &hits {
            // One text is one finding, of the family that begins first.
            if hit.start < last_end {
                continue;
            }
            last_end = hit.end;
            let (rule, _) = &TABLE.rules[hit.rule];
            let class = class_of(path, bytes, hit.start);
            let (severity, confidence) = rate(rule, hit.proof, class);
            let length = hit.end - hit.start;
            let shown = format!(
                "{} ({length} characters)",
                shown(&bytes[hit.start..hit.end])
            );
            let proof = match hit.proof {
                Proof::Right => ", and its checksum or structure is right",
                Proof::None | Proof::Wrong => "",
            };
            let message = match class {
                PathClass::Other => format!(
                    "it ships {}{proof}",
                    rule.rule
                        .summary()
                        .trim_end_matches('.')
                        .to_lowercase_first()
                ),
                PathClass::Sample => format!(
                    "it ships {} among its tests or documentation{proof}",
                    rule.rule
                        .summary()
                        .trim_end_matches('.')
                        .to_lowercase_first()
                ),
            };
            let places = if exact {
                vec![place(path, &text, hit.start, hit.end, shown)]
            } else {
                vec![whole_file(path, shown)]
            };
            findings.rated(&rule.rule, severity, confidence, message, places);
        }
    }
}

trait LowercaseFirst {
    fn to_lowercase_first(&self) -> String;
}

impl LowercaseFirst for str {
    /// `A token …` in the middle of a sentence.
    fn to_lowercase_first(&self) -> String {
        let mut chars = self.chars();
        match chars.next() {
            Some(first) => first.to_lowercase().chain(chars).collect(),
            None => String::new(),
        }
    }
}

fn hits(bytes: &[u8]) -> Vec<Hit> {
    let table = &*TABLE;
    let mut hits: Vec<Hit> = Vec::new();
    for anchor in table.matcher.find_overlapping_iter(bytes) {
        let index = table.rule_of[anchor.pattern().as_usize()];
        let (rule, pattern) = &table.rules[index];
        // The character before a token is asked too: it must not be part of
        // a longer word.
        let from = anchor.start().saturating_sub(rule.before + 1);
        let to = bytes.len().min(anchor.start() + rule.length + 1);
        let Some(captures) = pattern.captures(&bytes[from..to]) else {
            continue;
        };
        let Some(token) = captures.get(1).or_else(|| captures.get(0)) else {
            continue;
        };
        let (start, end) = (from + token.start(), from + token.end());
        let Ok(text) = std::str::from_utf8(&bytes[start..end]) else {
            continue;
        };
        if checks::is_placeholder(text) {
            continue;
        }
        let proof = (rule.check)(text);
        if proof == Proof::Wrong
            || hits
                .iter()
                .any(|hit| hit.start == start && hit.rule == index)
        {
            continue;
        }
        hits.push(Hit {
            rule: index,
            start,
            end,
            proof,
        });
        if hits.len() >= HITS {
            break;
        }
    }
    hits
}

fn rate(rule: &SecretRule, proof: Proof, class: PathClass) -> (Severity, Confidence) {
    match (class, proof) {
        (PathClass::Other, Proof::Right) => (rule.rule.severity, Confidence::High),
        (PathClass::Other, _) => (rule.rule.severity.min(Severity::Medium), Confidence::Medium),
        (PathClass::Sample, Proof::Right) => (Severity::Low, Confidence::Medium),
        (PathClass::Sample, _) => (Severity::Low, Confidence::Low),
    }
}

/// Words in the names of directories and files that hold samples.
const SAMPLES: &[&str] = &[
    "test",
    "tests",
    "testing",
    "testdata",
    "testkit",
    "testsuite",
    "testcases",
    "testutil",
    "fixture",
    "fixtures",
    "mock",
    "mocks",
    "example",
    "examples",
    "sample",
    "samples",
    "template",
    "doc",
    "docs",
    "bench",
    "benches",
    "snapshots",
    "corpus",
    "fuzz",
    "vectors",
];

fn class_of(path: &str, bytes: &[u8], at: usize) -> PathClass {
    let lower = path.to_ascii_lowercase();
    let mut parts = lower.split('/');
    let file = parts.next_back().unwrap_or_default();
    // `ssl_common_test.cc`, `sample-config.toml`
    let words = |part: &str| {
        part.split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| SAMPLES.contains(&word))
    };
    let sample = parts.any(words)
        || words(file)
        || [".md", ".rst", ".snap", ".adoc"]
            .iter()
            .any(|ending| file.ends_with(ending))
        || file.starts_with("readme")
        || file.starts_with("changelog");
    if sample || (file.ends_with(".rs") && is_in_tests(bytes, at)) {
        PathClass::Sample
    } else {
        PathClass::Other
    }
}

/// Whether a place in a Rust file is in a comment of its documentation, or
/// behind the line where its tests begin.
fn is_in_tests(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[..at];
    let line = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let start = before[line..].trim_ascii_start();
    start.starts_with(b"//")
        || start.starts_with(b"* ")
        || memchr::memmem::find(before, b"#[cfg(test)]").is_some()
        || memchr::memmem::find(before, b"#[test]").is_some()
}

/// The same bytes with every token masked but its beginning, so that no
/// excerpt can show one.
fn redact(bytes: &[u8], hits: &[Hit]) -> Vec<u8> {
    let mut redacted = bytes.to_vec();
    for hit in hits {
        let (from, _) = visible_part(&bytes[hit.start..hit.end]);
        for byte in &mut redacted[hit.start + from..hit.end] {
            if *byte != b'\n' && *byte != b'\r' {
                *byte = b'*';
            }
        }
    }
    redacted
}

/// How many bytes of a token may be seen: its prefix, which says what it is.
fn visible_part(token: &[u8]) -> (usize, &str) {
    let longest = (token.len() / 5).min(8);
    let text = std::str::from_utf8(token).unwrap_or_default();
    let shown = text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|&end| end <= longest)
        .last()
        .unwrap_or(0);
    (shown, &text[..shown])
}

fn shown(token: &[u8]) -> String {
    let (_, shown) = visible_part(token);
    format!("`{shown}…`")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that every pattern compiles and that its ids are unique, since
    /// the table is built when it is first used.
    #[test]
    fn the_table_is_sound() {
        let mut ids: Vec<&str> = rules().map(|rule| rule.rule.id).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
        assert!(ids.iter().all(|id| id.starts_with("secret-")));
        assert_eq!(TABLE.rules.len(), all);
    }
}

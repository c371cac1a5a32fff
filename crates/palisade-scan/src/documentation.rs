//! `docs/detectors.md`, from what the rules say about themselves.

use std::fmt::Write;

use crate::{Category, Rule, rules};

/// The page that documents every detector, in Markdown.
pub fn detectors_page() -> String {
    let rules = rules();
    let mut page = String::from(
        "# Detectors\n\
         What `palisade scan` looks for.\n\
         This page is generated from the detectors (`palisade rules list --format markdown`), and a test compares it.\n\
         `palisade rules explain ID` shows one of them.\n\n\
         Severity says how bad a finding is if it is true, and is the worst that the detector gives; confidence says how sure it is.\n\
         A *preview* detector may still change what it finds.\n\n",
    );
    let secret = |rule: &&&Rule| rule.category == Category::Secret;
    page.push_str("| detector | category | severity | confidence | |\n|---|---|---|---|---|\n");
    for rule in &rules {
        let link = if secret(&rule) {
            format!("`{}`", rule.id)
        } else {
            format!("[`{}`](#{})", rule.id, rule.id)
        };
        let _ = writeln!(
            page,
            "| {link} | {} | {} | {} | {} |",
            rule.category.as_str(),
            rule.severity.as_str(),
            rule.confidence.as_str(),
            rule.summary().trim_end_matches('.')
        );
    }
    for rule in rules.iter().filter(|rule| !secret(rule)) {
        let _ = write!(
            page,
            "\n## {}\n{}, {}, {} confidence, {}\n\n{}",
            rule.id,
            rule.category.as_str(),
            rule.severity.as_str(),
            rule.confidence.as_str(),
            rule.lifecycle.as_str(),
            body(rule)
        );
    }
    page.push_str("\n## Secrets\nThe families in the table above differ in what a token looks like and in what it proves by itself; the rest is the same for all.\n\n");
    if let Some(rule) = rules.iter().find(secret) {
        let rest = body(rule);
        let rest = rest
            .split_once("\n\n")
            .map_or(rest.as_str(), |(_, rest)| rest);
        page.push_str(rest.trim_start());
    }
    page
}

/// The documentation one level deeper, without the space that begins a line of
/// a doc comment.
fn body(rule: &Rule) -> String {
    let mut text = String::new();
    for line in rule.documentation.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        if line.starts_with("## ") {
            text.push('#');
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

//! The documentation is what the detectors say.

use std::path::Path;

use palisade_scan::{Category, detectors_page, rules};

/// Guards `docs/detectors.md` against detectors that change without it.
/// `PALISADE_BLESS=1` writes it.
#[test]
fn the_page_is_generated() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/detectors.md");
    let page = detectors_page();
    if std::env::var_os("PALISADE_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "run the test with PALISADE_BLESS=1");
}

/// Guards that every detector says what users need to know.
#[test]
fn every_detector_is_documented() {
    for rule in rules() {
        for heading in [
            "## What it does",
            "## Why is this bad?",
            "## Example",
            "## How to fix it",
        ] {
            assert!(
                rule.documentation.contains(heading),
                "{}: {heading}",
                rule.id
            );
        }
        assert!(rule.summary().trim().ends_with('.'), "{}", rule.id);
        let name_is_plain = rule
            .id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-' || byte.is_ascii_digit());
        assert!(name_is_plain, "{}", rule.id);
        assert_eq!(
            rule.category == Category::Secret,
            rule.id.starts_with("secret-"),
            "{}",
            rule.id
        );
    }
}

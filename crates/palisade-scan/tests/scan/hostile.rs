//! Packages that were made to break a scanner.

use std::collections::BTreeMap;

use camino::Utf8Path;
use palisade_scan::{Input, Limits, Report, Scanner, ScannerOptions};

use crate::fixture::pack;

fn scan(files: &[(&str, &str)], limits: Limits) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("demo-1.0.0.crate");
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    all.insert(
        "Cargo.toml".to_owned(),
        "[package]\nname = \"demo\"\nversion = \"1.0.0\"\n".to_owned(),
    );
    all.extend(
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned())),
    );
    std::fs::write(&path, pack("demo", "1.0.0", &all)).unwrap();
    let scanner = Scanner::new(ScannerOptions {
        limits,
        ..ScannerOptions::default()
    });
    scanner
        .scan(&Input::Archive(
            Utf8Path::from_path(&dir.path().join("demo-1.0.0.crate"))
                .unwrap()
                .to_owned(),
        ))
        .unwrap()
}

/// Guards against the file that ends other parsers: nesting a hundred thousand
/// deep, of every bracket. What follows it is still seen.
#[test]
fn deep_nesting_hides_nothing() {
    for (open, close) in [
        ("{", "}"),
        ("(", ")"),
        ("[", "]"),
        ("mod m {", "}"),
        ("use a::{", "}"),
        ("&", ""),
    ] {
        let deep = 100_000;
        let source = format!(
            "fn f() {{ {}{} }} fn g() {{ let u = \"aHR0cHM6Ly9kcm9wLmV4YW1wbGUuaW52YWxpZC9h\"; std::process::Command::new(u); }}",
            open.repeat(deep),
            close.repeat(deep)
        );
        let report = scan(&[("src/lib.rs", &source)], Limits::default());
        assert!(report.complete);
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.detector == "hidden-text"),
            "{open}"
        );
    }
}

/// Guards that a limit that was hit is a finding, and that the report says
/// that it is not complete.
#[test]
fn limits_are_findings() {
    let limits = Limits {
        source_bytes: 100,
        ..Limits::default()
    };
    let report = scan(&[("src/lib.rs", &" ".repeat(101))], limits);
    assert!(!report.complete);
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.detector == "not-fully-scanned")
    );
}

/// Guards that the time for a file grows with its size, not with its square:
/// many short texts, many numbers, many calls of one name.
#[test]
fn nothing_is_quadratic() {
    let mut source = String::new();
    for number in 0..60_000 {
        source.push_str(&format!("fn f{number}() {{ g(\"ht\", \"tps\", {number}, [1, 2, 3, 4, 5, 6, 7, 8]); f{number}(); }}\n"));
    }
    let start = std::time::Instant::now();
    scan(
        &[("src/lib.rs", &source), ("build.rs", &source)],
        Limits::default(),
    );
    // It takes a fraction of a second; a square would take hours.
    assert!(start.elapsed().as_secs() < 60);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Guards against panics on any text, and that every place that a report
    /// names exists.
    #[test]
    fn any_source(source in "(fn f\\(\\)|\\{|\\}|use std::process::Command as C;|C::new\\(|\"[a-zA-Z0-9+/=:.]{0,40}\"|reqwest::get|[;,()\\[\\]]|#\\[cfg\\(test\\)\\]|\\PC| ){0,80}") {
        let report = scan(&[("src/lib.rs", &source), ("build.rs", &source)], Limits::default());
        let lines = source.lines().count().max(1);
        for finding in &report.findings {
            for place in &finding.places {
                proptest::prop_assert!(place.line as usize <= lines + 1, "{:?}", place);
                proptest::prop_assert!(place.columns.0 <= place.columns.1);
            }
        }
    }
}

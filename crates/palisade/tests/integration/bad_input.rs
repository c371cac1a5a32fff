//! Whatever is wrong is named, with what to do, and exit code 2.

use crate::fixture::Fixture;

/// `stderr` of a run that must fail without printing data.
#[track_caller]
fn error(fixture: &Fixture, arguments: &[&str]) -> String {
    let output = fixture.run(arguments);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (2, ""),
        "{}",
        output.stderr
    );
    output.stderr
}

/// Guards the message for each state of the database.
#[test]
fn databases() {
    let fixture = Fixture::app("", "fn main() {}\n").file("empty/crates/.keep", "");
    insta::assert_snapshot!(error(&fixture, &["check", "--offline", "--db", "../nowhere"]), @"
    error: the advisory database ../nowhere does not exist

    hint: give the directory that contains `crates`, such as a clone of the RustSec advisory database
    ");
    insta::assert_snapshot!(error(&fixture, &["check", "--offline", "--db", "src"]), @"
    error: src is not an advisory database: it holds no `crates` directory

    hint: give the directory that contains `crates`, such as a clone of the RustSec advisory database
    ");
    insta::assert_snapshot!(error(&fixture, &["check", "--offline", "--db", "../empty"]), @"
    error: the advisory database ../empty holds no advisories

    hint: fetch the database again, or give another directory
    ");
    insta::assert_snapshot!(error(&fixture, &["check", "--offline"]), @"
    error: there is no local copy of the advisory database https://github.com/RustSec/advisory-db, and the network may not be used

    hint: run once without `--offline`, or give a directory with `--db`
    ");
}

/// Guards the message for each state of manifest and lockfile.
#[test]
fn projects() {
    let fixture = Fixture::app("", "fn main() {}\n");
    insta::assert_snapshot!(error(&fixture, &["check", "--offline", "--manifest-path", "../home", "--db", "../db"]), @"
    error: no Cargo.toml in `../home` or any directory above it

    hint: run it inside a Cargo project, or name one with --manifest-path
    ");
    fixture.write("ws/Cargo.lock", "<<<<<<< HEAD\n");
    insta::assert_snapshot!(error(&fixture, &["check", "--offline", "--db", "../db"]), @"
    error: `[ROOT]/ws/Cargo.lock` is not a lockfile: it holds an unresolved merge conflict

    hint: restore it from version control, or delete it and run `cargo generate-lockfile`
    ");
    fixture.write("ws/Cargo.toml", "[package\n");
    let text = error(&fixture, &["check", "--offline", "--db", "../db"]);
    assert!(
        text.starts_with("error: `[ROOT]/ws/Cargo.toml` is not valid TOML\n  caused by: "),
        "{text}"
    );
}

/// Guards usage errors: one message, exit code 2, nothing on standard output.
#[test]
fn usage() {
    let fixture = Fixture::app("", "fn main() {}\n");
    for arguments in [
        &["check", "--fail-on", "everything"][..],
        &["check", "--show", "paths=0"],
        &["check", "--format", "xml"],
        &["check", "--threads", "0"],
        &["callgraph", "ws", "--manifest-path", "Cargo.toml"],
        &["nonsense"],
        &[],
    ] {
        let text = error(&fixture, arguments);
        assert!(
            text.contains("Usage:") || text.contains("error:"),
            "{arguments:?}: {text}"
        );
    }
    let help = fixture.run(&["check", "--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("EXECUTES"), "{}", help.stdout);
    assert!(help.stdout.contains("Exit codes"), "{}", help.stdout);
}

//! Whatever is wrong is named, with what to do, and exit code 2.

use crate::fixture::{Fixture, functions};

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

const DEMO: &str = "pub fn bad() {}\npub fn good() {}\n";

fn demo(main: &str, lib: &str) -> Fixture {
    Fixture::app("demo = \"1\"", main)
        .package("demo", "1.0.0", "", lib)
        .advisory("RUSTSEC-2099-0001", "demo", &functions(&["demo::bad"]))
}

/// The verdict of the only finding.
#[track_caller]
fn verdict(fixture: &Fixture) -> String {
    let output = fixture.check(&["--format", "json"]);
    assert!(matches!(output.code, 0 | 1), "{}", output.stderr);
    let json = output.json();
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
    json["findings"][0]["verdict"].as_str().unwrap().to_owned()
}

/// Guards that code which cannot be read never earns a *not reached*: a file
/// that does not parse, one that is not UTF-8.
#[test]
fn broken_source_earns_nothing() {
    let control = demo("fn main() { demo::good(); }\n", DEMO);
    assert_eq!(verdict(&control), "not-reached");

    let unparsable = demo("mod odd;\nfn main() { odd::run(); }\n", DEMO)
        .file("ws/src/odd.rs", "pub fn run( { demo::bad() ]]\n");
    assert_ne!(
        verdict(&unparsable),
        "not-reached",
        "a file that does not parse"
    );

    let bytes = demo("mod odd;\nfn main() { odd::run(); }\n", DEMO);
    std::fs::write(
        bytes.path("ws/src/odd.rs"),
        b"pub fn run() { \xff demo::bad() }\n",
    )
    .unwrap();
    assert_ne!(verdict(&bytes), "not-reached", "a file that is not UTF-8");
}

/// Guards that a module without a file never earns a *not reached*.
#[test]
fn a_missing_module_earns_nothing() {
    let missing = demo("mod gone;\nfn main() { gone::run(); }\n", DEMO);
    assert_ne!(verdict(&missing), "not-reached");
}

/// Guards against input that would crash or hang a recursive reader, and that
/// what was not read never earns a *not reached*.
#[test]
fn deep_nesting() {
    let deep = |inner: &str| format!("{}{inner}{}", "(".repeat(20_000), ")".repeat(20_000));
    let main = format!("fn main() {{ let _ = {}; }}\n", deep("demo::bad()"));
    assert_ne!(verdict(&demo(&main, DEMO)), "not-reached");
}

/// Guards that a loop of links ends, and does not change the answer.
#[cfg(unix)]
#[test]
fn a_loop_of_links() {
    let fixture = demo("fn main() { demo::bad(); }\n", DEMO);
    std::os::unix::fs::symlink(fixture.path("ws"), fixture.path("ws/src/again")).unwrap();
    std::os::unix::fs::symlink("b", fixture.path("ws/src/a")).unwrap();
    std::os::unix::fs::symlink("a", fixture.path("ws/src/b")).unwrap();
    assert_eq!(verdict(&fixture), "reached");
}

/// Guards the message for a dependency that is not there and may not be
/// fetched.
#[test]
fn a_missing_dependency() {
    let fixture = demo("fn main() {}\n", DEMO);
    std::fs::remove_dir_all(fixture.path("vendor/demo-1.0.0")).unwrap();
    let text = error(&fixture, &["check", "--offline", "--db", "../db"]);
    assert!(text.contains("demo"), "{text}");
    assert!(text.contains("hint: "), "{text}");
}

//! `palisade.toml`.

use crate::fixture::Fixture;

fn ignoring(id: &str, expires: &str) -> Fixture {
    let config = format!(
        "[[ignore]]\nid = \"{id}\"\nreason = \"behind a proxy\"\nexpires = \"{expires}\"\n"
    );
    Fixture::app("demo = \"1\"", "fn main() { demo::f(); }\n")
        .package("demo", "1.0.0", "", "pub fn f() {}\n")
        .advisory("RUSTSEC-2099-0001", "demo", "")
        .file("ws/palisade.toml", &config)
}

/// Guards that an ignored finding is shown with its reason and does not fail
/// the run.
#[test]
fn ignored() {
    let output = ignoring("RUSTSEC-2099-0001", "2023-11-14").check(&[]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(
        output.stdout.starts_with("ignored: RUSTSEC-2099-0001"),
        "{}",
        output.stdout
    );
    assert!(
        output.stdout.contains("ignored: behind a proxy\n"),
        "{}",
        output.stdout
    );
    assert_eq!(output.stderr, "");
}

/// Guards that an expired ignore ignores nothing and is reported at its line.
#[test]
fn expired() {
    let output = ignoring("RUSTSEC-2099-0001", "2023-11-13").check(&[]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"
    warning: [ROOT]/ws/palisade.toml:2: the ignore of RUSTSEC-2099-0001 expired on 2023-11-13; decide again or remove it
    ");
}

/// Guards that an ignore which matches nothing is reported at its line.
#[test]
fn unused() {
    let output = ignoring("RUSTSEC-2099-0002", "2099-01-01").check(&[]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"
    warning: [ROOT]/ws/palisade.toml:2: the ignore of RUSTSEC-2099-0002 matches no finding; remove it
    ");
}

/// Guards that a mistake is an error at its line, whatever would be found.
#[test]
fn mistakes() {
    let fixture = Fixture::app("", "fn main() {}\n").file("ws/palisade.toml", "fail_on = []\n");
    let output = fixture.check(&[]);
    insta::assert_snapshot!(output.stderr, @"
    error: [ROOT]/ws/palisade.toml:1: unknown key `fail_on`; the keys here are `db`, `fail-on`, `[[ignore]]`, `[[suppress]]` and `[gateway]`

    hint: docs/configuration.md describes the file
    ");
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
}

/// Guards that the database and what fails a run can be configured.
#[test]
fn database_and_fail_on() {
    let fixture = Fixture::app("demo = \"1\"", "fn main() {}\n")
        .package("demo", "1.0.0", "", "")
        .file("db/crates/demo/RUSTSEC-2099-0001.md", "not an advisory")
        .file(
            "ws/palisade.toml",
            "db = \"../db\"\nfail-on = [\"unknown\"]\n",
        );
    let output = fixture.run(&["check", "--offline"]);
    assert_eq!(output.code, 3, "{}", output.stderr);
}

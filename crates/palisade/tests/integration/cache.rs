//! The second run.

use std::fs;

use crate::fixture::{Fixture, functions};

fn fixture() -> Fixture {
    Fixture::app("demo = \"1\"", "fn main() { demo::f(); }\n")
        .package("demo", "1.0.0", "", "pub fn f() {}\npub fn g() {}\n")
        .advisory("RUSTSEC-2099-0001", "demo", &functions(&["demo::f"]))
}

fn answers(fixture: &Fixture) -> usize {
    fs::read_dir(fixture.path("cache/palisade/answers")).map_or(0, Iterator::count)
}

/// Guards that the second run answers from the cache, with the same bytes,
/// and that a change of the source changes the answer.
#[test]
fn second_run() {
    let fixture = fixture();
    let first = fixture.check(&["--format", "json"]);
    assert_eq!((first.code, answers(&fixture)), (1, 1), "{}", first.stderr);
    let second = fixture.check(&["--format", "json"]);
    assert_eq!(second.stdout, first.stdout);
    assert_eq!((second.code, answers(&fixture)), (1, 1));

    fixture.write("ws/src/main.rs", "fn main() { demo::g(); }\n");
    let changed = fixture.check(&["--format", "json"]);
    assert_eq!((changed.code, answers(&fixture)), (0, 2));
    assert_eq!(changed.json()["findings"][0]["verdict"], "not-reached");
}

/// Guards that a walk which stopped early is not reused for a question that it
/// did not answer.
#[test]
fn another_question() {
    let fixture = fixture();
    assert_eq!(fixture.check(&[]).code, 1);
    let fixture = fixture.advisory("RUSTSEC-2099-0002", "demo", &functions(&["demo::g"]));
    let output = fixture.check(&["--format", "json"]);
    let json = output.json();
    let verdicts: Vec<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["verdict"])
        .collect();
    assert_eq!(verdicts, ["reached", "not-reached"]);
}

/// Guards that the configuration is applied to cached answers too.
#[test]
fn configuration_counts() {
    let fixture = fixture();
    assert_eq!(fixture.check(&[]).code, 1);
    fixture.write(
        "ws/palisade.toml",
        "[[ignore]]\nid = \"RUSTSEC-2099-0001\"\nreason = \"r\"\nexpires = \"2099-01-01\"\n",
    );
    assert_eq!(fixture.check(&[]).code, 0);
}

/// Guards that the user can do without.
#[test]
fn no_cache() {
    let fixture = fixture();
    assert_eq!(fixture.check(&["--no-cache"]).code, 1);
    assert_eq!(answers(&fixture), 0);
}

/// Guards that a damaged answer is worked out again.
#[test]
fn damaged() {
    let fixture = fixture();
    let first = fixture.check(&["--format", "json"]);
    let file = fs::read_dir(fixture.path("cache/palisade/answers"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::write(&file, "{").unwrap();
    assert_eq!(fixture.check(&["--format", "json"]).stdout, first.stdout);
    assert!(fs::metadata(&file).unwrap().len() > 1);
}

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

/// Guards every part that an answer depends on: each is changed by itself, the
/// answer changes, and it is the old one again when the change is taken back.
#[test]
fn each_part_changes_the_answer() {
    const MAIN: &str = "mod part;\nfn main() {\n    part::go();\n    \
        #[cfg(any(feature = \"risky\", windows, risky))]\n    demo::f();\n}\n";
    const MANIFEST: &str = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
        [features]\nrisky = []\n\n[dependencies]\ndemo = \"1\"\n";
    const ADVISORY: &str = "db/crates/demo/RUSTSEC-2099-0001.md";
    let fixture = Fixture::app("demo = \"1\"", MAIN)
        .package("demo", "1.0.0", "", "pub fn f() {}\npub fn g() {}\n")
        .file("ws/Cargo.toml", MANIFEST)
        .file("ws/src/part.rs", "pub fn go() { demo::g(); }\n")
        .file("ws/src/bin/other.rs", "fn main() { demo::f(); }\n")
        .advisory("RUSTSEC-2099-0001", "demo", &functions(&["demo::f"]));
    let app = ["--bin", "app"];
    let check = |flags: &[&str], variable: (&str, &str)| {
        let mut command = fixture.command();
        command
            .args(["check", "--offline", "--db"])
            .arg(fixture.path("db"))
            .args(flags)
            .env(variable.0, variable.1);
        fixture.finish(&mut command)
    };
    let plain = ("LANG", "C");
    let first = check(&app, plain);
    assert_eq!((first.code, answers(&fixture)), (0, 1), "{}", first.stderr);
    let changes = |what: &str, flags: &[&str], variable: (&str, &str), code: i32| {
        let output = check(flags, variable);
        assert_eq!(
            output.code, code,
            "{what}: {}{}",
            output.stdout, output.stderr
        );
    };
    let rewrites = |file: &str, rewrite: &dyn Fn(&str) -> String, code: i32| {
        let kept = fs::read_to_string(fixture.path(file)).unwrap_or_default();
        fixture.write(file, &rewrite(&kept));
        changes(file, &app, plain, code);
        fixture.write(file, &kept);
        assert_eq!(check(&app, plain).stdout, first.stdout, "{file} as it was");
    };

    changes(
        "a feature",
        &["--bin", "app", "--features", "risky"],
        plain,
        1,
    );
    let windows = ["--bin", "app", "--target", "x86_64-pc-windows-gnu"];
    changes("the target", &windows, plain, 1);
    changes("the entry point", &["--bin", "other"], plain, 1);
    changes("a flag", &app, ("RUSTFLAGS", "--cfg risky"), 1);
    let nowhere = fixture.path("nowhere");
    let sysroot = ("PALISADE_SYSROOT_SRC", nowhere.to_str().unwrap());
    changes("the standard library's source", &app, sysroot, 2);
    rewrites(
        "ws/src/part.rs",
        &|text| text.replace("demo::g", "demo::f"),
        1,
    );
    rewrites(
        "ws/Cargo.toml",
        &|text| text.replace("risky = []", "default = [\"risky\"]\nrisky = []"),
        1,
    );
    rewrites(
        "cargo/config.toml",
        &|text| format!("{text}[build]\nrustflags = [\"--cfg\", \"risky\"]\n"),
        1,
    );
    rewrites(ADVISORY, &|text| text.replace("demo::f", "demo::g"), 1);
    // Patched by the lockfile alone: nothing applies any more.
    let file = "ws/Cargo.lock";
    let text = fs::read_to_string(fixture.path(file)).unwrap();
    let patched = text.replace(
        "name = \"demo\"\nversion = \"1.0.0\"",
        "name = \"demo\"\nversion = \"1.0.1\"",
    );
    fixture.write(file, &patched);
    let output = check(&app, plain);
    assert_ne!(output.stdout, first.stdout);
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

//! `scan` and `score` beside a repository, and with advisories.

use std::process::Command;

use crate::fixture::Fixture;

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT\"\nrepository = \"https://example.com/Owner/demo.git\"\n[dependencies]\nbad = \"1\"\n";

/// A repository, and a package that was made from its only commit.
#[expect(
    clippy::disallowed_methods,
    reason = "git works in a repository that the test has made"
)]
fn fixture() -> Fixture {
    let fixture = Fixture::app("", "fn main() {}\n");
    for root in ["clones/example.com/owner/demo", "ws/demo"] {
        fixture.write(&format!("{root}/Cargo.toml"), MANIFEST);
        fixture.write(&format!("{root}/src/lib.rs"), "pub fn f() {}\n");
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            .current_dir(fixture.path("clones/example.com/owner/demo"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "m"]);
    let commit = git(&["rev-parse", "HEAD"]);
    fixture.write(
        "ws/demo/.cargo_vcs_info.json",
        &format!("{{\"git\":{{\"sha1\":\"{commit}\"}},\"path_in_vcs\":\"\"}}"),
    );
    fixture
}

/// Guards both ways to name a repository, what JSON says, and that the score
/// knows.
#[test]
fn repository() {
    let fixture = fixture();
    for arguments in [
        ["--repository", "../clones/example.com/owner/demo"],
        ["--repositories", "../clones"],
    ] {
        let mut all = vec!["scan", "demo", "--format", "json"];
        all.extend(arguments);
        let output = fixture.run(&all);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let provenance = &output.json()["targets"][0]["provenance"];
        assert_eq!(provenance["class"], "match", "{provenance}");
        assert_eq!(provenance["reference"], "refs/heads/main");
        assert_eq!(provenance["same"], 2);
    }
    let score = fixture.run(&["score", "demo", "--repositories", "../clones"]);
    assert!(
        score
            .stdout
            .contains("10  source-revision          every file is the repository's"),
        "{}",
        score.stdout
    );
    fixture.write("ws/demo/build.rs", "fn main() {}\n");
    let output = fixture.run(&["scan", "demo", "--repositories", "../clones"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(
        output.stdout.contains(
            "error[source-mismatch]: build script `build.rs` is not in the repository: 13 bytes"
        ),
        "{}",
        output.stdout
    );
    let gone = fixture.run(&[
        "scan",
        "demo",
        "--repositories",
        "../nothing",
        "--format",
        "json",
    ]);
    let provenance = &gone.json()["targets"][0]["provenance"];
    assert_eq!(provenance["class"], "repository-gone", "{provenance}");
    let wrong = fixture.run(&["scan", "demo", "--repository", "demo"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stdout);
    assert!(
        wrong.stderr.contains("hint: name a clone"),
        "{}",
        wrong.stderr
    );
}

/// Guards that a dependency that an advisory calls malicious fails the run.
#[test]
fn carriers() {
    let fixture = fixture();
    fixture.write(
        "db/crates/bad/RUSTSEC-2026-0001.md",
        "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"bad\"\ndate = \"2026-01-01\"\ncategories = [\"malicious\"]\n\n[versions]\npatched = []\n```\n\n# `bad` was removed\n\nText.\n",
    );
    let output = fixture.run(&["scan", "demo", "--db", "../db"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(
        output.stdout.contains(
            "error[carrier]: it depends on bad (normal), which RUSTSEC-2026-0001 calls malicious"
        ),
        "{}",
        output.stdout
    );
}

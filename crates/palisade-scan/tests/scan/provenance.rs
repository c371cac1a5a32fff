//! Packages beside their repositories: every class of result, and what a
//! repository must not be able to do. The repositories are made here, with git
//! itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_scan::{
    FetchError, FetchOptions, Input, Provenance, ProvenanceClass, Report, Repository,
    RepositoryLimits, Scanner, ScannerOptions, Severity, fetch,
};

use crate::fixture::pack;

/// The rules that need a repository, and so have their tests here.
pub(crate) const RULES: &[&str] = &["source-mismatch", "source-unverified"];

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";

/// A repository with a package in `crates/demo`.
struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let world = World {
            dir: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir_all(world.path("repository")).unwrap();
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world.write("crates/demo/Cargo.toml", MANIFEST);
        world.write("crates/demo/src/lib.rs", "pub fn f() {}\n");
        world.write("LICENSE", "MIT\n");
        world.commit();
        world
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        let root = Utf8Path::from_path(self.dir.path()).unwrap();
        root.join(name)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "git works in a repository that the test has made"
    )]
    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.dir.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            .current_dir(self.path("repository"))
            .args(arguments)
            .output()
            .expect("git is installed");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path("repository").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits everything; returns the commit.
    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "m", "--allow-empty"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The package as cargo would pack it from this commit.
    fn files(&self, commit: &str) -> BTreeMap<String, String> {
        let info = format!("{{\"git\":{{\"sha1\":\"{commit}\"}},\"path_in_vcs\":\"crates/demo\"}}");
        [
            ("Cargo.toml.orig", MANIFEST),
            ("Cargo.toml", "# normalised\n[package]\nname = \"demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\nbuild = false\n"),
            ("Cargo.lock", "version = 4\n"),
            ("src/lib.rs", "pub fn f() {}\n"),
            (".cargo_vcs_info.json", info.as_str()),
        ]
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect()
    }

    fn report(&self, files: &BTreeMap<String, String>) -> Report {
        self.report_with(files, RepositoryLimits::default())
    }

    fn report_with(&self, files: &BTreeMap<String, String>, limits: RepositoryLimits) -> Report {
        let path = self.path("demo-1.0.0.crate");
        std::fs::write(&path, pack("demo", "1.0.0", files)).unwrap();
        let scanner = Scanner::new(ScannerOptions::default());
        let input = Input::Archive(path);
        let mut report = scanner.scan(&input).unwrap();
        let tree = scanner.files(&input).unwrap();
        let repository = Repository::open(&self.path("repository"), limits).unwrap();
        report.add_provenance(Provenance::check(&tree, "demo", &repository).unwrap());
        report
    }

    fn class(&self, files: &BTreeMap<String, String>) -> ProvenanceClass {
        self.report(files).provenance.unwrap().class
    }
}

/// What a rule says about a report.
fn found(report: &Report, rule: &str) -> Option<(Severity, String)> {
    let finding = report
        .findings
        .iter()
        .find(|finding| finding.detector == rule)?;
    Some((finding.severity, finding.message.clone()))
}

fn with(files: &BTreeMap<String, String>, path: &str, text: &str) -> BTreeMap<String, String> {
    let mut files = files.clone();
    files.insert(path.to_owned(), text.to_owned());
    files
}

/// Guards that the repository's own files are a match, with the branch that
/// leads to them, and that what cargo writes by itself is none of the
/// repository's business.
#[test]
fn a_match() {
    let world = World::new();
    let files = world.files(&world.commit());
    let report = world.report(&files);
    let provenance = report.provenance.as_ref().unwrap();
    assert_eq!(provenance.class, ProvenanceClass::Match, "{provenance:?}");
    assert_eq!(provenance.reference.as_deref(), Some("refs/heads/main"));
    assert_eq!(provenance.same, 2);
    for rule in RULES {
        assert_eq!(found(&report, rule), None);
    }
    let check = report
        .hygiene
        .checks
        .iter()
        .find(|check| check.id == "source-revision");
    assert_eq!(check.unwrap().score, Some(10));
}

/// Guards what cargo and git change on the way: each is a match, and named.
#[test]
fn what_is_normalised_matches() {
    let world = World::new();
    world.write("crates/demo/crlf.txt", "one\ntwo\n");
    world.write("assets/data.txt", "data\n");
    std::os::unix::fs::symlink(
        "../../assets/data.txt",
        world.path("repository/crates/demo/data.txt"),
    )
    .unwrap();
    std::os::unix::fs::symlink("../../assets", world.path("repository/crates/demo/assets"))
        .unwrap();
    let digest = "0e2f55ca2ea4bf4c9ffa5b7b7a2b8e7e5d2e0d0a0c4d3b9b3d8f9c1a6e7b8c9d";
    world.write(
        "crates/demo/large.bin",
        &format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 3\n"),
    );
    let files = world.files(&world.commit());
    let normalised = |path: &str, text: &str| {
        let report = world.report(&with(&files, path, text));
        let provenance = report.provenance.unwrap();
        assert_eq!(
            provenance.class,
            ProvenanceClass::MatchNormalised,
            "{path}: {provenance:?}"
        );
        provenance.normalised[0].1.clone()
    };
    assert_eq!(
        normalised("crlf.txt", "one\r\ntwo\r\n"),
        "the ends of lines differ"
    );
    assert_eq!(normalised("data.txt", "data\n"), "a link was followed");
    assert_eq!(
        normalised("assets/data.txt", "data\n"),
        "a link was followed"
    );
    assert_eq!(
        normalised("data.txt", "../../assets/data.txt"),
        "a link was packed as its text"
    );
    assert_eq!(
        normalised("LICENSE", "MIT\n"),
        "it was copied from outside of the package's directory"
    );
    assert_eq!(
        normalised("Cargo.toml.orig", &MANIFEST.replace("1.0.0", "1.0.1")),
        "the version was set while publishing"
    );
    // A pointer stands for the file with its checksum, and for no other.
    assert_eq!(
        world.class(&with(&files, "large.bin", "abc")),
        ProvenanceClass::Different
    );
    // A carriage return inside of a line is no end of one.
    assert_eq!(
        world.class(&with(&files, "crlf.txt", "one\rtwo\n")),
        ProvenanceClass::Different
    );
}

/// Guards the class that matters: code that the repository never had, and code
/// that it has otherwise. Other files count less.
#[test]
fn what_is_added_or_changed_differs() {
    let world = World::new();
    let files = world.files(&world.commit());
    let extra = world.report(&with(&files, "build.rs", "fn main() {}\n"));
    let provenance = extra.provenance.as_ref().unwrap();
    assert_eq!(provenance.class, ProvenanceClass::Different);
    let (severity, message) = found(&extra, "source-mismatch").unwrap();
    assert_eq!(severity, Severity::High);
    assert!(
        message.starts_with("build script `build.rs` is not in the repository"),
        "{message}"
    );
    assert!(extra.risk >= 80, "{}", extra.risk);
    let changed = world.report(&with(
        &files,
        "src/lib.rs",
        "pub fn f() {}\npub fn g() {}\n",
    ));
    let (severity, message) = found(&changed, "source-mismatch").unwrap();
    assert_eq!(severity, Severity::High);
    assert!(
        message.starts_with("code `src/lib.rs` is not the repository's"),
        "{message}"
    );
    assert_eq!(changed.provenance.unwrap().differences[0].line, 2);
    let manifest = format!("{MANIFEST}[dependencies]\nevil = \"1\"\n");
    let manifest = world.report(&with(&files, "Cargo.toml.orig", &manifest));
    let (severity, message) = found(&manifest, "source-mismatch").unwrap();
    assert_eq!(severity, Severity::High);
    assert!(message.contains("`dependencies.evil` differ"), "{message}");
    let notes = world.report(&with(&files, "notes.txt", "n\n"));
    assert_eq!(found(&notes, "source-mismatch").unwrap().0, Severity::Low);
    let other = with(
        &files,
        ".cargo_vcs_info.json",
        &files[".cargo_vcs_info.json"].replace("crates/demo", "elsewhere"),
    );
    assert_eq!(world.class(&other), ProvenanceClass::Different);
}

/// Guards that a dirty package says so, and that its differences weigh less.
#[test]
fn dirty() {
    let world = World::new();
    let mut files = world.files(&world.commit());
    let info = files[".cargo_vcs_info.json"].replace("\"}", "\",\"dirty\":true}");
    files.insert(".cargo_vcs_info.json".to_owned(), info);
    let report = world.report(&files);
    assert_eq!(
        report.provenance.as_ref().unwrap().class,
        ProvenanceClass::Dirty
    );
    assert_eq!(
        found(&report, "source-unverified").unwrap().0,
        Severity::Low
    );
    let report = world.report(&with(&files, "src/lib.rs", "pub fn g() {}\n"));
    assert_eq!(
        report.provenance.as_ref().unwrap().class,
        ProvenanceClass::Dirty
    );
    assert_eq!(
        found(&report, "source-mismatch").unwrap().0,
        Severity::Medium
    );
}

/// Guards commits that are not there, and those that are there without a
/// branch or tag that leads to them: a forge answers for those of strangers'
/// forks as well. A tag suffices, and a proposal's reference does not.
#[test]
fn commits() {
    let world = World::new();
    let missing = world.files(&"1".repeat(40));
    assert_eq!(world.class(&missing), ProvenanceClass::CommitNotFound);
    let commit = world.commit();
    let files = world.files(&commit);
    world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    world.git(&["update-ref", "refs/pull/1/head", &commit]);
    let report = world.report(&files);
    let class = report.provenance.as_ref().unwrap().class;
    assert_eq!(class, ProvenanceClass::CommitUnreachable);
    assert_eq!(
        found(&report, "source-unverified").unwrap().0,
        Severity::Medium
    );
    world.git(&["tag", "--annotate", "--message", "m", "v1.0.0", &commit]);
    let report = world.report(&files);
    let provenance = report.provenance.unwrap();
    assert_eq!(provenance.class, ProvenanceClass::Match);
    assert_eq!(provenance.reference.as_deref(), Some("refs/tags/v1.0.0"));
}

/// Guards packages that say nothing, or nothing that can be read, and those
/// whose repository is gone.
#[test]
fn nothing_to_compare() {
    let world = World::new();
    let files = world.files(&world.commit());
    for text in ["", "{", "{}", "{\"git\":{\"sha1\":\"../../x\"}}", "[1]"] {
        let class = world.class(&with(&files, ".cargo_vcs_info.json", text));
        assert_eq!(class, ProvenanceClass::NoInformation, "{text}");
    }
    let mut without = files.clone();
    without.remove(".cargo_vcs_info.json");
    let report = world.report(&without);
    assert_eq!(
        report.provenance.as_ref().unwrap().class,
        ProvenanceClass::NoInformation
    );
    assert_eq!(
        found(&report, "source-unverified").unwrap().0,
        Severity::Low
    );
    // Without a path, as old versions of cargo leave it, it is searched.
    let info = files[".cargo_vcs_info.json"].replace(",\"path_in_vcs\":\"crates/demo\"", "");
    let old = world.class(&with(&files, ".cargo_vcs_info.json", &info));
    assert_eq!(old, ProvenanceClass::Match);
    let out = files[".cargo_vcs_info.json"].replace("crates/demo", "../../etc");
    let out = world.class(&with(&files, ".cargo_vcs_info.json", &out));
    assert_eq!(out, ProvenanceClass::NoInformation);

    let scanner = Scanner::new(ScannerOptions::default());
    let path = world.path("demo-1.0.0.crate");
    std::fs::write(&path, pack("demo", "1.0.0", &files)).unwrap();
    let tree = scanner.files(&Input::Archive(path)).unwrap();
    let gone = Provenance::gone(&tree, "nothing answers");
    assert_eq!(gone.class, ProvenanceClass::RepositoryGone);
}

/// Guards that nothing of a hostile repository is executed or followed out of
/// it, and that its loops and sizes end somewhere.
#[test]
fn hostile_repositories() {
    let world = World::new();
    let mark = world.path("mark");
    let run = format!("touch {mark}");
    for hook in [
        "post-checkout",
        "post-merge",
        "reference-transaction",
        "pre-auto-gc",
    ] {
        world.write(
            &format!(".git/hooks/{hook}"),
            &format!("#!/bin/sh\n{run}\n"),
        );
        let path = world.path(&format!("repository/.git/hooks/{hook}"));
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, executable).unwrap();
    }
    world.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    std::os::unix::fs::symlink("loop", world.path("repository/crates/demo/loop")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", world.path("repository/crates/demo/out")).unwrap();
    std::os::unix::fs::symlink(
        "../../../../../../etc/passwd",
        world.path("repository/crates/demo/up"),
    )
    .unwrap();
    world.write("crates/demo/big.bin", &"x".repeat(5000));
    let _ = std::fs::remove_file(&mark);
    let commit = world.commit();
    for (key, value) in [
        ("filter.evil.smudge", run.as_str()),
        ("filter.evil.clean", run.as_str()),
        ("filter.evil.process", run.as_str()),
        ("diff.evil.textconv", run.as_str()),
        ("core.fsmonitor", run.as_str()),
        ("core.sshCommand", run.as_str()),
        ("core.pager", run.as_str()),
        ("core.editor", run.as_str()),
    ] {
        world.git(&["config", key, value]);
    }
    let _ = std::fs::remove_file(&mark);
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut files = world.files(&commit);
    for name in ["loop", "out", "up"] {
        files.insert(name.to_owned(), passwd.clone());
    }
    let report = world.report(&files);
    let provenance = report.provenance.unwrap();
    assert_eq!(provenance.class, ProvenanceClass::Different);
    let mut paths: Vec<&str> = provenance
        .differences
        .iter()
        .map(|difference| difference.path.as_str())
        .collect();
    paths.sort_unstable();
    assert_eq!(paths, ["loop", "out", "up"]);
    assert!(!mark.exists(), "the repository had something executed");

    // What is too large is named, and does not count as the same.
    let files = with(&world.files(&commit), "big.bin", "y");
    let limits = RepositoryLimits {
        blob_bytes: 4096,
        ..RepositoryLimits::default()
    };
    let report = world.report_with(&files, limits);
    let provenance = report.provenance.unwrap();
    assert_eq!(provenance.unresolved.len(), 1, "{provenance:?}");
    let limits = RepositoryLimits {
        commits: 1,
        ..RepositoryLimits::default()
    };
    let report = world.report_with(&files, limits);
    assert!(report.provenance.unwrap().unresolved[0].contains("history is too long"),);
}

/// Guards a clone that knows only the newest commit: an older one may exist.
#[test]
fn shallow_clones_prove_nothing() {
    let world = World::new();
    let old = world.commit();
    world.write("crates/demo/src/lib.rs", "pub fn g() {}\n");
    world.commit();
    let shallow = world.path("shallow");
    let address = format!("file://{}", world.path("repository"));
    world.git(&[
        "clone",
        "--quiet",
        "--bare",
        "--depth=1",
        &address,
        shallow.as_str(),
    ]);
    let scanner = Scanner::new(ScannerOptions::default());
    let path = world.path("demo-1.0.0.crate");
    std::fs::write(&path, pack("demo", "1.0.0", &world.files(&old))).unwrap();
    let tree = scanner.files(&Input::Archive(path)).unwrap();
    let repository = Repository::open(&shallow, RepositoryLimits::default()).unwrap();
    let provenance = Provenance::check(&tree, "demo", &repository).unwrap();
    assert_eq!(provenance.class, ProvenanceClass::CommitNotFound);
    assert!(provenance.unresolved[0].contains("shallow"));
}

/// Guards fetching: a bare clone without a checkout, and an address where
/// nothing is.
#[test]
fn fetching() {
    let world = World::new();
    let files = world.files(&world.commit());
    let place = world.path("clones/example.com/owner/demo");
    let address = format!("file://{}", world.path("repository"));
    fetch(&address, &place, &FetchOptions::default()).unwrap();
    assert!(!place.join("crates").exists(), "a checkout was made");
    let path = world.path("demo-1.0.0.crate");
    std::fs::write(&path, pack("demo", "1.0.0", &files)).unwrap();
    let scanner = Scanner::new(ScannerOptions::default());
    let tree = scanner.files(&Input::Archive(path)).unwrap();
    let repository = Repository::open(&place, RepositoryLimits::default()).unwrap();
    let provenance = Provenance::check(&tree, "demo", &repository).unwrap();
    assert_eq!(provenance.class, ProvenanceClass::Match, "{provenance:?}");
    let nowhere = format!("file://{}", world.path("nowhere"));
    let error = fetch(&nowhere, &world.path("clones/x"), &FetchOptions::default()).unwrap_err();
    assert!(matches!(error, FetchError::Gone(_)), "{error}");
    assert!(!Path::new(world.path("clones/x").as_str()).exists());
}

/// Guards what the real cargo does to a real package: nothing of it may look
/// like a difference.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "cargo packs a package that the test has made"
)]
fn cargos_own_archives_match() {
    let world = World::new();
    world.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/demo\"]\nresolver = \"2\"\n[workspace.package]\nversion = \"1.0.0\"\nlicense-file = \"LICENSE\"\nreadme = \"docs/README.md\"\n",
    );
    world.write("docs/README.md", "# Demo\n");
    world.write("assets/logo.svg", "<svg/>\n");
    world.write("crates/demo/build.rs", "fn main() {}\r\n");
    std::os::unix::fs::symlink(
        "../../assets/logo.svg",
        world.path("repository/crates/demo/logo.svg"),
    )
    .unwrap();
    world.write(
        "crates/demo/Cargo.toml",
        "[package]\nname = \"demo\"\nversion.workspace = true\nedition = \"2021\"\nlicense-file.workspace = true\nreadme.workspace = true\ndescription = \"d\"\n\n[features]\nextra = []\n",
    );
    world.write(".gitignore", "target\nCargo.lock\n");
    world.commit();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(world.path("repository/crates/demo"))
        .env("CARGO_TARGET_DIR", world.path("target"))
        // Another cargo may hold the locks of the user's own.
        .env("CARGO_HOME", world.path("cargo"))
        .args(["package", "--quiet", "--offline", "--no-verify"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let scanner = Scanner::new(ScannerOptions::default());
    let input = Input::Archive(world.path("target/package/demo-1.0.0.crate"));
    let tree = scanner.files(&input).unwrap();
    let repository =
        Repository::open(&world.path("repository"), RepositoryLimits::default()).unwrap();
    let provenance = Provenance::check(&tree, "demo", &repository).unwrap();
    assert_eq!(
        provenance.class,
        ProvenanceClass::MatchNormalised,
        "{provenance:?}"
    );
    assert_eq!(provenance.differences, []);
    let report = scanner.scan(&input).unwrap();
    assert!(
        !report
            .findings
            .iter()
            .any(|finding| finding.detector == "manifest-disagreement"),
        "{:?}",
        report.findings
    );
}

//! The first phase, which needs no process.

use camino::Utf8Path;
use palisade_model::PackageSource;
use palisade_project::{Limits, Lockfile, find_lockfile, read_lock};
use proptest::prelude::*;

use crate::support::{Project, chain, package, write};

fn read(text: &str) -> Result<Lockfile, String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = Utf8Path::from_path(directory.path())
        .expect("a UTF-8 path")
        .join("Cargo.lock");
    write(&file, text);
    read_lock(&file, &Limits::default()).map_err(|error| chain(&error))
}

/// Guards where packages come from, as only some can have advisories, and the
/// three ways in which a lockfile names a dependency.
#[test]
fn packages_sources_and_edges() {
    let lock = read(
        r#"version = 4
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["dup 1.0.0", "dup 2.0.0 (git+https://example.org/dup#abc)", "one"]
[[package]]
name = "dup"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
[[package]]
name = "dup"
version = "2.0.0"
source = "git+https://example.org/dup#abc"
[[package]]
name = "one"
version = "0.3.0-rc.1+meta"
source = "sparse+https://crates.example.org/index/"
dependencies = ["dup 1.0.0", "gone"]
"#,
    )
    .expect("a lockfile");
    let sources: Vec<&PackageSource> = lock
        .packages
        .iter()
        .map(|package| &package.source)
        .collect();
    assert_eq!(
        sources,
        [
            &PackageSource::Path,
            &PackageSource::CratesIo,
            &PackageSource::Git("https://example.org/dup#abc".to_owned()),
            &PackageSource::OtherRegistry("sparse+https://crates.example.org/index/".to_owned()),
        ]
    );
    assert_eq!(lock.edges, [(0, 1), (0, 2), (0, 3), (3, 1)]);
    assert_eq!(lock.parents(1).collect::<Vec<_>>(), [0, 3]);
}

/// Guards the oldest form, which kept the root package apart.
#[test]
fn the_first_version_is_read() {
    let lock = read(
        "[root]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"a 0.1.0 (registry+https://github.com/rust-lang/crates.io-index)\"]\n\
         [[package]]\nname = \"a\"\nversion = \"0.1.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n",
    )
    .expect("a lockfile");
    assert_eq!(lock.edges, [(0, 1)]);
}

/// Guards that what is not a lockfile gets one clear message.
#[test]
fn broken_lockfiles_are_named() {
    for (text, part) in [
        ("[[package]]\nname = \"a\"\n", "has no version"),
        ("[[package]]\nversion = \"1.0.0\"\n", "has no name"),
        (
            "[[package]]\nname = \"a\"\nversion = \"one\"\n",
            "is not a version",
        ),
        ("<<<<<<< HEAD\n[[package]]\n", "merge conflict"),
        ("[[package", "not valid TOML"),
    ] {
        let message = read(text).expect_err("it is broken");
        assert!(message.contains(part), "{message}");
        assert!(message.contains("Cargo.lock"), "{message}");
    }
}

/// Guards how the lockfile of a member is found without cargo.
#[test]
fn the_workspace_owns_the_lockfile() {
    let project = Project::new(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"a\"]\nexclude = [\"b\"]\n",
        ),
        ("a/Cargo.toml", &package("a", "")),
        ("a/src/deep/file.rs", ""),
        ("b/Cargo.toml", &package("b", "")),
        (
            "c/Cargo.toml",
            &package("c", "workspace = \"../elsewhere\"\n"),
        ),
    ]);
    let find = |path: &str| {
        let file = find_lockfile(&project.root().join(path), &Limits::default()).expect(path);
        file.strip_prefix(project.root())
            .expect("inside")
            .to_owned()
    };
    assert_eq!(find("a/src/deep"), "Cargo.lock");
    assert_eq!(find("a/Cargo.toml"), "Cargo.lock");
    assert_eq!(find("b"), "b/Cargo.lock");
    assert_eq!(find("c"), "elsewhere/Cargo.lock");
}

/// Guards against a file that is too large to be a lockfile.
#[test]
fn a_limit_is_an_error() {
    let project = Project::new(&[("Cargo.lock", "version = 4\n")]);
    let limits = Limits {
        lockfile_bytes: 4,
        ..Limits::default()
    };
    let error = read_lock(&project.root().join("Cargo.lock"), &limits).expect_err("too large");
    assert!(chain(&error).contains("larger than 4 bytes"));
}

proptest! {
    /// Guards against a panic on any text.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        drop(read(&text));
    }

    /// The same for text that nearly is a lockfile.
    #[test]
    fn anything_like_a_lockfile_is_read_or_refused(
        name in "[a-z\\PC]{0,4}", version in "[0-9.]{0,8}", dependency in "[a-z0-9. ()+]{0,12}",
    ) {
        drop(read(&format!(
            "[[package]]\nname = {name:?}\nversion = {version:?}\ndependencies = [{dependency:?}]\n"
        )));
    }
}

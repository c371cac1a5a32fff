//! Directories as source trees.

use std::fs;

use camino::Utf8Path;
use palisade_archive::{
    ArchiveError, CrateArchive, DirectoryOptions, Limits, OmittedKind, ReadOptions, SourceTree,
};
use tempfile::TempDir;

use crate::writer::{demo, gzip, tar};

/// The demo crate as cargo unpacks it.
fn unpacked() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in demo() {
        let path = String::from_utf8(entry.path).unwrap();
        let path = dir.path().join(path.strip_prefix("demo-1.0.0/").unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, entry.data).unwrap();
    }
    fs::write(dir.path().join(".cargo-ok"), "{\"v\":1}").unwrap();
    dir
}

fn read(dir: &TempDir, options: &DirectoryOptions) -> SourceTree {
    SourceTree::from_directory(Utf8Path::from_path(dir.path()).unwrap(), options).unwrap()
}

/// Guards that a crate is the same tree, packed or unpacked by cargo.
#[test]
fn a_directory_is_the_tree_of_its_archive() {
    let dir = read(&unpacked(), &DirectoryOptions::default());
    let bytes = gzip(&tar(&demo()));
    let archive = CrateArchive::from_bytes("demo", &bytes, &ReadOptions::strict()).unwrap();
    assert!(dir.files().eq(archive.tree().files()));
    assert_eq!(dir.findings(), []);
    assert!(dir.is_complete());
}

/// Guards that links are named and never followed, and that a pipe is not
/// opened, which would wait for ever.
#[cfg(unix)]
#[test]
fn links_and_pipes_are_not_opened() {
    let dir = unpacked();
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink(secret.path(), dir.path().join("link")).unwrap();
    std::os::unix::fs::symlink("/nowhere", dir.path().join("src/dangling")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    let tree = read(&dir, &DirectoryOptions::default());
    drop(socket);
    let codes: Vec<_> = tree
        .findings()
        .iter()
        .map(|found| found.kind.code())
        .collect();
    assert_eq!(codes, ["symbolic-link", "device", "symbolic-link"]);
    assert_eq!(tree.files().len(), 3);
    let target = secret.path().to_str().unwrap().to_owned();
    assert_eq!(tree.omitted()[0].kind, OmittedKind::Link(target));
}

/// Guards that build output is left out when asked, at the top alone, and that
/// it is listed: a crate could call a directory of its own `target`.
#[test]
fn skipped_names_are_listed() {
    let dir = unpacked();
    for name in ["target", "src/target"] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("file"), "x").unwrap();
    }
    let options = DirectoryOptions {
        skip: vec!["target".to_owned()],
        ..DirectoryOptions::default()
    };
    let tree = read(&dir, &options);
    assert!(!tree.contains("target/file") && tree.contains("src/target/file"));
    assert_eq!(tree.omitted()[0].kind, OmittedKind::Skipped);
}

/// Guards the limits on directories.
#[test]
fn limits_hold_for_directories() {
    let dir = unpacked();
    let cases = [
        (
            "entry-limit",
            Limits {
                entries: 2,
                ..Limits::default()
            },
        ),
        (
            "unpacked-limit",
            Limits {
                unpacked_bytes: 100,
                ..Limits::default()
            },
        ),
        (
            "file-limit",
            Limits {
                file_bytes: 20,
                ..Limits::default()
            },
        ),
        (
            "path-limit",
            Limits {
                path_depth: 1,
                ..Limits::default()
            },
        ),
    ];
    for (code, limits) in cases {
        let options = DirectoryOptions {
            limits,
            ..DirectoryOptions::default()
        };
        let tree = read(&dir, &options);
        assert!(!tree.is_complete(), "{code}");
        assert!(
            tree.findings()
                .iter()
                .any(|found| found.kind.code() == code),
            "{code}"
        );
    }
}

/// Guards that a name which is not UTF-8 does not hide a file.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_read() {
    use std::os::unix::ffi::OsStrExt;
    let dir = unpacked();
    let name = std::ffi::OsStr::from_bytes(b"\xff.rs");
    fs::write(dir.path().join(name), "x").unwrap();
    let tree = read(&dir, &DirectoryOptions::default());
    assert_eq!(tree.get("\\xff.rs"), Some(&b"x"[..]));
    assert_eq!(tree.findings()[0].kind.code(), "path-not-utf8");
}

/// Guards the message when there is nothing to read.
#[test]
fn a_missing_directory_is_an_error() {
    let dir = unpacked();
    let path = Utf8Path::from_path(dir.path()).unwrap();
    for path in [path.join("missing"), path.join("Cargo.toml")] {
        let error = SourceTree::from_directory(&path, &DirectoryOptions::default()).unwrap_err();
        assert!(
            matches!(&error, ArchiveError::Read { subject, .. } if *subject == path),
            "{error}"
        );
    }
}

//! What is honest is read whole and without a finding.

use palisade_archive::{ArchiveError, CrateArchive, CrateName, ReadOptions, checksum};

use crate::writer::{GNU, OLD, USTAR, demo, demo_and, file, gzip, long_name, of_kind, pax, tar};

/// Guards the everyday case: names, contents, checksum, no finding.
#[test]
fn an_honest_crate_is_read_whole() {
    let bytes = gzip(&tar(&demo()));
    let archive = CrateArchive::from_bytes("demo", &bytes, &ReadOptions::strict()).unwrap();
    assert_eq!(archive.name().unwrap().directory(), "demo-1.0.0");
    assert_eq!(archive.checksum(), checksum(&bytes));
    assert_eq!(archive.packed_bytes(), bytes.len() as u64);
    let tree = archive.tree();
    assert_eq!(
        tree.paths().collect::<Vec<_>>(),
        ["Cargo.toml", "Cargo.toml.orig", "src/lib.rs"]
    );
    assert_eq!(tree.text("src/lib.rs"), Some("pub fn demo() {}\n"));
    assert_eq!(tree.paths_below("src/").collect::<Vec<_>>(), ["src/lib.rs"]);
    assert_eq!(tree.manifest_path(), Some("Cargo.toml"));
    assert!(tree.has_original_manifest() && tree.is_complete() && !tree.is_refused());
    assert_eq!(tree.findings(), []);
    assert_eq!(tree.omitted(), []);
}

/// Guards against false alarms: every way in which ordinary writers store an
/// ordinary file, among them cargo's own for long paths.
#[test]
fn what_ordinary_writers_write_is_no_finding() {
    let long = format!("demo-1.0.0/{}deep.rs", "directory/".repeat(12));
    let cut = &long[..100];
    let mut split = file("end.rs", "x");
    split.prefix = b"demo-1.0.0/far".to_vec();
    let cases = [
        vec![long_name(&long), file(cut, "x").magic(GNU)],
        vec![pax(&[("path", &long), ("mtime", "1.5")]), file(cut, "x")],
        vec![split],
        vec![file("demo-1.0.0/old.rs", "x").magic(OLD)],
        vec![of_kind(0, "demo-1.0.0/zero.rs", "x")],
        vec![of_kind(b'5', "demo-1.0.0/src/", "")],
        vec![file("demo-1.0.0/spaces.rs", "x").size(b"          1 ")],
        vec![file("demo-1.0.0/base256.rs", "x").size(b"\x80\0\0\0\0\0\0\0\0\0\0\x01")],
        vec![file("demo-1.0.0/grüße.rs", "x").magic(USTAR)],
    ];
    for entries in cases {
        let bytes = demo_and(entries.clone());
        let archive = CrateArchive::from_bytes("demo", &bytes, &ReadOptions::strict()).unwrap();
        assert_eq!(archive.findings(), [], "{entries:?}");
    }
}

/// Guards that a long path is the extension's, not the header's cut one.
#[test]
fn long_paths_are_whole() {
    let below = format!("{}deep.rs", "directory/".repeat(12));
    let long = format!("demo-1.0.0/{below}");
    let bytes = demo_and([long_name(&long), file(&long[..100], "x").magic(GNU)]);
    let archive = CrateArchive::from_bytes("demo", &bytes, &ReadOptions::strict()).unwrap();
    assert_eq!(archive.tree().get(&below), Some(&b"x"[..]));
}

/// Guards the parsing of `name-version`: names hold dashes and digits.
#[test]
fn crate_names() {
    for (text, name, version) in [
        ("demo-1.0.0", "demo", "1.0.0"),
        ("md-5-0.10.6", "md-5", "0.10.6"),
        ("a-b-1.0.0-rc.1+build-2", "a-b", "1.0.0-rc.1+build-2"),
    ] {
        let parsed = CrateName::parse(text).unwrap();
        assert_eq!(
            (parsed.name.as_str(), parsed.version.to_string()),
            (name, version.to_owned())
        );
        assert_eq!(parsed.directory(), text);
    }
    for text in ["", "demo", "-1.0.0", "demo-1.0", "demo-v1.0.0"] {
        assert_eq!(CrateName::parse(text), None, "{text}");
    }
}

/// Guards that other bytes than the index promised are never analysed.
#[test]
fn a_wrong_checksum_is_an_error() {
    let bytes = gzip(&tar(&demo()));
    let options = ReadOptions {
        checksum: Some(checksum(b"others")),
        ..ReadOptions::lenient()
    };
    let error = CrateArchive::from_bytes("demo.crate", &bytes, &options).unwrap_err();
    assert!(matches!(error, ArchiveError::Checksum { .. }), "{error}");
    assert!(error.to_string().contains("demo.crate"), "{error}");
    assert!(error.hint().is_some());
}

/// Guards that a file on disk is read as its bytes are.
#[test]
fn a_file_is_read_as_its_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = camino::Utf8Path::from_path(dir.path())
        .unwrap()
        .join("demo-1.0.0.crate");
    std::fs::write(&path, gzip(&tar(&demo()))).unwrap();
    let options = ReadOptions::strict().expecting(CrateName::parse("demo-1.0.0").unwrap());
    let archive = CrateArchive::open(&path, &options).unwrap();
    assert_eq!(archive.tree().files().len(), 3);
    let missing = CrateArchive::open(&path.with_extension("no"), &options).unwrap_err();
    assert!(matches!(missing, ArchiveError::Read { .. }));
}

//! Limits: each is a finding, and none costs more than it says.

use palisade_archive::{
    ArchiveError, Class, CrateArchive, Limits, OmittedKind, ReadOptions, checksum,
};

use crate::writer::{Entry, demo, demo_and, file, gzip, long_name, open_tar, pax, tar};

fn read(bytes: &[u8], limits: Limits) -> CrateArchive {
    let options = ReadOptions {
        limits,
        ..ReadOptions::lenient()
    };
    CrateArchive::from_bytes("demo", bytes, &options).unwrap()
}

fn codes(archive: &CrateArchive) -> Vec<&'static str> {
    let findings = archive.findings().iter();
    findings.map(|finding| finding.kind.code()).collect()
}

/// Guards that every limit marks the tree as incomplete.
fn assert_incomplete(archive: &CrateArchive, code: &str) {
    assert!(codes(archive).contains(&code), "{:?}", archive.findings());
    assert!(!archive.tree().is_complete());
    assert!(archive.tree().is_refused());
}

/// Guards that an archive grows no further than allowed, and that what came
/// before is kept.
#[test]
fn unpacking_stops() {
    let bytes = demo_and([file("demo-1.0.0/zeros", vec![0; 1 << 20])]);
    let archive = read(
        &bytes,
        Limits {
            unpacked_bytes: 8192,
            ..Limits::default()
        },
    );
    assert_incomplete(&archive, "unpacked-limit");
    assert_eq!(archive.unpacked_bytes(), 8192);
    assert_eq!(archive.tree().files().len(), 3);
}

/// Guards that the limit is not hit by an archive that has exactly as many
/// bytes.
#[test]
fn exactly_the_limit_is_within_it() {
    let whole = tar(&demo());
    let limits = |unpacked_bytes| Limits {
        unpacked_bytes,
        ..Limits::default()
    };
    let length = whole.len() as u64;
    assert!(read(&gzip(&whole), limits(length)).tree().is_complete());
    assert_incomplete(&read(&gzip(&whole), limits(length - 1)), "unpacked-limit");
}

/// Guards against floods of entries, extension headers included.
#[test]
fn entries_are_counted() {
    let limits = Limits {
        entries: 10,
        ..Limits::default()
    };
    let many: Vec<Entry> = (0..20)
        .map(|i| file(format!("demo-1.0.0/{i}"), ""))
        .collect();
    let archive = read(&demo_and(many), limits.clone());
    assert_incomplete(&archive, "entry-limit");
    assert_eq!(archive.tree().files().len(), 10);
    let pairs = (0..20).flat_map(|i| {
        let path = format!("demo-1.0.0/{i}");
        [pax(&[("path", &path)]), file(path, "")]
    });
    let archive = read(&demo_and(pairs), limits);
    assert_incomplete(&archive, "entry-limit");
}

/// Guards that a file too large to keep is listed with its checksum.
#[test]
fn large_files_are_hashed_not_kept() {
    let bytes = demo_and([file("demo-1.0.0/large", [7; 1000])]);
    let archive = read(
        &bytes,
        Limits {
            file_bytes: 999,
            ..Limits::default()
        },
    );
    assert_incomplete(&archive, "file-limit");
    assert_eq!(archive.tree().get("large"), None);
    let kind = OmittedKind::TooLarge {
        bytes: 1000,
        checksum: Some(checksum(&[7; 1000])),
    };
    assert_eq!(archive.tree().omitted()[0].kind, kind);
}

/// Guards the limits on paths and on the headers that carry them.
#[test]
fn long_and_deep_paths_are_left_out() {
    let limits = Limits {
        path_bytes: 40,
        path_depth: 4,
        extension_bytes: 100,
        ..Limits::default()
    };
    for path in ["a/b/c/d/e", &"long".repeat(11)] {
        let archive = read(
            &demo_and([file(format!("demo-1.0.0/{path}"), "x")]),
            limits.clone(),
        );
        assert_incomplete(&archive, "path-limit");
        assert_eq!(archive.tree().files().len(), 3);
    }
    let name = format!("demo-1.0.0/{}", "x".repeat(200));
    let archive = read(
        &demo_and([long_name(&name), file(&name[..100], "x")]),
        limits,
    );
    assert_incomplete(&archive, "path-limit");
}

/// Guards that a flood of harmless findings hides neither a serious one nor
/// that there were more.
#[test]
fn findings_are_counted() {
    let many = (0..20).map(|i| file(format!("demo-1.0.0/{i}:"), ""));
    let late = file("demo-1.0.0/a\\b", "");
    let limits = Limits {
        findings: 5,
        ..Limits::default()
    };
    let archive = read(&demo_and(many.chain([late])), limits);
    let expected = [
        "backslash",
        "not-portable",
        "not-portable",
        "not-portable",
        "not-portable",
        "not-portable",
        "finding-limit",
    ];
    assert_eq!(codes(&archive), expected);
    assert_eq!(archive.findings()[6].detail, "15 more");
    assert_eq!(archive.findings()[0].kind.class(), Class::Ambiguous);
}

/// Guards that a file beyond the limit is not even unpacked.
#[test]
fn large_archives_are_refused() {
    let bytes = gzip(&open_tar(&demo()));
    let options = ReadOptions {
        limits: Limits {
            compressed_bytes: bytes.len() as u64 - 1,
            ..Limits::default()
        },
        ..ReadOptions::lenient()
    };
    let error = CrateArchive::from_bytes("demo", &bytes, &options).unwrap_err();
    assert!(matches!(error, ArchiveError::TooLarge { .. }), "{error}");
}

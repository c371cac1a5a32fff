//! Every shape that could deceive a reader, and what is said about it.

use std::collections::BTreeSet;

use flate2::{Compression, GzBuilder};
use palisade_archive::{
    ArchiveError, CrateArchive, CrateName, Finding, FindingKind, OmittedKind, ReadOptions,
};

use crate::writer::{
    Entry, GNU, OLD, USTAR, demo, demo_and, file, gzip, link, long_name, of_kind, open_tar, pax,
    record, tar,
};

fn read(bytes: &[u8]) -> CrateArchive {
    let options = ReadOptions::lenient().expecting(CrateName::parse("demo-1.0.0").unwrap());
    CrateArchive::from_bytes("demo", bytes, &options).unwrap()
}

fn codes(findings: &[Finding]) -> BTreeSet<&'static str> {
    findings.iter().map(|finding| finding.kind.code()).collect()
}

/// A shape, its archive and exactly the findings that it must have.
fn shapes() -> Vec<(&'static str, Vec<u8>, Vec<&'static str>)> {
    let more = |entries: Vec<Entry>| demo_and(entries);
    let extra = |path: &str| file(format!("demo-1.0.0/{path}"), "x");
    let plain = gzip(&tar(&demo()));
    let behind = |bytes: &[u8]| [plain.as_slice(), bytes].concat();
    let cut = |by: usize| plain[..plain.len() - by].to_vec();
    let mut shapes = Vec::new();
    let mut shape =
        |name, bytes, codes: &[&'static str]| shapes.push((name, bytes, codes.to_vec()));

    // The compressed layer.
    shape(
        "a second member",
        behind(&gzip(b"more")),
        &["second-gzip-member"],
    );
    shape("bytes behind", behind(b"hello"), &["trailing-bytes"]);
    let mut wrong = plain.clone();
    let at = wrong.len() - 8;
    wrong[at] ^= 1;
    shape("a wrong checksum", wrong, &["wrong-gzip-trailer"]);
    shape("a missing trailer", cut(8), &["cut-gzip-trailer"]);
    shape("cut behind the end mark", cut(11), &["cut-gzip-trailer"]);
    let mut encoder = GzBuilder::new()
        .comment("hello")
        .read(std::io::Cursor::new(tar(&demo())), Compression::fast());
    let mut commented = Vec::new();
    std::io::Read::read_to_end(&mut encoder, &mut commented).unwrap();
    shape("a comment", commented, &["gzip-extras"]);
    shape(
        "a bomb",
        more(vec![file("demo-1.0.0/zeros", vec![0; 1 << 20])]),
        &["compression-ratio"],
    );

    // The tar layer.
    let mut data = tar(&demo());
    data.extend(file("demo-1.0.0/behind.rs", "x").bytes());
    shape("data behind the end", gzip(&data), &["data-after-end"]);
    let mut data = open_tar(&demo());
    data.extend([0; 512]);
    data.extend(tar(&[file("demo-1.0.0/behind.rs", "x")]));
    shape(
        "data behind one empty block",
        gzip(&data),
        &["data-after-end"],
    );
    shape("no end mark", gzip(&open_tar(&demo())), &["no-end-mark"]);
    shape(
        "filling",
        more(vec![extra("a.rs").filling(b'!')]),
        &["padding"],
    );
    shape(
        "a size with a sign",
        more(vec![extra("a.rs").size(b"+0000000001\0")]),
        &["odd-number"],
    );
    shape(
        "text behind a size",
        more(vec![extra("a.rs").size(b"1\0junk\0\0\0\0\0\0")]),
        &["odd-number"],
    );
    shape(
        "a negative size",
        more(vec![extra("a.rs").size(b"\xff\0\0\0\0\0\0\0\0\0\0\x01")]),
        &["odd-number"],
    );
    // TARmageddon: readers that believe the header see an entry in the
    // contents.
    let smuggled = file("demo-1.0.0/smuggled.rs", "").bytes();
    let carrier = file("demo-1.0.0/a.rs", &smuggled).size(b"00000000000\0");
    let said = smuggled.len().to_string();
    shape(
        "sizes that differ",
        more(vec![pax(&[("size", &said)]), carrier]),
        &["size-disagrees"],
    );
    shape(
        "a long name that differs",
        more(vec![
            long_name("demo-1.0.0/real.rs"),
            extra("shown.rs").magic(GNU),
        ]),
        &["name-disagrees"],
    );
    shape(
        "a record that differs",
        more(vec![
            pax(&[("path", "demo-1.0.0/real.rs")]),
            extra("shown.rs"),
        ]),
        &["name-disagrees"],
    );
    shape(
        "a long name and a record",
        more(vec![
            pax(&[("path", "demo-1.0.0/a.rs")]),
            long_name("demo-1.0.0/a.rs.too"),
            extra("a.rs").magic(GNU),
        ]),
        &["name-disagrees"],
    );
    shape(
        "a record twice",
        more(vec![
            pax(&[("path", "demo-1.0.0/a.rs.1"), ("path", "demo-1.0.0/a.rs.2")]),
            extra("a.rs"),
        ]),
        &["odd-record"],
    );
    shape(
        "a record without a length",
        more(vec![
            of_kind(b'x', "x", "path=demo-1.0.0/b.rs\n"),
            extra("a.rs"),
        ]),
        &["odd-record"],
    );
    let two = [
        record("comment", b"1\n32 path=demo-1.0.0/smuggled.rs"),
        Vec::new(),
    ]
    .concat();
    shape(
        "a record within a record",
        more(vec![of_kind(b'x', "x", two), extra("a.rs")]),
        &["odd-record"],
    );
    let inner = record("path", b"demo-1.0.0/a.rs.smuggled");
    let inner = inner.strip_suffix(b"\n").unwrap();
    let outer = record("comment", &[b"1\n", inner].concat());
    shape(
        "a record that only cargo sees",
        more(vec![of_kind(b'x', "x", outer), extra("a.rs")]),
        &["odd-record", "parsers-disagree"],
    );
    shape(
        "a size that is no number",
        more(vec![pax(&[("size", "0x1")]), extra("a.rs")]),
        &["odd-record"],
    );
    let global = of_kind(b'g', "pax_global_header", record("comment", b"0123"));
    shape("records for all", more(vec![global]), &["global-record"]);
    shape(
        "a directory with contents",
        more(vec![of_kind(b'5', "demo-1.0.0/src/", "x")]),
        &["sized-entry"],
    );

    // Types.
    shape(
        "a symbolic link",
        more(vec![link(b'2', "demo-1.0.0/a", "/etc/passwd")]),
        &["symbolic-link"],
    );
    shape(
        "a hard link",
        more(vec![link(b'1', "demo-1.0.0/a", "demo-1.0.0/b")]),
        &["hard-link"],
    );
    shape(
        "a device",
        more(vec![of_kind(b'3', "demo-1.0.0/a", "")]),
        &["device"],
    );
    shape(
        "a pipe",
        more(vec![of_kind(b'6', "demo-1.0.0/a", "")]),
        &["device"],
    );
    shape(
        "a sparse file",
        more(vec![of_kind(b'S', "demo-1.0.0/a", "").magic(GNU)]),
        // Its map is empty, which cargo refuses.
        &["sparse-file", "parsers-disagree"],
    );
    shape(
        "a sparse file in records",
        more(vec![pax(&[("GNU.sparse.major", "1")]), extra("a")]),
        &["sparse-file"],
    );
    shape(
        "an unknown type",
        more(vec![of_kind(b'Z', "demo-1.0.0/a", "")]),
        &["unknown-type"],
    );
    // cargo's parser takes an extension of the old format for an entry.
    shape(
        "an extension of the old format",
        more(vec![
            of_kind(b'L', "demo-1.0.0/l", "n\0").magic(OLD),
            extra("a"),
        ]),
        &["unknown-type"],
    );

    // Paths.
    shape(
        "twice",
        more(vec![extra("src/lib.rs")]),
        &["duplicate-entry"],
    );
    shape(
        "twice, by a dot",
        more(vec![extra("./src/lib.rs")]),
        &["duplicate-entry", "unnormalised-path"],
    );
    shape(
        "upper case",
        more(vec![extra("src/LIB.rs")]),
        &["path-collision"],
    );
    shape(
        "two forms of ü",
        more(vec![extra("\u{fc}"), extra("u\u{308}")]),
        &["path-collision"],
    );
    shape(
        "a file below a file",
        more(vec![extra("a"), extra("a-b"), extra("a/c")]),
        &["file-and-directory"],
    );
    shape(
        "a slash at the end",
        more(vec![extra("a/").magic(USTAR)]),
        &["trailing-slash"],
    );
    shape(
        "two slashes",
        more(vec![extra("a//b")]),
        &["unnormalised-path"],
    );
    shape(
        "absolute",
        more(vec![file("/demo-1.0.0/a", "x")]),
        &["absolute-path"],
    );
    shape(
        "upwards",
        more(vec![extra("../../a")]),
        &["parent-component"],
    );
    shape(
        "beside",
        more(vec![file("other-1.0.0/a", "x")]),
        &["outside-prefix"],
    );
    shape(
        "a longer sibling",
        more(vec![file("demo-1.0.01/a", "x")]),
        &["outside-prefix"],
    );
    shape(
        "the top as a file",
        more(vec![file("demo-1.0.0", "x")]),
        &["outside-prefix"],
    );
    shape("no path", more(vec![file("", "x")]), &["no-path"]);
    shape(
        "a backslash",
        more(vec![extra("..\\..\\a")]),
        &["backslash"],
    );
    shape(
        "not UTF-8",
        more(vec![file(b"demo-1.0.0/\xff.rs", "x")]),
        &["path-not-utf8"],
    );
    shape(
        "a control character",
        more(vec![extra("a\x1b[31m")]),
        &["control-character"],
    );
    shape(
        "a zero in a record",
        more(vec![pax(&[("path", "demo-1.0.0/a\0.rs")]), extra("a")]),
        &["control-character"],
    );
    shape(
        "reordered",
        more(vec![extra("a\u{202e}sr")]),
        &["invisible-character"],
    );
    shape(
        "invisible",
        more(vec![extra("a\u{200b}.rs")]),
        &["invisible-character"],
    );
    shape(
        "a Windows device",
        more(vec![extra("src/aux.rs")]),
        &["not-portable"],
    );
    shape(
        "an alternate stream",
        more(vec![extra("lib.rs:x")]),
        &["not-portable"],
    );
    shape(
        "cargo's marker",
        more(vec![extra(".cargo-ok")]),
        &["cargo-ok"],
    );
    shape(
        "a linked marker",
        more(vec![link(b'2', "demo-1.0.0/.cargo-ok", "/x")]),
        &["symbolic-link"],
    );

    // Manifests.
    shape(
        "no manifest",
        gzip(&tar(&[extra("src/lib.rs")])),
        &["no-manifest"],
    );
    shape(
        "a manifest in lower case",
        gzip(&tar(&[extra("cargo.toml")])),
        &["miscased-manifest"],
    );
    shape(
        "two manifests",
        more(vec![extra("cargo.toml")]),
        &["path-collision"],
    );
    shape(
        "no original",
        gzip(&tar(&demo()[..1])),
        &["original-manifest"],
    );
    shapes
}

/// Guards each shape's findings: all of them and no others. Those that a
/// registry refuses today, a strict reader refuses.
#[test]
fn every_shape_is_reported() {
    for (name, bytes, expected) in shapes() {
        let archive = read(&bytes);
        let found = archive.findings();
        assert_eq!(
            codes(found),
            expected.iter().copied().collect(),
            "{name}: {found:#?}"
        );
        let strict = CrateArchive::from_bytes("demo", &bytes, &ReadOptions::strict());
        let refused = matches!(strict, Err(ArchiveError::Refused { .. }));
        // What an honest crate can have is a note.
        let notes = [
            "gzip-extras",
            "no-end-mark",
            "not-portable",
            "original-manifest",
        ];
        assert_eq!(
            refused,
            !expected.iter().all(|code| notes.contains(code)),
            "{name}"
        );
        assert!(
            found
                .iter()
                .all(|finding| !finding.to_string().contains('\x1b'))
        );
    }
}

/// Guards the list above: a kind of finding that no shape shows is either
/// untested or impossible. Limits have tests of their own.
#[test]
fn every_kind_has_a_shape() {
    let shown: BTreeSet<&str> = shapes()
        .into_iter()
        .flat_map(|(_, _, codes)| codes)
        .collect();
    let elsewhere = [
        "unpacked-limit",
        "entry-limit",
        "file-limit",
        "path-limit",
        "finding-limit",
        // Only a directory can have files that cannot be read.
        "unreadable",
    ];
    for kind in FindingKind::ALL {
        let code = kind.code();
        assert!(shown.contains(code) != elsewhere.contains(&code), "{code}");
    }
}

/// Guards what cargo would see of two entries with one path: the last.
#[test]
fn the_last_of_two_counts() {
    let bytes = demo_and([file("demo-1.0.0/src/lib.rs", "evil")]);
    assert_eq!(read(&bytes).tree().text("src/lib.rs"), Some("evil"));
}

/// Guards that what cargo sees counts where the parsers disagree.
#[test]
fn where_parsers_disagree_cargo_counts() {
    let inner = record("path", b"demo-1.0.0/a.rs.smuggled");
    let inner = inner.strip_suffix(b"\n").unwrap();
    let outer = record("comment", &[b"1\n", inner].concat());
    let archive = read(&demo_and([
        of_kind(b'x', "x", outer),
        file("demo-1.0.0/a.rs", "x"),
    ]));
    assert_eq!(archive.tree().text("a.rs.smuggled"), Some("x"));
}

/// Guards that what a reader of headers alone would take for an entry is part
/// of the contents, as for cargo.
#[test]
fn smuggled_entries_are_contents() {
    let smuggled = file("demo-1.0.0/smuggled.rs", "").bytes();
    let said = smuggled.len().to_string();
    let carrier = file("demo-1.0.0/a.rs", &smuggled).size(b"00000000000\0");
    let archive = read(&demo_and([pax(&[("size", &said)]), carrier]));
    assert_eq!(archive.tree().get("a.rs"), Some(smuggled.as_slice()));
    assert!(!archive.tree().contains("smuggled.rs"));
}

/// Guards that nothing disappears without being listed: a link shows where it
/// leads, a misplaced file is named.
#[test]
fn what_is_left_out_is_listed() {
    let archive = read(&demo_and([
        link(b'2', "demo-1.0.0/a", "../../etc/passwd"),
        file("elsewhere/b", "x"),
        of_kind(b'4', "demo-1.0.0/c", ""),
    ]));
    let omitted = archive.tree().omitted();
    let list: Vec<_> = omitted
        .iter()
        .map(|omitted| (omitted.path.as_str(), &omitted.kind))
        .collect();
    assert_eq!(
        list,
        [
            ("a", &OmittedKind::Link("../../etc/passwd".to_owned())),
            ("elsewhere/b", &OmittedKind::Misplaced),
            ("c", &OmittedKind::Special),
        ]
    );
    assert_eq!(archive.tree().files().len(), 3);
}

/// Guards that names which are not UTF-8 are still read: their contents would
/// otherwise be a place to hide.
#[test]
fn a_path_that_is_not_utf8_is_still_read() {
    let archive = read(&demo_and([file(b"demo-1.0.0/\xff.rs", "x")]));
    assert_eq!(archive.tree().get("\\xff.rs"), Some(&b"x"[..]));
}

/// Guards that damage is an error that names the archive, never a short list
/// of files.
#[test]
fn damage_is_an_error() {
    let whole = tar(&demo());
    let half = gzip(&whole[..700]);
    let packed = gzip(&whole);
    let mut header = whole.clone();
    header[3] ^= 1;
    let mut inside = packed.clone();
    inside[12] = 0xff;
    let dangling = gzip(&tar(&[long_name("demo-1.0.0/a")]));
    let doubled = gzip(&tar(&[long_name("a"), long_name("b"), file("a", "x")]));
    let cases: [(&str, Vec<u8>); 9] = [
        ("empty", Vec::new()),
        ("no gzip", b"PK\x03\x04 and so on".to_vec()),
        ("half a header", packed[..8].to_vec()),
        ("half the data", packed[..packed.len() / 2].to_vec()),
        ("half an entry", half),
        ("a wrong header checksum", gzip(&header)),
        ("damaged data", inside),
        ("an extension of nothing", dangling),
        ("two extensions", doubled),
    ];
    for (name, bytes) in cases {
        for options in [ReadOptions::strict(), ReadOptions::lenient()] {
            let error = CrateArchive::from_bytes("demo.crate", &bytes, &options).unwrap_err();
            let known = matches!(
                error,
                ArchiveError::NotGzip { .. }
                    | ArchiveError::Truncated { .. }
                    | ArchiveError::Corrupt { .. }
            );
            assert!(
                known && error.to_string().contains("demo.crate"),
                "{name}: {error}"
            );
        }
    }
}

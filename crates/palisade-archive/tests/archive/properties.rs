//! What holds for every input.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::bufread::GzDecoder;
use palisade_archive::{CrateArchive, CrateName, Limits, ReadOptions};
use proptest::prelude::*;

use crate::writer::{GNU, USTAR, demo, file, gzip, link, long_name, of_kind, open_tar, pax, tar};

fn options() -> ReadOptions {
    ReadOptions {
        limits: Limits {
            unpacked_bytes: 1 << 20,
            ..Limits::default()
        },
        ..ReadOptions::lenient()
    }
    .expecting(CrateName::parse("demo-1.0.0").unwrap())
}

/// What cargo's reader sees of the regular files below `demo-1.0.0`: the last
/// one of a path. `None` when it fails.
fn as_cargo_sees(bytes: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut archive = tar::Archive::new(GzDecoder::new(Cursor::new(bytes)));
    let mut files = BTreeMap::new();
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let path = String::from_utf8(entry.path_bytes().to_vec()).ok();
        let kind = entry.header().entry_type();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).ok()?;
        let regular = kind.is_file() || kind.is_contiguous();
        if let Some(path) = path.filter(|_| regular)
            && let Some(path) = path.strip_prefix("demo-1.0.0/")
        {
            files.insert(path.to_owned(), contents);
        }
    }
    Some(files)
}

/// An archive of many kinds of entries, to damage.
fn varied() -> Vec<u8> {
    let mut entries = demo();
    entries.extend([
        pax(&[("path", "demo-1.0.0/by-record.rs"), ("size", "4")]),
        file("demo-1.0.0/by", "four"),
        long_name("demo-1.0.0/by-long-name.rs"),
        file("demo-1.0.0/by", "x").magic(GNU),
        of_kind(b'5', "demo-1.0.0/src/", "").magic(USTAR),
        link(b'2', "demo-1.0.0/link", "target"),
        file("demo-1.0.0/last.rs", "last"),
    ]);
    tar(&entries)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Guards that no bytes cause a panic.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let _ = CrateArchive::from_bytes("demo", &bytes, &options());
        let _ = CrateArchive::from_bytes("demo", &gzip(&bytes), &options());
    }

    /// Guards the whole point: whatever is done to an archive, either there is
    /// an error, or a finding, or cargo sees the very files that we see.
    #[test]
    fn what_is_read_is_what_cargo_sees(
        damage in proptest::collection::vec((0..varied().len(), any::<u8>()), 1..6),
        mend in any::<bool>(),
    ) {
        let mut bytes = varied();
        for (at, byte) in damage {
            bytes[at] = byte;
            // Headers with a right checksum get further.
            let start = at / 512 * 512;
            if mend && bytes[start + 257..].starts_with(b"ustar") {
                bytes[start + 148..start + 156].fill(b' ');
                let sum: u32 = bytes[start..start + 512].iter().map(|&byte| u32::from(byte)).sum();
                bytes[start + 148..start + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        let packed = gzip(&bytes);
        let Ok(archive) = CrateArchive::from_bytes("demo", &packed, &options()) else {
            return Ok(());
        };
        if !archive.tree().is_refused() {
            let ours: BTreeMap<String, Vec<u8>> = archive
                .tree()
                .files()
                .map(|(path, contents)| (path.to_owned(), contents.to_vec()))
                .collect();
            prop_assert_eq!(Some(ours), as_cargo_sees(&packed));
        }
    }

    /// Guards that damage to the compressed bytes is survived and that no more
    /// is unpacked than allowed.
    #[test]
    fn damaged_compression_is_survived(
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        limit in 0_u64..20_000,
    ) {
        let mut bytes = gzip(&varied());
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut options = options();
        options.limits.unpacked_bytes = limit;
        if let Ok(archive) = CrateArchive::from_bytes("demo", &bytes, &options) {
            prop_assert!(archive.unpacked_bytes() <= limit);
        }
    }

    /// Guards that every file of an honest archive is read as it was written.
    #[test]
    fn files_come_out_as_they_went_in(
        files in proptest::collection::btree_map("[a-z]{1,8}(/[a-z]{1,8}){0,3}\\.rs", proptest::collection::vec(any::<u8>(), 0..2000), 0..12),
    ) {
        let mut entries = demo();
        entries.extend(files.iter().map(|(path, data)| file(format!("demo-1.0.0/{path}"), data)));
        let mut bytes = open_tar(&entries);
        bytes.extend([0; 1024]);
        let archive = CrateArchive::from_bytes("demo", &gzip(&bytes), &ReadOptions::lenient()).unwrap();
        prop_assert_eq!(archive.tree().files().len(), files.len() + 3);
        for (path, data) in &files {
            prop_assert_eq!(archive.tree().get(path), Some(data.as_slice()));
        }
    }
}

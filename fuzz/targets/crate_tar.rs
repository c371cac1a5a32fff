//! Bytes as the tar archive inside of a `.crate` file: the compression is not
//! what is to be got past.
#![no_main]

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;
use palisade_archive::{CrateArchive, ReadOptions};

fuzz_target!(|tar: &[u8]| {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(tar).expect("memory takes it");
    let bytes = encoder.finish().expect("memory takes it");
    let strict = CrateArchive::from_bytes("fuzz", &bytes, &ReadOptions::strict());
    let lenient = CrateArchive::from_bytes("fuzz", &bytes, &ReadOptions::lenient());
    if let Ok(strict) = strict {
        let lenient = lenient.expect("lenient reads what strict reads");
        assert!(strict.tree().files().eq(lenient.tree().files()));
        assert!(!strict.tree().is_refused());
    }
});

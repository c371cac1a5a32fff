//! Bytes as a `.crate` file: what a strict reader takes, a lenient one reads
//! as well, and to the same files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_archive::{CrateArchive, ReadOptions};

fuzz_target!(|bytes: &[u8]| {
    let strict = CrateArchive::from_bytes("fuzz", bytes, &ReadOptions::strict());
    let lenient = CrateArchive::from_bytes("fuzz", bytes, &ReadOptions::lenient());
    if let Ok(strict) = strict {
        let lenient = lenient.expect("lenient reads what strict reads");
        assert!(strict.tree().files().eq(lenient.tree().files()));
    }
});

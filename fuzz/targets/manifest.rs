//! A manifest from a stranger's crate.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_index::Manifest;

fuzz_target!(|text: &str| {
    let _ = Manifest::parse(text);
});

//! A lockfile from a stranger's checkout.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_index::Lockfile;

fuzz_target!(|text: &str| {
    let _ = Lockfile::parse(text);
});

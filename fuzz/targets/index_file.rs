//! A file of the index: a bad line costs itself alone, and nothing is lost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_index::IndexFile;

fuzz_target!(|text: &str| {
    let file = IndexFile::parse("demo", text);
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(file.versions.len() + file.problems.len(), lines);
});

//! A path as an advisory writes it: what is read reads the same when printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_advisory::{FunctionPath, VersionRange};

fuzz_target!(|text: &str| {
    if let Ok(path) = FunctionPath::parse(text) {
        let printed = path.to_string();
        assert_eq!(FunctionPath::parse(&printed).as_ref(), Ok(&path), "{printed}");
    }
    let _ = VersionRange::parse(text);
});

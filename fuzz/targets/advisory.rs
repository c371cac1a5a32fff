//! An advisory is read or diagnosed, never lost and never a panic.
#![no_main]

use std::cell::OnceCell;

use camino::Utf8Path;
use libfuzzer_sys::fuzz_target;
use palisade_advisory::{Database, Limits};

thread_local! {
    static DIRECTORY: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

fuzz_target!(|text: &[u8]| {
    DIRECTORY.with(|directory| {
        let directory = directory.get_or_init(|| tempfile::tempdir().expect("a directory"));
        let root = Utf8Path::from_path(directory.path()).expect("a UTF-8 path");
        let package = root.join("crates/demo");
        std::fs::create_dir_all(&package).expect("a directory");
        std::fs::write(package.join("RUSTSEC-2024-0001.md"), text).expect("a file");
        let (database, _) = Database::open(root, &Limits::default()).expect("a database");
        let (advisories, diagnostics) = database.all();
        assert!(advisories.len() == 1 || !diagnostics.is_empty());
    });
});

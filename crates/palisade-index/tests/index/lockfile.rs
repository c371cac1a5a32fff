//! Lockfiles as lists of what to look at.

use palisade_index::Lockfile;
use palisade_model::PackageSource;

/// Guards the formats of today and of the beginning, with their checksums.
#[test]
fn old_and_new_lockfiles() {
    let sum = "ab".repeat(32);
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    let new = format!(
        "version = 4\n[[package]]\nname = \"demo\"\nversion = \"1.0.0\"\nsource = \"{registry}\"\nchecksum = \"{sum}\"\n\
         [[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\
         [[package]]\nname = \"cloned\"\nversion = \"0.1.0\"\nsource = \"git+https://example.org/x#abc\"\n"
    );
    let old = format!(
        "[root]\nname = \"own\"\nversion = \"0.1.0\"\n\
         [[package]]\nname = \"demo\"\nversion = \"1.0.0\"\nsource = \"{registry}\"\n\
         [metadata]\n\"checksum demo 1.0.0 ({registry})\" = \"{sum}\"\n"
    );
    for text in [new, old] {
        let lockfile = Lockfile::parse(&text).unwrap();
        let published: Vec<_> = lockfile.published().collect();
        assert_eq!((published.len(), published[0].name.as_str()), (1, "demo"));
        assert_eq!(published[0].checksum.unwrap().to_string(), sum);
        let own = lockfile
            .packages
            .iter()
            .find(|package| package.name == "own")
            .unwrap();
        assert_eq!(own.source, PackageSource::Path);
    }
}

/// Guards the messages for what is no lockfile.
#[test]
fn what_is_no_lockfile() {
    let cases = [
        ("<<<<<<< HEAD\n", "merge conflict"),
        ("[[package]]\nversion = \"1.0.0\"", "no name"),
        (
            "[[package]]\nname = \"x\"\nversion = \"one\"",
            "not a version",
        ),
        (
            "[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nchecksum = \"12\"",
            "64 hexadecimal",
        ),
        ("= =", ""),
    ];
    for (text, reason) in cases {
        let error = Lockfile::parse(text).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

//! The advisories that are bundled for the demonstration.

use std::fs;

use camino::Utf8Path;
use palisade_advisory::{Database, Limits, Match};
use palisade_model::Package;
use semver::Version;

use crate::fixture::{package, target};

/// Guards that the demonstration's lockfile and advisories fit together: each
/// advisory is readable, free to distribute, and matches.
#[test]
fn bundled_advisories_match_the_bundled_project() {
    let demo = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo");
    let lockfile = fs::read_to_string(demo.join("project/Cargo.lock")).unwrap();
    let lockfile: toml::Table = lockfile.parse().unwrap();
    let locked = |entry: &toml::Value| {
        package(
            entry["name"].as_str().unwrap(),
            entry["version"].as_str().unwrap(),
        )
    };
    let packages: Vec<Package> = lockfile["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(locked)
        .collect();

    let (database, diagnostics) =
        Database::open(&demo.join("advisory-db"), &Limits::default()).unwrap();
    assert_eq!(diagnostics, []);
    let found = database.matches(
        &packages,
        &target("linux", "x86_64"),
        &Version::new(1, 95, 0),
    );
    assert_eq!(found.diagnostics, []);
    let show = |found: &Match| {
        let names: Vec<_> = found
            .functions()
            .map(|function| function.text.as_str())
            .collect();
        format!(
            "{} {} {}",
            found.advisory.id,
            found.package,
            names.join(" ")
        )
        .trim_end()
        .to_owned()
    };
    let expected = [
        "RUSTSEC-2021-0130 lru 0.7.0 lru::LruCache::iter lru::LruCache::iter_mut",
        "RUSTSEC-2026-0253 lru 0.7.0",
        "RUSTSEC-2021-0003 smallvec 1.6.0 smallvec::SmallVec::insert_many",
        "RUSTSEC-2021-0028 toodee 0.2.4 toodee::TooDee::insert_row",
        "RUSTSEC-2025-0062 toodee 0.2.4 toodee::DrainCol::drop",
    ];
    assert_eq!(found.matches.iter().map(show).collect::<Vec<_>>(), expected);
    assert_eq!(
        database.count(),
        expected.len(),
        "no advisory is bundled in vain"
    );
    assert!(
        found
            .matches
            .iter()
            .all(|found| found.advisory.license == "CC0-1.0")
    );
}

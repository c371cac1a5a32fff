//! The published database, where a snapshot of it is at hand. The figures
//! hold for the snapshot of 20 August 2026; a later one only has more.

use std::collections::BTreeSet;

use palisade_advisory::{Collection, Database, Limits};
use palisade_model::Kind;
use semver::Version;

use crate::fixture::{package, published_or_skip, target};

const LAST_DAY: jiff::civil::Date = jiff::civil::date(2026, 8, 20);

/// Guards that every published advisory is read and every function path
/// parses.
#[test]
fn everything_parses() {
    let dir = published_or_skip!();
    let (database, opening) = Database::open(&dir, &Limits::default()).unwrap();
    let (advisories, reading) = database.all();
    assert_eq!(opening, []);
    assert_eq!(
        reading,
        [],
        "every advisory and every function path is readable"
    );
    assert_eq!(advisories.len(), database.count());
    assert!(advisories.len() >= 1225, "{} advisories", advisories.len());
    let rust = advisories
        .iter()
        .filter(|advisory| advisory.collection == Collection::Rust);
    assert!(rust.count() >= 20);
    let functions = advisories
        .iter()
        .map(|advisory| advisory.functions.len())
        .sum::<usize>();
    assert!(functions >= 634, "{functions} functions");
    let traitobject = advisories
        .iter()
        .find(|advisory| advisory.id == "RUSTSEC-2020-0027")
        .unwrap();
    assert_eq!(traitobject.functions.len(), 2);
    assert!(
        traitobject
            .functions
            .iter()
            .all(|f| f.applies_to(&Version::new(0, 1, 0)))
    );
}

/// Guards the rule that finds malicious crates: exactly the 77 known ones,
/// four of them by their titles.
#[test]
fn malicious_crates_are_found() {
    let dir = published_or_skip!();
    let (advisories, _) = Database::open(&dir, &Limits::default()).unwrap().0.all();
    let malicious: Vec<_> = advisories
        .iter()
        .filter(|advisory| advisory.kind == Kind::Malicious && advisory.date <= LAST_DAY)
        .collect();
    assert_eq!(malicious.len(), 77);
    let names: BTreeSet<_> = malicious.iter().map(|advisory| &advisory.package).collect();
    assert_eq!(names.len(), 76);
    let by_title = malicious
        .iter()
        .filter(|a| !a.categories.iter().any(|c| c == "malicious"));
    let by_title: Vec<_> = by_title.map(|advisory| advisory.package.as_str()).collect();
    assert_eq!(by_title, ["arone", "aronenao", "logprinter", "tinymember"]);
}

/// Guards that platform filters of the published advisories use names that
/// the compiler knows, so that each of them really filters.
#[test]
fn platform_filters_are_well_spelt() {
    let dir = published_or_skip!();
    let (database, _) = Database::open(&dir, &Limits::default()).unwrap();
    let packages: Vec<_> = database
        .all()
        .0
        .iter()
        .map(|a| package(&a.package, "0.0.0"))
        .collect();
    let elsewhere = target("none", "avr");
    let found = database
        .matches(&packages, &elsewhere, &Version::new(1, 95, 0))
        .matches;
    for found in found {
        let limited = !found.advisory.os.is_empty() || !found.advisory.arch.is_empty();
        assert_eq!(found.applies_to_platform, !limited, "{}", found.advisory.id);
    }
}

/// Guards a handful of known matches from end to end.
#[test]
fn known_packages_match() {
    let dir = published_or_skip!();
    let (database, _) = Database::open(&dir, &Limits::default()).unwrap();
    let ids = |name: &str, version: &str| {
        let toolchain = Version::new(1, 95, 0);
        let packages = [package(name, version)];
        let found = database
            .matches(&packages, &target("linux", "x86_64"), &toolchain)
            .matches;
        found
            .into_iter()
            .map(|found| found.advisory.id.clone())
            .collect::<Vec<_>>()
    };
    assert!(ids("smallvec", "1.6.0").contains(&"RUSTSEC-2021-0003".to_owned()));
    assert!(!ids("smallvec", "1.6.1").contains(&"RUSTSEC-2021-0003".to_owned()));
    assert!(ids("arrayref", "0.3.10").contains(&"RUSTSEC-2026-0260".to_owned()));
    assert_eq!(ids("arrayref", "0.3.9"), [""; 0]);
}

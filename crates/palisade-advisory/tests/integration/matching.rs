//! Which advisories apply to which packages.

use palisade_advisory::{Match, Subject};
use palisade_model::{Package, PackageSource};
use semver::Version;

use crate::fixture::{Fixture, advisory, package, target};

/// The matches of a fixture as `package version id`, with `elsewhere` for
/// those of other platforms.
fn matches(fixture: &Fixture, packages: &[Package]) -> Vec<String> {
    let show = |found: &Match| {
        let elsewhere = if found.applies_to_platform {
            ""
        } else {
            " elsewhere"
        };
        format!("{} {}{elsewhere}", found.package, found.advisory.id)
    };
    run(fixture, packages, "1.95.0").iter().map(show).collect()
}

fn run(fixture: &Fixture, packages: &[Package], toolchain: &str) -> Vec<Match> {
    let toolchain = Version::parse(toolchain).unwrap();
    fixture
        .open()
        .0
        .matches(packages, &target("linux", "x86_64"), &toolchain)
        .matches
}

const PATCHED: &str = "[versions]\npatched = [\">= 1.2.0\"]\nunaffected = [\"< 0.5.0\"]";

/// Guards versions, the order of results, and duplicates in the lockfile.
#[test]
fn versions() {
    let fixture = Fixture::new()
        .advisory("pool", "RUSTSEC-2024-9002", "", "[versions]\npatched = []")
        .advisory("pool", "RUSTSEC-2024-9001", "", PATCHED)
        .advisory("absent", "RUSTSEC-2024-9003", "", PATCHED);
    let packages = ["1.2.0", "1.1.0", "0.4.9", "1.1.0"].map(|version| package("pool", version));
    let expected = [
        "pool 0.4.9 RUSTSEC-2024-9002",
        "pool 1.1.0 RUSTSEC-2024-9001",
        "pool 1.1.0 RUSTSEC-2024-9002",
        "pool 1.2.0 RUSTSEC-2024-9002",
    ];
    assert_eq!(matches(&fixture, &packages), expected);
}

/// Guards RustSec's meaning of pre-releases: they lie before their release,
/// and beyond the ranges of earlier ones.
#[test]
fn pre_releases() {
    let fixture = Fixture::new().advisory("pool", "RUSTSEC-2024-9001", "", PATCHED);
    let affected = |version: &str| !matches(&fixture, &[package("pool", version)]).is_empty();
    assert!(affected("1.2.0-rc.1"));
    assert!(affected("0.5.0"));
    assert!(!affected("0.5.0-rc.1"));
    assert!(!affected("2.0.0-alpha"));
    assert!(!affected("1.2.0+build.5"));
}

/// Guards that a namesake from elsewhere is a different package.
#[test]
fn only_the_default_registry_matches() {
    let fixture = Fixture::new().advisory("pool", "RUSTSEC-2024-9001", "", PATCHED);
    let url = "https://example.com".to_owned();
    for source in [
        PackageSource::Path,
        PackageSource::Git(url.clone()),
        PackageSource::OtherRegistry(url),
        PackageSource::Sysroot,
    ] {
        let namesake = Package {
            source,
            ..package("pool", "1.0.0")
        };
        assert_eq!(matches(&fixture, &[namesake]), [""; 0]);
    }
    assert_eq!(matches(&fixture, &[package("pool", "1.0.0")]).len(), 1);
    assert_eq!(matches(&fixture, &[package("Pool", "1.0.0")]), [""; 0]);
}

/// Guards that platform filters mark a match instead of dropping it.
#[test]
fn platforms() {
    let limited = |os: &str, arch: &str| {
        format!("[affected]\nos = [{os}]\narch = [{arch}]\n[versions]\npatched = []")
    };
    let fixture = Fixture::new()
        .advisory("a", "RUSTSEC-2024-9001", "", &limited("\"windows\"", ""))
        .advisory(
            "a",
            "RUSTSEC-2024-9002",
            "",
            &limited("\"windows\", \"linux\"", ""),
        )
        .advisory("a", "RUSTSEC-2024-9003", "", &limited("", "\"aarch64\""))
        .advisory(
            "a",
            "RUSTSEC-2024-9004",
            "",
            &limited("\"linux\"", "\"x86_64\""),
        );
    let expected = [
        "a 1.0.0 RUSTSEC-2024-9001 elsewhere",
        "a 1.0.0 RUSTSEC-2024-9002",
        "a 1.0.0 RUSTSEC-2024-9003 elsewhere",
        "a 1.0.0 RUSTSEC-2024-9004",
    ];
    assert_eq!(matches(&fixture, &[package("a", "1.0.0")]), expected);
}

/// Guards that withdrawn advisories are out.
#[test]
fn withdrawn() {
    let fixture = Fixture::new().advisory(
        "a",
        "RUSTSEC-2024-9001",
        "withdrawn = \"2024-03-01\"",
        PATCHED,
    );
    assert_eq!(matches(&fixture, &[package("a", "1.0.0")]), [""; 0]);
}

/// Guards that the toolchain's advisories go by its version, whatever the
/// lockfile holds, and that libraries are told from programs.
#[test]
fn toolchain() {
    let rust = |component: &str, id: &str| {
        let rest = "[versions]\npatched = [\">= 1.52.0\"]\nunaffected = [\"< 1.14.0\"]";
        (
            format!("rust/{component}/{id}.md"),
            advisory(component, id, "", rest),
        )
    };
    let fixture = [
        rust("std", "CVE-2021-90001"),
        rust("cargo", "CVE-2021-90002"),
    ]
    .into_iter()
    .fold(Fixture::new(), |fixture, (path, text)| {
        fixture.file(&path, text)
    });
    let found = |toolchain: &str| {
        let found = run(&fixture, &[package("std", "0.1.0")], toolchain);
        found
            .into_iter()
            .map(|m| (m.package.to_string(), m.subject, m.package.source))
            .collect::<Vec<_>>()
    };
    let expected = [
        (
            "cargo 1.51.0".to_owned(),
            Subject::ToolchainProgram,
            PackageSource::Sysroot,
        ),
        (
            "std 1.51.0".to_owned(),
            Subject::StandardLibrary,
            PackageSource::Sysroot,
        ),
    ];
    assert_eq!(found("1.51.0"), expected);
    assert_eq!(found("1.52.0"), []);
    assert_eq!(found("1.97.0-nightly"), []);
    assert_eq!(found("1.13.0"), []);
}

/// Guards the ranges of single functions: an empty list applies to every
/// version, either reading of a range suffices, and an advisory without a
/// function for the version still matches.
#[test]
fn functions_have_ranges_of_their_own() {
    let functions = r#"[affected.functions]
"a::always" = []
"a::star" = ["*"]
"a::early" = ["< 0.8.0"]
"a::late" = [">= 0.9.0, < 1.0.0", "^2"]
"a::short" = ["<= 1.0"]
"#;
    let fixture = Fixture::new().advisory(
        "a",
        "RUSTSEC-2024-9001",
        "",
        &format!("{functions}{PATCHED}"),
    );
    let named = |version: &str| {
        let found = run(&fixture, &[package("a", version)], "1.95.0").remove(0);
        let names = found
            .functions()
            .map(|function| function.text[3..].to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(named("0.7.0"), "always early short star");
    assert_eq!(named("0.9.5"), "always late short star");
    assert_eq!(
        named("1.0.3"),
        "always short star",
        "Cargo reads `<= 1.0` as `< 1.1`"
    );
    assert_eq!(named("1.1.0"), "always star");

    let fixture = Fixture::new().advisory(
        "a",
        "RUSTSEC-2024-9001",
        "",
        &format!("[affected.functions]\n\"a::early\" = [\"< 0.8.0\"]\n{PATCHED}"),
    );
    let found = run(&fixture, &[package("a", "1.0.0")], "1.95.0").remove(0);
    assert_eq!(found.functions().count(), 0);
    assert_eq!(found.advisory.functions.len(), 1);
}

/// Guards the data that remedies are made of.
#[test]
fn fixes() {
    let versions = "[versions]\npatched = [\"^1.2.5\", \">= 2.0.1\"]\n\
                    unaffected = [\"< 1.0.0\", \"=1.9.0\"]";
    let fixture = Fixture::new().advisory("a", "RUSTSEC-2024-9001", "", versions);
    let found = run(&fixture, &[package("a", "2.0.0")], "1.95.0").remove(0);
    let versions = &found.advisory.versions;
    let fixes = |version: &str| {
        let ranges = versions.fixes_above(&Version::parse(version).unwrap());
        ranges
            .into_iter()
            .map(|range| range.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(fixes("2.0.0"), [">= 2.0.1"]);
    assert_eq!(fixes("1.1.0"), ["^1.2.5", ">= 2.0.1", "=1.9.0"]);
    let is_fixed = |version: &str| versions.is_fixed(&Version::parse(version).unwrap());
    assert!(is_fixed("1.2.5") && is_fixed("0.9.0") && is_fixed("2.0.1"));
    assert!(!is_fixed("1.2.4") && !is_fixed("2.0.0") && !is_fixed("2.0.1-rc.1"));
}

/// Guards that what could not be read reaches the caller of a match.
#[test]
fn diagnostics_of_the_packages_asked_for() {
    let fixture = Fixture::new()
        .advisory("a", "RUSTSEC-2024-9001", "", PATCHED)
        .file("crates/a/RUSTSEC-2024-9002.md", "broken")
        .file("crates/b/RUSTSEC-2024-9003.md", "broken");
    let toolchain = Version::new(1, 95, 0);
    let packages = [package("a", "1.0.0")];
    let found = fixture
        .open()
        .0
        .matches(&packages, &target("linux", "x86_64"), &toolchain);
    assert_eq!(found.matches.len(), 1);
    assert_eq!(found.diagnostics.len(), 1);
    assert_eq!(found.diagnostics[0].package.as_deref(), Some("a"));
}

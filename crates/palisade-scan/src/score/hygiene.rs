//! How well a package is kept, in the manner of OpenSSF Scorecard: weighted
//! checks from 0 to 10, decided from the package and the index alone. A check
//! that cannot be decided is left out of the mean, not counted as failed.

use palisade_index::{DependencyKind, TargetKind};
use serde::{Deserialize, Serialize};

use crate::Measures;
use crate::source::Unit;
use crate::subject::Subject;

/// How well a package is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hygiene {
    /// From 0 to 10, with one decimal.
    pub score: f64,
    /// What it is made of.
    pub checks: Vec<Check>,
}

/// One of the checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The stable name.
    pub id: String,
    /// From 0 to 10; `None` where it cannot be decided.
    pub score: Option<u8>,
    /// How much it counts, relative to the others.
    pub weight: u8,
    /// What was seen.
    pub reason: String,
    /// How to do better; empty where there is nothing to do.
    pub improve: String,
}

/// The weights of Scorecard times four: critical, high, medium, low.
pub(super) const HIGH: u8 = 30;
pub(super) const MEDIUM: u8 = 20;
pub(super) const LOW: u8 = 10;

pub(crate) fn hygiene(subject: &Subject<'_>, measures: &Measures) -> Hygiene {
    let checks = vec![
        unsafe_code(measures),
        build_time(subject),
        license(subject),
        repository(subject),
        vcs_information(subject),
        rust_version(subject),
        documentation(subject),
        tests(subject),
        fuzzing(subject),
        security_policy(subject),
        requirements(subject),
        programs(subject),
        latest(subject),
        cadence(subject),
    ];
    let mut hygiene = Hygiene { score: 0.0, checks };
    hygiene.rate();
    hygiene
}

impl Hygiene {
    /// Adds a check, or replaces the one of the same name by one that knows
    /// more.
    pub(crate) fn set(&mut self, check: Check) {
        match self.checks.iter_mut().find(|known| known.id == check.id) {
            Some(known) if check.score.is_some() => *known = check,
            Some(_) => {}
            None => self.checks.push(check),
        }
        self.rate();
    }

    fn rate(&mut self) {
        let decided = || {
            self.checks
                .iter()
                .filter_map(|check| Some((check.score?, check.weight)))
        };
        let weights: u32 = decided().map(|(_, weight)| u32::from(weight)).sum();
        let sum: u32 = decided()
            .map(|(score, weight)| u32::from(score) * u32::from(weight))
            .sum();
        let tenths = (sum * 10 + weights / 2).checked_div(weights).unwrap_or(0);
        self.score = f64::from(tenths) / 10.0;
    }
}

pub(super) fn check(
    id: &str,
    weight: u8,
    score: Option<u8>,
    reason: impl Into<String>,
    improve: &str,
) -> Check {
    Check {
        id: id.to_owned(),
        score,
        weight,
        reason: reason.into(),
        improve: if score == Some(10) {
            String::new()
        } else {
            improve.to_owned()
        },
    }
}

fn unsafe_code(measures: &Measures) -> Check {
    let (blocks, lines) = (measures.unsafe_items, measures.lines);
    let improve =
        "write `#![forbid(unsafe_code)]` where there is none, and keep what is needed small";
    if measures.forbids_unsafe {
        return check(
            "unsafe-code",
            HIGH,
            Some(10),
            "unsafe code is forbidden",
            improve,
        );
    }
    let per_thousand = blocks * 1000 / lines.max(1);
    let score = match (blocks, per_thousand) {
        (0, _) if measures.denies_unsafe => 10,
        (0, _) => 9,
        (_, 0..=1) => 8,
        (_, 2..=5) => 6,
        (_, 6..=15) => 4,
        _ => 2,
    };
    check(
        "unsafe-code",
        HIGH,
        Some(score),
        format!("{blocks} unsafe blocks, impls and functions in {lines} lines"),
        improve,
    )
}

fn build_time(subject: &Subject<'_>) -> Check {
    let targets = targets(subject);
    let script = targets.contains(&TargetKind::BuildScript);
    let (score, reason) = match (script, targets.contains(&TargetKind::ProcMacro)) {
        (false, false) => (10, "nothing of it runs while something is built"),
        (true, false) => (6, "it has a build script"),
        (false, true) => (7, "it is a procedural macro"),
        (true, true) => (5, "it is a procedural macro with a build script"),
    };
    check(
        "build-time-code",
        MEDIUM,
        Some(score),
        reason,
        "do at run time or before publishing what the build script does",
    )
}

fn targets(subject: &Subject<'_>) -> Vec<TargetKind> {
    let package = subject.package;
    let manifest = package.manifest.iter();
    let targets = manifest.flat_map(|manifest| manifest.targets(package.tree.paths()));
    targets
        .filter(|target| package.tree.contains(&target.path))
        .map(|target| target.kind)
        .collect()
}

fn field<'s>(subject: &'s Subject<'_>, key: &str) -> Option<&'s str> {
    let table = subject.package.manifest.as_ref()?.table();
    table.get("package")?.get(key)?.as_str()
}

/// Whether a file at the top has one of these names, whatever its ending.
fn has_top(subject: &Subject<'_>, names: &[&str]) -> bool {
    subject
        .package
        .tree
        .paths()
        .filter(|path| !path.contains('/'))
        .any(|path| {
            let lower = path.to_ascii_lowercase();
            names.iter().any(|name| lower.starts_with(name))
        })
}

fn license(subject: &Subject<'_>) -> Check {
    let named = field(subject, "license").is_some() || field(subject, "license-file").is_some();
    let file = has_top(
        subject,
        &["license", "licence", "copying", "unlicense", "copyright"],
    );
    let (score, reason) = match (named, file) {
        (true, true) => (10, "the licence is named and shipped"),
        (true, false) => (6, "the licence is named, but its text is not shipped"),
        (false, true) => (5, "a licence is shipped, but not named"),
        (false, false) => (0, "there is no licence"),
    };
    check(
        "license",
        LOW,
        Some(score),
        reason,
        "name the licence in `Cargo.toml` and ship its text",
    )
}

fn repository(subject: &Subject<'_>) -> Check {
    let (score, reason) = match field(subject, "repository") {
        Some(_) => (10, "the repository is named"),
        None => (0, "no repository is named"),
    };
    check(
        "repository",
        LOW,
        Some(score),
        reason,
        "name the repository in `Cargo.toml`",
    )
}

fn vcs_information(subject: &Subject<'_>) -> Check {
    let improve = "publish from a clean checkout with a current cargo";
    let tree = subject.package.tree;
    // A directory is not a publication.
    if subject.package.packed_bytes.is_none() && !tree.has_original_manifest() {
        return check(
            "source-revision",
            HIGH,
            None,
            "it is not a published package",
            improve,
        );
    }
    let Some(text) = tree.text(".cargo_vcs_info.json") else {
        return check(
            "source-revision",
            HIGH,
            Some(2),
            "it does not say from which revision it was made",
            improve,
        );
    };
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let dirty = value
        .pointer("/git/dirty")
        .and_then(serde_json::Value::as_bool)
        == Some(true);
    let (score, reason) = match (value.pointer("/git/sha1").is_some(), dirty) {
        (true, false) => (10, "it says from which revision it was made"),
        (true, true) => (5, "it was made from a revision with changes on top"),
        (false, _) => (2, "what it says about its revision cannot be read"),
    };
    check("source-revision", HIGH, Some(score), reason, improve)
}

fn rust_version(subject: &Subject<'_>) -> Check {
    let known = subject
        .package
        .manifest
        .as_ref()
        .and_then(|manifest| manifest.rust_version.as_deref());
    let (score, reason) = match known {
        Some(version) => (10, format!("it needs Rust {version}")),
        None => (3, "it does not say which Rust it needs".to_owned()),
    };
    check(
        "rust-version",
        LOW,
        Some(score),
        reason,
        "set `rust-version` in `Cargo.toml`",
    )
}

fn documentation(subject: &Subject<'_>) -> Check {
    let readme = has_top(subject, &["readme"]);
    let description = field(subject, "description").is_some_and(|text| text.len() >= 10);
    let docs = subject.facts().files.iter().any(|file| {
        let unit = subject.facts().units.of(file.path);
        matches!(unit, Unit::Library | Unit::Binary | Unit::ProcMacro)
            && (file.source.contains("//!") || file.source.contains("#![doc"))
    });
    let score = 3 * u8::from(readme) + 3 * u8::from(description) + 4 * u8::from(docs);
    let have = |is: bool, what: &'static str| is.then_some(what);
    let reasons: Vec<&str> = [
        have(readme, "a readme"),
        have(description, "a description"),
        have(docs, "documentation in the code"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let reason = if reasons.is_empty() {
        "there is none".to_owned()
    } else {
        format!("there is {}", reasons.join(", "))
    };
    check(
        "documentation",
        LOW,
        Some(score),
        reason,
        "ship a readme, a description and documentation of the crate",
    )
}

fn tests(subject: &Subject<'_>) -> Check {
    let count: usize = subject
        .facts()
        .files
        .iter()
        .map(|file| file.outline.tests)
        .sum();
    let directory = subject.package.tree.paths_below("tests/").next().is_some();
    let (score, reason) = match (count, directory) {
        (0, false) => (None, "tests are not shipped, or there are none".to_owned()),
        (0, true) => (Some(8), "tests are shipped".to_owned()),
        (1..=4, _) => (Some(7), format!("{count} tests are shipped")),
        (count, _) => (Some(10), format!("{count} tests are shipped")),
    };
    check(
        "tests",
        MEDIUM,
        score,
        reason,
        "ship tests with the package, so that distributors can run them",
    )
}

fn fuzzing(subject: &Subject<'_>) -> Check {
    let fuzzed = subject.package.tree.paths_below("fuzz/").next().is_some()
        || subject
            .package
            .manifest
            .iter()
            .flat_map(|manifest| &manifest.dependencies)
            .any(|dependency| {
                matches!(
                    dependency.package.as_str(),
                    "libfuzzer-sys"
                        | "afl"
                        | "honggfuzz"
                        | "arbitrary"
                        | "proptest"
                        | "quickcheck"
                        | "bolero"
                )
            });
    let (score, reason) = if fuzzed {
        (Some(10), "it is fuzzed, or tested with properties")
    } else {
        (None, "fuzz targets are not shipped, or there are none")
    };
    check(
        "fuzzing",
        LOW,
        score,
        reason,
        "add fuzz targets for what reads foreign data",
    )
}

fn security_policy(subject: &Subject<'_>) -> Check {
    let policy = subject
        .package
        .tree
        .paths()
        .any(|path| path.to_ascii_lowercase().ends_with("security.md"));
    let (score, reason) = if policy {
        (Some(10), "it says how to report a vulnerability")
    } else {
        (
            None,
            "a security policy is not shipped; the repository may have one",
        )
    };
    check("security-policy", LOW, score, reason, "write SECURITY.md")
}

fn requirements(subject: &Subject<'_>) -> Check {
    let dependencies = subject
        .package
        .manifest
        .iter()
        .flat_map(|manifest| &manifest.dependencies);
    let wild: Vec<&str> = dependencies
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .filter(|dependency| dependency.requirement == semver::VersionReq::STAR)
        .map(|dependency| dependency.package.as_str())
        .collect();
    let (score, reason) = match wild.as_slice() {
        [] => (10, "every dependency has a version".to_owned()),
        wild => (2, format!("any version will do of {}", wild.join(", "))),
    };
    check(
        "dependency-requirements",
        MEDIUM,
        Some(score),
        reason,
        "require the versions that were tested",
    )
}

fn programs(subject: &Subject<'_>) -> Check {
    let count = subject
        .package
        .tree
        .files()
        .filter(|(_, bytes)| crate::source::program_head(bytes).is_some())
        .count();
    let (score, reason) = match count {
        0 => (10, "no programs in machine code are shipped".to_owned()),
        count => (
            3,
            format!("{count} programs or libraries in machine code are shipped"),
        ),
    };
    check(
        "machine-code",
        HIGH,
        Some(score),
        reason,
        "build from source",
    )
}

fn latest(subject: &Subject<'_>) -> Check {
    let improve = "publish a version that can be used";
    let Some(index) = subject.index else {
        return check("yanked", MEDIUM, None, "the index is not known", improve);
    };
    let own = index
        .versions
        .iter()
        .find(|other| other.version == subject.package.version);
    let newest = index
        .versions
        .iter()
        .filter(|other| other.version.pre.is_empty())
        .max_by_key(|other| &other.version);
    let (score, reason) = match (own, newest) {
        (Some(own), _) if own.yanked => (0, "this version is yanked"),
        (_, Some(newest)) if newest.yanked => (5, "the newest version is yanked"),
        _ => (10, "neither this nor the newest version is yanked"),
    };
    check("yanked", MEDIUM, Some(score), reason, improve)
}

fn cadence(subject: &Subject<'_>) -> Check {
    let improve = "publish maintenance releases";
    let versions = subject.index.map_or(0, |index| {
        index.versions.iter().filter(|other| !other.yanked).count()
    });
    let (score, reason) = match versions {
        0 => (None, "the index is not known".to_owned()),
        1 => (Some(4), "it is the only version".to_owned()),
        2..=4 => (Some(7), format!("there are {versions} versions")),
        count => (Some(10), format!("there are {count} versions")),
    };
    check("releases", LOW, score, reason, improve)
}

//! What of a package counts for judging it beside others: small, and apart
//! from its files.

use jiff::Timestamp;
use palisade_index::{Dependency, DependencyKind, Manifest, TargetKind};
use semver::VersionReq;
use serde::{Deserialize, Serialize};

use crate::facts::Fact;
use crate::source::Unit;
use crate::subject::Package;

/// A package without its files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// What it depends on.
    pub dependencies: Vec<ProfileDependency>,
    /// What the version before depended on, where that was looked at.
    pub dependencies_before: Option<Vec<ProfileDependency>>,
    /// Who the manifest says made it.
    pub authors: Vec<String>,
    /// What it says it is.
    pub description: Option<String>,
    /// Where it says its source is.
    pub repository: Option<String>,
    /// The commit that cargo wrote into the archive.
    pub commit: Option<String>,
    /// When it was published, where the index or a dump says.
    pub published: Option<Timestamp>,
    /// What was counted.
    pub measures: Measures,
}

/// A dependency as a manifest names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProfileDependency {
    /// The package's name.
    pub package: String,
    /// The versions that it accepts, as cargo writes them.
    pub requirement: String,
    /// `normal`, `build` or `dev`.
    pub kind: String,
    /// Whether a feature has to ask for it.
    pub optional: bool,
    /// Whether it comes from another registry, where names mean other crates.
    pub foreign: bool,
}

impl ProfileDependency {
    pub(crate) fn of(dependency: &Dependency) -> ProfileDependency {
        ProfileDependency {
            package: dependency.package.clone(),
            requirement: dependency.requirement.to_string(),
            kind: dependency.kind.as_str().to_owned(),
            optional: dependency.optional,
            foreign: dependency.registry.is_some(),
        }
    }

    /// The versions that it accepts; `None` for what cannot be read.
    pub(crate) fn requirement(&self) -> Option<VersionReq> {
        self.requirement.parse().ok()
    }

    /// Whether it is only for tests, examples and benchmarks.
    pub(crate) fn is_development(&self) -> bool {
        self.kind == DependencyKind::Development.as_str()
    }
}

/// What was counted in a package, for surveys of many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measures {
    /// Lines of Rust in libraries, programs and procedural macros.
    pub lines: u64,
    /// Unsafe blocks, impls and functions among them, tests left out.
    pub unsafe_items: u64,
    /// Whether the compiler refuses unsafe code in it.
    pub forbids_unsafe: bool,
    /// Whether it refuses it unless an exception is made.
    pub denies_unsafe: bool,
    /// Whether it has a build script.
    pub build_script: bool,
    /// Whether it is a procedural macro.
    pub proc_macro: bool,
    /// What its code can do, by where: `build`, `macro`, `library`, `program`.
    pub capabilities: Vec<(String, String)>,
    /// The bytes of all files.
    pub bytes: u64,
}

/// Capabilities that surveys count, with the words for them.
const CAPABILITIES: [(Fact, &str); 9] = [
    (Fact::Network, "network"),
    (Fact::Process, "processes"),
    (Fact::LoadCode, "loading code"),
    (Fact::FileWrite, "writing files"),
    (Fact::FileRead, "reading files"),
    (Fact::EnvironmentDump, "whole environment"),
    (Fact::CredentialPath, "credential files"),
    (Fact::Clipboard, "clipboard"),
    (Fact::Persistence, "persistence"),
];

impl Profile {
    pub(crate) fn of(package: &Package<'_>, previous: Option<&Package<'_>>) -> Profile {
        let dependencies = |package: &Package<'_>| -> Vec<ProfileDependency> {
            let manifest = package.manifest.iter();
            let list = manifest.flat_map(|manifest| &manifest.dependencies);
            list.map(ProfileDependency::of).collect()
        };
        let field = |key: &str| {
            let table = package.manifest.as_ref()?.table().get("package")?;
            table.get(key).cloned()
        };
        let text = |key: &str| Some(field(key)?.as_str()?.to_owned());
        let authors = field("authors").and_then(|value| {
            let authors = value.as_array()?.iter();
            Some(
                authors
                    .filter_map(|author| Some(author.as_str()?.to_owned()))
                    .collect(),
            )
        });
        Profile {
            dependencies: dependencies(package),
            dependencies_before: previous.map(dependencies),
            authors: authors.unwrap_or_default(),
            description: text("description"),
            repository: text("repository"),
            commit: commit(package),
            published: None,
            measures: Measures::of(package),
        }
    }

    /// The dependencies that the version before did not have; all of them
    /// where there is none before.
    pub(crate) fn new_dependencies(&self) -> impl Iterator<Item = &ProfileDependency> {
        let known = |name: &str| {
            let before = self.dependencies_before.iter().flatten();
            before.into_iter().any(|other| other.package == name)
        };
        self.dependencies
            .iter()
            .filter(move |dependency| !known(&dependency.package))
    }
}

fn commit(package: &Package<'_>) -> Option<String> {
    let text = package.tree.text(".cargo_vcs_info.json")?;
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(value.pointer("/git/sha1")?.as_str()?.to_owned())
}

impl Measures {
    fn of(package: &Package<'_>) -> Measures {
        let counted = count_unsafe(package);
        let targets: Vec<TargetKind> = package
            .manifest
            .iter()
            .flat_map(|manifest: &Manifest| manifest.targets(package.tree.paths()))
            .filter(|target| package.tree.contains(&target.path))
            .map(|target| target.kind)
            .collect();
        let mut capabilities = Vec::new();
        for (unit, place) in [
            (Unit::BuildScript, "build"),
            (Unit::ProcMacro, "macro"),
            (Unit::Library, "library"),
            (Unit::Binary, "program"),
        ] {
            let scope = package.facts.in_unit(unit);
            for (fact, word) in CAPABILITIES {
                if scope.has(fact) {
                    capabilities.push((place.to_owned(), word.to_owned()));
                }
            }
        }
        Measures {
            lines: counted.lines,
            unsafe_items: counted.items,
            forbids_unsafe: counted.forbids,
            denies_unsafe: counted.denies,
            build_script: targets.contains(&TargetKind::BuildScript),
            proc_macro: targets.contains(&TargetKind::ProcMacro),
            capabilities,
            bytes: package.tree.file_bytes(),
        }
    }
}

/// Unsafe code in libraries, programs and procedural macros.
#[derive(Clone, Copy, Debug, Default)]
struct UnsafeCode {
    items: u64,
    lines: u64,
    /// `#![forbid(unsafe_code)]`.
    forbids: bool,
    /// `#![deny(unsafe_code)]`.
    denies: bool,
}

fn count_unsafe(package: &Package<'_>) -> UnsafeCode {
    let mut counted = UnsafeCode::default();
    for file in &package.facts.files {
        let unit = package.facts.units.of(file.path);
        if !matches!(unit, Unit::Library | Unit::Binary | Unit::ProcMacro) {
            continue;
        }
        counted.lines += file.source.lines().count() as u64;
        counted.items += file.outline.unsafe_code as u64;
        counted.forbids |= file.outline.forbids_unsafe;
        counted.denies |= file.outline.denies_unsafe;
    }
    counted
}

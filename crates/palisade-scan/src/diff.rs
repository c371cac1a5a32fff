//! What changed between two versions that matters to a reviewer.

use std::collections::{BTreeMap, BTreeSet};

use palisade_index::{Dependency, Manifest, TargetKind};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::facts::Fact;
use crate::source::Unit;
use crate::subject::Package;

/// What a change concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// What the package depends on.
    Dependency,
    /// Code that runs when it is built.
    BuildScript,
    /// What its code can do to the world outside.
    Capability,
    /// A file of its source.
    File,
    /// A feature that others can turn on.
    Feature,
    /// Anything else in its manifest.
    Manifest,
}

impl ChangeKind {
    /// How reports name it.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Dependency => "dependency",
            ChangeKind::BuildScript => "build script",
            ChangeKind::Capability => "capability",
            ChangeKind::File => "file",
            ChangeKind::Feature => "feature",
            ChangeKind::Manifest => "manifest",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it concerns.
    pub kind: ChangeKind,
    /// What changed, in one sentence without a full stop.
    pub text: String,
}

/// The changes from one version to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// The older one's name and version.
    pub old: (String, Version),
    /// The newer one's name and version.
    pub new: (String, Version),
    /// What matters most first.
    pub changes: Vec<Change>,
}

/// Capabilities that a reviewer wants to know about.
const CAPABILITIES: [Fact; 12] = [
    Fact::Network,
    Fact::Process,
    Fact::LoadCode,
    Fact::FileWrite,
    Fact::CredentialPath,
    Fact::DotEnv,
    Fact::EnvironmentDump,
    Fact::EnvironmentSecret,
    Fact::Persistence,
    Fact::HiddenText,
    Fact::EmbeddedProgram,
    Fact::Clipboard,
];

/// The most files that are listed of each kind.
const FILES: usize = 40;

impl Diff {
    pub(crate) fn between(old: &Package<'_>, new: &Package<'_>) -> Diff {
        let mut changes = Vec::new();
        build_scripts(old, new, &mut changes);
        capabilities(old, new, &mut changes);
        dependencies(old, new, &mut changes);
        manifest(old, new, &mut changes);
        files(old, new, &mut changes);
        let name = |package: &Package<'_>| (package.name.clone(), package.version.clone());
        Diff {
            old: name(old),
            new: name(new),
            changes,
        }
    }
}

fn change(changes: &mut Vec<Change>, kind: ChangeKind, text: String) {
    changes.push(Change { kind, text });
}

fn build_scripts(old: &Package<'_>, new: &Package<'_>, changes: &mut Vec<Change>) {
    let scripts = |package: &Package<'_>| -> BTreeMap<String, Vec<u8>> {
        let targets = package
            .manifest
            .iter()
            .flat_map(|manifest| manifest.targets(package.tree.paths()));
        targets
            .filter(|target| target.kind == TargetKind::BuildScript)
            .filter_map(|target| {
                Some((
                    target.path.clone(),
                    package.tree.get(&target.path)?.to_vec(),
                ))
            })
            .collect()
    };
    let (before, after) = (scripts(old), scripts(new));
    for (path, bytes) in &after {
        match before.get(path) {
            None => change(changes, ChangeKind::BuildScript, format!("`{path}` is new")),
            Some(other) if other != bytes => change(
                changes,
                ChangeKind::BuildScript,
                format!("`{path}` has changed"),
            ),
            Some(_) => {}
        }
    }
    for path in before.keys().filter(|path| !after.contains_key(*path)) {
        change(
            changes,
            ChangeKind::BuildScript,
            format!("`{path}` is gone"),
        );
    }
}

fn capabilities(old: &Package<'_>, new: &Package<'_>, changes: &mut Vec<Change>) {
    for unit in [
        Unit::BuildScript,
        Unit::ProcMacro,
        Unit::Library,
        Unit::Binary,
    ] {
        let (before, after) = (old.facts.in_unit(unit), new.facts.in_unit(unit));
        for fact in CAPABILITIES {
            let details: BTreeSet<&str> = after
                .details(fact)
                .difference(&before.details(fact))
                .copied()
                .collect();
            let details: Vec<&str> = details
                .into_iter()
                .filter(|detail| !detail.is_empty())
                .take(5)
                .collect();
            let shown = if details.is_empty() {
                String::new()
            } else {
                format!(" ({})", details.join(", "))
            };
            match (before.has(fact), after.has(fact)) {
                (false, true) => change(
                    changes,
                    ChangeKind::Capability,
                    format!("{} now {}{shown}", unit.as_str(), fact.phrase()),
                ),
                (true, true) if !details.is_empty() => {
                    change(
                        changes,
                        ChangeKind::Capability,
                        format!("{} {} in another way{shown}", unit.as_str(), fact.phrase()),
                    );
                }
                (true, false) => change(
                    changes,
                    ChangeKind::Capability,
                    format!("{} no longer {}", unit.as_str(), fact.phrase()),
                ),
                _ => {}
            }
        }
    }
}

fn dependencies(old: &Package<'_>, new: &Package<'_>, changes: &mut Vec<Change>) {
    type Key = (String, &'static str, Option<String>);
    let list = |package: &Package<'_>| -> BTreeMap<Key, String> {
        let dependencies = package
            .manifest
            .iter()
            .flat_map(|manifest| &manifest.dependencies);
        dependencies
            .map(|dependency: &Dependency| {
                let key = (
                    dependency.package.clone(),
                    dependency.kind.as_str(),
                    dependency.target.clone(),
                );
                (key, dependency.requirement.to_string())
            })
            .collect()
    };
    let (before, after) = (list(old), list(new));
    for ((name, kind, target), requirement) in &after {
        let place = target
            .as_ref()
            .map(|target| format!(", for {target}"))
            .unwrap_or_default();
        match before.get(&(name.clone(), kind, target.clone())) {
            None => change(
                changes,
                ChangeKind::Dependency,
                format!("{name} {requirement} is new ({kind}{place})"),
            ),
            Some(other) if other != requirement => {
                change(
                    changes,
                    ChangeKind::Dependency,
                    format!("{name} {requirement} instead of {other} ({kind}{place})"),
                );
            }
            Some(_) => {}
        }
    }
    for (name, kind, _) in before.keys().filter(|key| !after.contains_key(*key)) {
        change(
            changes,
            ChangeKind::Dependency,
            format!("{name} is gone ({kind})"),
        );
    }
}

fn manifest(old: &Package<'_>, new: &Package<'_>, changes: &mut Vec<Change>) {
    let (Some(before), Some(after)) = (&old.manifest, &new.manifest) else {
        return;
    };
    let field = |manifest: &Manifest, key: &str| {
        let value = manifest
            .table()
            .get("package")
            .and_then(|package| package.get(key));
        value.map(ToString::to_string)
    };
    for key in [
        "authors",
        "repository",
        "homepage",
        "license",
        "links",
        "rust-version",
        "edition",
        "description",
    ] {
        let (before, after) = (field(before, key), field(after, key));
        if before != after {
            let shown = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
            change(
                changes,
                ChangeKind::Manifest,
                format!("`{key}` is {} instead of {}", shown(after), shown(before)),
            );
        }
    }
    let new_features: Vec<&str> = after
        .features
        .keys()
        .filter(|name| !before.features.contains_key(*name))
        .map(AsRef::as_ref)
        .collect();
    if !new_features.is_empty() {
        change(
            changes,
            ChangeKind::Feature,
            format!("{} are new", new_features.join(", ")),
        );
    }
    if before.proc_macro != after.proc_macro {
        let text = if after.proc_macro {
            "the library is a procedural macro now"
        } else {
            "the library is no procedural macro any more"
        };
        change(changes, ChangeKind::Manifest, text.to_owned());
    }
}

fn files(old: &Package<'_>, new: &Package<'_>, changes: &mut Vec<Change>) {
    // cargo writes these, and they differ every time.
    let written = |path: &str| {
        matches!(
            path,
            ".cargo_vcs_info.json" | "Cargo.lock" | "Cargo.toml" | "Cargo.toml.orig"
        )
    };
    let (mut added, mut changed, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for (path, bytes) in new.tree.files().filter(|(path, _)| !written(path)) {
        match old.tree.get(path) {
            None => added.push(format!("`{path}` ({} bytes)", bytes.len())),
            Some(other) if other != bytes => changed.push(format!("`{path}`")),
            Some(_) => {}
        }
    }
    for path in old
        .tree
        .paths()
        .filter(|path| !written(path) && !new.tree.contains(path))
    {
        gone.push(format!("`{path}`"));
    }
    for (list, what) in [(added, "new"), (changed, "changed"), (gone, "gone")] {
        if list.is_empty() {
            continue;
        }
        let more = list.len().saturating_sub(FILES);
        let mut text = list.into_iter().take(FILES).collect::<Vec<_>>().join(", ");
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        change(changes, ChangeKind::File, format!("{what}: {text}"));
    }
}

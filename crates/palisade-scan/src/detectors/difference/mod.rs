//! What is new since the version before.
//!
//! A stolen account publishes one version; what gives it away is what it
//! changes.

pub(crate) mod dormancy;
pub(crate) mod first_build_script;
pub(crate) mod first_dependency;
pub(crate) mod look_alike_dependency;
pub(crate) mod manifest_only_change;
pub(crate) mod new_capability;
pub(crate) mod publisher_change;
pub(crate) mod size_jump;
pub(crate) mod yanked_around_publish;

use std::collections::BTreeSet;

use palisade_index::{DependencyKind, Manifest, TargetKind};

use crate::subject::Package;

/// The packages that a package needs, development left out.
fn dependencies<'p>(package: &'p Package<'_>) -> BTreeSet<&'p str> {
    let list = package
        .manifest
        .iter()
        .flat_map(|manifest| &manifest.dependencies);
    list.filter(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.package.as_str())
        .collect()
}

fn build_script(package: &Package<'_>) -> Option<String> {
    let manifest: &Manifest = package.manifest.as_ref()?;
    let targets = manifest.targets(package.tree.paths());
    let script = targets
        .into_iter()
        .find(|target| target.kind == TargetKind::BuildScript)?;
    package.tree.contains(&script.path).then_some(script.path)
}

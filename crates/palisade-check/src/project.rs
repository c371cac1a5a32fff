//! What a reader of the report needs to know of the project.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use palisade_model::Package;
use semver::Version;

/// The project that was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// The root of the workspace.
    pub root: Utf8PathBuf,
    /// The lockfile.
    pub lockfile: Utf8PathBuf,
    /// The line of each package's entry in the lockfile, counted from 1.
    pub lines: BTreeMap<(String, Version), u32>,
    /// Names of which the lockfile holds several versions.
    pub ambiguous: BTreeSet<String>,
    /// The targets that were analysed, and the packages that own them.
    pub targets: Vec<(String, Package)>,
    /// The packages of the workspace itself, for findings that hold for the
    /// lockfile as a whole.
    pub members: Vec<Package>,
}

impl Project {
    /// Whether the package's name alone does not say which version is meant.
    pub fn is_ambiguous(&self, name: &str) -> bool {
        self.ambiguous.contains(name)
    }

    /// The line of a package's entry in the lockfile.
    pub fn line(&self, package: &Package) -> Option<u32> {
        self.lines
            .get(&(package.name.clone(), package.version.clone()))
            .copied()
    }

    /// The package that owns a target.
    pub fn owner(&self, target: &str) -> Option<&Package> {
        self.targets
            .iter()
            .find(|(label, _)| label == target)
            .map(|(_, package)| package)
    }
}

//! What a package is.

use std::fmt;

/// A package at one version, as a lockfile names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Package {
    /// The name as published, with its dashes.
    pub name: String,
    /// The exact version.
    pub version: semver::Version,
    /// Where it comes from. Advisories only apply to registry packages.
    pub source: PackageSource,
}

/// Where a package's source comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PackageSource {
    /// The default public registry, the one that RustSec advisories are about.
    CratesIo,
    /// Some other registry, by its URL as the lockfile gives it.
    OtherRegistry(String),
    /// A git repository, by its URL as the lockfile gives it.
    Git(String),
    /// A directory of the workspace or a path dependency.
    Path,
    /// The standard library and the crates vendored with it.
    Sysroot,
}

impl PackageSource {
    /// Whether RustSec advisories can apply: a path or git package that only
    /// shares its name with a published one is a different package.
    pub fn is_crates_io(&self) -> bool {
        matches!(self, PackageSource::CratesIo)
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

//! Resolving requirements to versions, as cargo would.
//!
//! There are two steps, as in cargo. The first finds one version for each
//! requirement ([`Resolver`]): it activates the most constrained dependency
//! first, tries newer versions before older ones, keeps one version of each
//! compatible range, and goes back when it gets stuck. It takes every platform
//! into account, and every optional dependency that some feature could enable.
//! The second narrows the result to what is really built for some platforms
//! ([`FeatureResolver`]).
//!
//! The rules are those of the chapters *Dependency Resolution* and *Features*
//! of Cargo's reference; where these leave a choice, the order in which cargo
//! tries things is kept, because it decides the result.

mod build;
mod candidates;
mod cycle;
mod error;
mod learned;
mod platform;
mod requirements;
mod root;
mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use semver::Version;

use crate::{IndexFile, IndexVersion, Registry};

pub use build::{BuildOptions, BuiltPackage, BuiltPackages, FeatureResolver};
pub use error::ResolveError;
pub use platform::Platform;
pub use root::{Requested, Root};

/// How to choose between versions.
#[derive(Clone, Debug)]
pub struct ResolveOptions {
    /// Only what was published by then, for a resolution as it would have
    /// been. Versions without a time of publication always count.
    pub as_of: Option<Timestamp>,
    /// Versions to prefer, by the crate's name: those of a lockfile. They
    /// count even when they are yanked.
    pub locked: BTreeMap<String, Vec<Version>>,
    /// Prefer versions that promise to work with this compiler, as cargo does
    /// when told so.
    pub rust_version: Option<Version>,
    /// The most candidates to try before giving up.
    pub steps: u64,
}

impl Default for ResolveOptions {
    fn default() -> ResolveOptions {
        ResolveOptions {
            as_of: None,
            locked: BTreeMap::new(),
            rust_version: None,
            steps: 2_000_000,
        }
    }
}

/// Resolves against one registry.
#[derive(Debug)]
pub struct Resolver<R> {
    registry: R,
    options: ResolveOptions,
}

impl<R: Registry> Resolver<R> {
    /// A resolver for the versions of `registry`.
    pub fn new(registry: R, options: ResolveOptions) -> Resolver<R> {
        Resolver { registry, options }
    }

    /// Finds a version for every requirement of `roots` and of what they
    /// depend on.
    ///
    /// # Errors
    /// There is no solution, it was not found within the limit, or the
    /// registry cannot answer.
    pub fn resolve(&self, roots: &[Root]) -> Result<Resolution, ResolveError> {
        search::search(&self.registry, &self.options, roots)
    }
}

/// One version for every requirement: what a lockfile holds.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// Every version, in the order of names and versions.
    pub packages: Vec<ResolvedPackage>,
    /// What each root's dependencies resolved to, in the order of the roots.
    pub roots: Vec<Vec<ResolvedDependency>>,
    /// The roots themselves.
    pub(crate) requested: Vec<Root>,
}

/// One version of a resolution.
#[derive(Clone, Debug)]
pub struct ResolvedPackage {
    file: Arc<IndexFile>,
    at: usize,
    /// The features that somebody asks for, on whatever platform.
    pub features: BTreeSet<String>,
    /// What its dependencies resolved to, in the order of its index line.
    /// Those that nobody enables are missing.
    pub dependencies: Vec<ResolvedDependency>,
}

impl ResolvedPackage {
    /// The published version.
    pub fn version(&self) -> &IndexVersion {
        &self.file.versions[self.at]
    }
}

/// A dependency and the version that it resolved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResolvedDependency {
    /// Which of the dependent's dependencies.
    pub dependency: usize,
    /// Which of [`Resolution::packages`].
    pub package: usize,
}

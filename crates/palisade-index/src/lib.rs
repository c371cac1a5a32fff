//! Registries as data: what is published, what it depends on, what resolves
//! to what, what is new, and what is popular.
//!
//! This crate is *not* cargo and starts no process: it reads index lines and
//! manifests as data and resolves as cargo would. It reads no source code and
//! knows nothing of advisories.
//!
//! The main types are [`Registry`] (where versions and archives come from),
//! [`IndexVersion`] (one published version), [`Manifest`] (a `Cargo.toml`),
//! [`Resolver`] and [`Resolution`].
//!
//! ```
//! use palisade_index::IndexFile;
//!
//! let checksum = "0".repeat(64);
//! let line = format!(r#"{{"name":"demo","vers":"1.0.0","deps":[],"cksum":"{checksum}","features":{{}},"yanked":false,"new":"field"}}"#);
//! let file = IndexFile::parse("demo", &line);
//! assert_eq!(file.versions[0].version.to_string(), "1.0.0");
//! assert!(file.versions[0].raw.contains("new"));
//! ```

pub mod discover;
mod dump;
mod error;
mod feature;
#[cfg(feature = "http")]
mod http;
mod index_file;
mod line;
mod lockfile;
mod manifest;
mod name;
mod read;
mod resolve;
mod source;

pub use dump::{
    Dump, DumpOptions, DumpProblem, DumpedCrate, DumpedVersion, Owner, TrustedPublishing,
};
pub use error::IndexError;
pub use feature::{FeatureValue, Features};
#[cfg(feature = "http")]
pub use http::{Asked, Cached, Conditions, HttpOptions, SparseRegistry};
pub use index_file::{IndexFile, LineProblem};
pub use line::{Dependency, DependencyKind, IndexVersion, NEWEST_SCHEMA};
pub use lockfile::{LockedPackage, Lockfile};
pub use manifest::{Manifest, ManifestProblem, Target, TargetKind};
pub use name::{canonical_name, index_path, index_prefix, is_crate_name};
pub use resolve::{
    BuildOptions, BuiltPackage, BuiltPackages, FeatureResolver, Platform, Requested, Resolution,
    ResolveError, ResolveOptions, ResolvedDependency, ResolvedPackage, Resolver, Root,
};
pub use source::{CargoCache, LocalRegistry, Registry};

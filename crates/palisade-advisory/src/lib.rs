//! RustSec advisories: reading them, matching them with a lockfile and a
//! toolchain, parsing the paths of the functions that they name, and keeping
//! a local copy of the database.
//!
//! This crate is *not* a place for verdicts: it says which advisories apply
//! to which package, never whether the vulnerable code is reached. It loads no
//! source code, and only `update` touches the network.
//!
//! The main types are [`Database`] (a directory of advisories, read lazily),
//! [`Advisory`], [`Match`] (an advisory that applies to a package),
//! [`FunctionPath`] (how advisories and users name functions) and
//! [`Snapshot`] (the local copy that `update` keeps).
//!
//! ```
//! use palisade_advisory::{FunctionPath, VersionRange};
//!
//! let path = FunctionPath::parse("demo::Pool<H,T>::free")?;
//! assert_eq!(path.crate_name(), Some("demo"));
//! assert_eq!(path.segments[1].generics, Some(vec!["H".to_owned(), "T".to_owned()]));
//!
//! // A pre-release lies before its release, as RustSec counts.
//! let patched = VersionRange::parse(">= 1.2.0")?;
//! assert!(!patched.contains(&semver::Version::parse("1.2.0-rc.1")?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod advisory;
mod database;
mod diagnostic;
mod function_path;
mod kind;
mod matching;
mod parse;
mod platform;
mod snapshot;
#[cfg(feature = "update")]
mod update;
mod version_range;

pub use advisory::{Advisory, AffectedFunction, Collection, Versions};
pub use database::{Database, Limits};
pub use diagnostic::{DatabaseDiagnostic, DatabaseError};
pub use function_path::{FunctionPath, PathError, QualifiedSelf, Segment};
pub use matching::{Match, Matches, Subject};
pub use platform::TargetInfo;
pub use snapshot::{Snapshot, SnapshotError, default_cache_dir};
#[cfg(feature = "update")]
pub use update::{DEFAULT_URL, UpdateError, UpdateOptions, update};
pub use version_range::{VersionRange, VersionRangeError};

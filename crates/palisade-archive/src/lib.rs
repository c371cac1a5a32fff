//! Published crates and source directories as hostile input.
//!
//! A `.crate` file comes from a stranger. This crate reads one into memory,
//! within [`Limits`], and reports every place where two readers could see two
//! different things: entries that repeat or collide, headers that disagree,
//! data behind the end. It is *not* an extractor: nothing is ever written to
//! disk, links are not followed, and nothing that is read is interpreted.
//!
//! What is read is what cargo would read. cargo's own tar parser supplies the
//! entries; a second, stricter parser of this crate goes over the same bytes,
//! and where the two differ there is a [`Finding`].
//!
//! The main types are [`CrateArchive`] (a `.crate` file), [`SourceTree`] (its
//! files, or those of a directory), [`Finding`] and [`Limits`].
//!
//! ```
//! use palisade_archive::{ArchiveError, CrateArchive, ReadOptions};
//!
//! let error = CrateArchive::from_bytes("demo-1.0.0.crate", b"no archive", &ReadOptions::lenient());
//! assert!(matches!(error, Err(ArchiveError::NotGzip { .. })));
//! ```

mod crate_file;
mod directory;
mod error;
mod files;
mod finding;
mod gzip;
mod limits;
mod manifest;
mod name;
mod tar;
mod tree;

pub use crate_file::{CrateArchive, CrateName, Mode, ReadOptions, checksum};
pub use directory::DirectoryOptions;
pub use error::ArchiveError;
pub use finding::{Class, Finding, FindingKind};
pub use limits::Limits;
pub use name::visible;
pub use tree::{Omitted, OmittedKind, SourceTree};

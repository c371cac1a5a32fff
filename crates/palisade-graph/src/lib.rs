//! The call graph of an ecosystem, one immutable file for each crate version.
//!
//! A [`Fragment`] holds what one crate version contributes, uninstantiated and
//! with what lies in other crates named by crate and path. [`make()`] makes
//! fragments in restricted worker processes and keeps them in a [`Store`];
//! [`Universe`] stitches them together, for the versions that a program is
//! made of or for the newest ones, and answers who reaches what.
//!
//! It is *not* the analysis of one program: `palisade-check` instantiates
//! everything and is precise. The stitched graph is conservative: it holds
//! everything that a check reaches, and more.

mod capability;
mod fragment;
mod make;
mod query;
mod store;
mod tables;

pub use capability::{Capabilities, Capability, capabilities};
pub use fragment::{
    Capable, ENOUGH, FORMAT, FormatError, Fragment, MAGIC, Origin, Quality, ReadLimits, Shortfall,
};
pub use make::{
    Failed, Made, MakeError, MakeOptions, Piece, Progress, RegistryOptions, Work, make,
    serve_worker,
};
pub use query::{
    Ability, Able, Exposure, FunctionName, Gaps, Meant, NameError, Question, Reach, Step, Universe,
    UnsafeFunction, When, closure,
};
pub use store::{Entry, Key, Program, Store, StoreError};
pub use tables::{
    UpdateOptions, UpdateProgress, UpdateTablesError, Updated, stale, tables_dir, update_tables,
};

/// What makes the fragments. It changes whenever the same source could give
/// another fragment.
pub const ENGINE: &str = concat!("palisade ", env!("CARGO_PKG_VERSION"), " facts 1");

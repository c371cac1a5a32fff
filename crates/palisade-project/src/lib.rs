//! A cargo workspace as data: what to analyse, and where its source is.
//!
//! It is *not* an analysis, and it never runs anything of the checkout unless
//! [`execute()`] is called: the only processes are the toolchain's own `rustc`
//! and `cargo metadata`, with everything that a checkout could use to redirect
//! them neutralised.
//!
//! There are two phases. [`find_lockfile`] and [`read_lock`] need no process
//! and a few milliseconds: enough to see that no advisory matches. [`load()`]
//! asks the toolchain and returns a [`Plan`]. For packages that come from a
//! registry and not from a workspace, [`base()`] gives a plan of the standard
//! library alone, to which [`published_unit`] adds.

mod build_cfg;
mod cargo_error;
mod config;
mod environment;
mod error;
mod execute;
mod load;
mod lockfile;
mod manifest;
mod neutral;
mod options;
mod plan;
mod published;
mod read;
mod rustflags;
mod selection;
mod sysroot;
mod toolchain;
mod toolchain_file;
mod units;

pub use error::LoadError;
pub use execute::{ExecuteError, Executed, execute};
pub use load::{base, load};
pub use lockfile::{Lockfile, find_lockfile, read_lock};
pub use options::{Limits, LoadOptions};
pub use plan::{Diagnostic, Plan, Target, Unit, UnitId, UnitKind};
pub use published::{Published, published_unit};
pub use read::{OnDisk, PackageFiles};
pub use toolchain::{ToolchainId, toolchain};

//! Advisories joined with what is reached: verdicts, witness paths, remedies.
//!
//! [`check()`] reads a workspace's lockfile, matches it with an advisory
//! database, asks the engine what the program reaches, and says for every
//! advisory and target whether the vulnerable code is *reached*, *not reached*
//! or *unknown*, why, and what to do about it. [`why()`] and [`call_graph`] ask
//! the engine directly.
//!
//! It is *not* a command: it prints nothing, knows no output format and no
//! exit code, and reads neither the clock nor, beside what decides a build,
//! the environment.
//!
//! The main types are [`Workspace`] (found and configured), [`CheckOptions`],
//! [`Checked`] (the answer), [`Config`] (`palisade.toml`) and [`Gate`] (what an
//! answer means for a run).
//!
//! ```no_run
//! use palisade_check::{AnalysisOptions, CheckOptions, NoProgress, Workspace, check};
//!
//! let workspace = Workspace::open(Default::default())?;
//! let checked = check(&workspace, &CheckOptions {
//!     database: "advisory-db".into(),
//!     database_age_days: None,
//!     today: jiff::civil::date(2026, 11, 23),
//!     analysis: AnalysisOptions {
//!         threads: 2,
//!         expand_macros: false,
//!         limits: Default::default(),
//!         one_shot: true,
//!     },
//!     paths: 1,
//!     cargo_home: None,
//!     cache: None,
//!     progress: &NoProgress,
//!     screener: None,
//! })?;
//! println!("{} findings", checked.report.findings.len());
//! # Ok::<(), palisade_check::CheckError>(())
//! ```

mod blind_spots;
mod cache;
mod callgraph;
mod check;
mod closure;
mod config;
mod error;
mod foreign;
mod gate;
mod order;
mod project;
mod question;
mod remedy;
mod screen;
mod session;
mod stale;
#[cfg(test)]
mod testing;
mod unreadable;
mod verdict;
mod why;
mod workspace;

pub use cache::Cache;
pub use callgraph::{CallGraph, GraphOptions, call_graph, rendered_call_graph};
pub use check::{CheckOptions, Checked, check};
pub use config::{Config, ConfigError, FILE_NAME, Ignore, Suppress};
pub use error::CheckError;
pub use gate::{FailOn, Gate};
pub use project::Project;
pub use screen::{Screen, Screener};
pub use session::{AnalysisOptions, NoProgress, Progress, Stage};
pub use why::{Answer, Named, Why, why};
pub use workspace::Workspace;

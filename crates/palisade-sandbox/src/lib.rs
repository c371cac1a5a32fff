//! Restricted worker processes and a pool of them: one hostile or broken
//! input costs only itself.
//!
//! A worker is the same executable started again with an argument of its
//! own. It has an empty environment and nothing but its standard streams; as
//! its first action it restricts itself, and only then it reads jobs. The
//! parent ends it when it takes too long, and starts another one.
//!
//! This crate is *not* a container: it isolates code of ours that works on
//! strangers' data, and what it cannot enforce on a system it says in a
//! [`Report`]. It knows nothing of crates, archives or call graphs.
//!
//! The main types are [`Limits`] (what a worker may use), [`Pool`] (the
//! parent's side), [`serve`] (the worker's side), [`Verdict`] (what became of
//! a job) and [`Report`] (what is in force).
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use palisade_sandbox::{Pool, PoolOptions, Verdict, WorkerCommand, serve};
//!
//! fn main() -> ExitCode {
//!     if std::env::args().nth(1).as_deref() == Some("--worker") {
//!         return serve(|text: String| text.len());
//!     }
//!     let command = WorkerCommand::this_executable("--worker").expect("the executable is known");
//!     let mut pool = Pool::start(command, PoolOptions::default()).expect("a worker starts");
//!     for outcome in pool.run::<_, usize>(["a", "bc"]).in_order() {
//!         assert!(matches!(outcome.verdict, Verdict::Done(_)));
//!     }
//!     ExitCode::SUCCESS
//! }
//! ```

mod command;
mod error;
pub mod frame;
mod limits;
mod pool;
mod process;
mod protocol;
mod report;
mod restrict;
mod tail;
mod verdict;
mod worker;

pub use command::WorkerCommand;
pub use error::SandboxError;
pub use limits::Limits;
pub use pool::{Canceller, InOrder, Pool, PoolOptions, Run};
pub use report::{Protection, Report, Status};
pub use verdict::{Clock, Failure, Outcome, Reason, Verdict};
pub use worker::{serve, serve_bytes};

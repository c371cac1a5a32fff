//! Why a pool cannot work.

use std::io;
use std::path::PathBuf;

use crate::report::Protection;

/// Why a pool of workers could not be started. What becomes of a job once the
/// pool works is a [`Verdict`](crate::Verdict), never an error.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The path of the running executable is not known.
    #[error("cannot find out which executable is running")]
    Executable {
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The options contradict themselves.
    #[error("the limits of a worker make no sense: {reason}")]
    Limits {
        /// Which, and what would make sense.
        reason: String,
    },
    /// The process could not be started at all.
    #[error("cannot start `{program}` as a worker")]
    Spawn {
        /// The executable.
        program: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The process started, but did not become a worker.
    #[error("the worker did not get ready: {reason}")]
    NotReady {
        /// What happened instead, with the end of what it wrote to its
        /// standard error.
        reason: String,
    },
    /// A protection that the caller requires is not in force.
    #[error("{protection} cannot be restricted on this system: {reason}")]
    Required {
        /// What was required.
        protection: Protection,
        /// Why it is not in force.
        reason: String,
    },
    /// A thread of the pool could not be started.
    #[error("cannot start a thread for the workers")]
    Thread {
        /// Why not.
        #[source]
        source: io::Error,
    },
}

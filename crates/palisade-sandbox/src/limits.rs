//! What a worker may use.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::SandboxError;

/// What one worker, or one job in it, may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of one worker that it could write to, in bytes: heap and stacks.
    ///
    /// On Linux this is `RLIMIT_DATA`, which since Linux 4.7 counts private
    /// writable mappings. `RLIMIT_AS` would also count what costs nothing: the
    /// executable, memory-mapped input, and address space that an allocator
    /// reserves without using it. Shared anonymous memory, the one kind that
    /// `RLIMIT_DATA` misses, is refused by the system call filter.
    pub memory: u64,
    /// Processor time of one job over all its threads; rounded up to seconds,
    /// which is what the kernel counts in.
    pub cpu: Duration,
    /// Time that one job may take on the clock. The parent ends the worker.
    pub wall: Duration,
    /// Time that a worker may take until it is ready for its first job.
    pub start: Duration,
    /// Files that a worker may have open at a time, its standard streams and
    /// one of this crate's own included.
    pub open_files: u64,
    /// Bytes of one encoded job.
    pub input: u32,
    /// Bytes of one encoded answer.
    pub output: u32,
    /// Stack of the thread that runs the jobs, in bytes; a part of `memory`.
    pub stack: u64,
    /// Bytes kept of what a worker writes to its standard error during a job.
    pub stderr: usize,
}

impl Default for Limits {
    /// Enough for the analysis of one large crate version.
    fn default() -> Self {
        Self {
            memory: 2560 << 20,
            cpu: Duration::from_secs(60),
            wall: Duration::from_secs(120),
            start: Duration::from_secs(20),
            open_files: 64,
            input: 64 << 20,
            output: 64 << 20,
            stack: 64 << 20,
            stderr: 8 << 10,
        }
    }
}

/// Less than this and a worker could not even say what is wrong.
const LEAST_MEMORY: u64 = 16 << 20;
const LEAST_STACK: u64 = 64 << 10;
const LEAST_FILES: u64 = 8;

impl Limits {
    /// Refuses limits with which no worker could do anything.
    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let reason = if self.stack < LEAST_STACK {
            format!("a stack of {} bytes is below {LEAST_STACK}", self.stack)
        } else if self.memory < LEAST_MEMORY.saturating_add(self.stack) {
            format!(
                "{} bytes of memory are less than {LEAST_MEMORY} beside a stack of {}",
                self.memory, self.stack
            )
        } else if self.open_files < LEAST_FILES {
            format!("{} open files are below {LEAST_FILES}", self.open_files)
        } else if self.wall.is_zero() || self.cpu.is_zero() || self.start.is_zero() {
            "a time limit is zero".to_owned()
        } else {
            return Ok(());
        };
        Err(SandboxError::Limits { reason })
    }
}

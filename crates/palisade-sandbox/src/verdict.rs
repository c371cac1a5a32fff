//! What became of a job.

use std::fmt;
use std::time::Duration;

/// A job's verdict and what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<T> {
    /// The job's place in the sequence that was given to the pool, from 0.
    pub index: usize,
    /// What became of it.
    pub verdict: Verdict<T>,
    /// How many workers were given the job.
    pub attempts: u32,
    /// Time on the clock of the last attempt.
    pub wall: Duration,
    /// Processor time of the last attempt as the worker measured it, to a
    /// hundredth of a second; `None` where it could not or did not answer.
    pub cpu: Option<Duration>,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<T> {
    /// The worker answered.
    Done(T),
    /// It did not.
    Failed(Failure),
}

impl<T> Verdict<T> {
    /// The answer.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(answer) => Some(answer),
            Self::Failed(_) => None,
        }
    }

    /// The failure.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Done(_) => None,
            Self::Failed(failure) => Some(failure),
        }
    }
}

/// Why a job has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The reason.
    pub reason: Reason,
    /// The end of what the worker wrote to its standard error during the job,
    /// with control characters replaced: it may quote hostile input.
    pub stderr: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

/// Which clock ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Processor time, counted by the kernel.
    Cpu,
    /// The clock on the wall, watched by the parent.
    Wall,
}

/// Why a job has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It needed more memory than allowed.
    Memory {
        /// The limit, in bytes.
        limit: u64,
    },
    /// It took longer than allowed.
    Time {
        /// By which clock.
        clock: Clock,
        /// The limit.
        limit: Duration,
    },
    /// The worker died of a signal, be it a stack overflow or somebody's
    /// `kill`.
    Crash {
        /// The signal's number.
        signal: i32,
    },
    /// The worker ended itself without an answer.
    Exit {
        /// Its exit code, where the system has one.
        code: Option<i32>,
    },
    /// The worker wrote something that is not an answer.
    Protocol {
        /// What.
        detail: String,
    },
    /// The job panicked.
    Panic {
        /// With this message.
        message: String,
    },
    /// The encoded job is larger than allowed; no worker saw it.
    InputTooLarge {
        /// Its size, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The encoded answer is larger than allowed.
    OutputTooLarge {
        /// Its size, in bytes.
        bytes: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The job could not be encoded or decoded.
    Encoding {
        /// Why not.
        detail: String,
    },
    /// No worker could be started any more.
    NotStarted {
        /// Why not.
        detail: String,
    },
    /// The run was cancelled before the job had an answer.
    Cancelled,
}

impl Reason {
    /// Whether another worker might have an answer. What the job did within
    /// its limits it would do again; a signal or a garbled answer may have
    /// come from elsewhere.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Crash { .. } | Self::Exit { .. } | Self::Protocol { .. }
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory { limit } => write!(f, "needed more than {limit} bytes of memory"),
            Self::Time { clock, limit } => {
                let clock = match clock {
                    Clock::Cpu => "of processor time",
                    Clock::Wall => "on the clock",
                };
                write!(f, "took more than {limit:?} {clock}")
            }
            Self::Crash { signal } => write!(f, "the worker died of signal {signal}"),
            Self::Exit { code: Some(code) } => {
                write!(f, "the worker ended with exit code {code}")
            }
            Self::Exit { code: None } => f.write_str("the worker ended"),
            Self::Protocol { detail } => write!(f, "the worker's answer is garbled: {detail}"),
            Self::Panic { message } => write!(f, "panicked: {message}"),
            Self::InputTooLarge { bytes, limit } => {
                write!(f, "the job has {bytes} bytes, more than {limit}")
            }
            Self::OutputTooLarge { bytes, limit } => {
                write!(f, "the answer has {bytes} bytes, more than {limit}")
            }
            Self::Encoding { detail } => write!(f, "cannot be encoded: {detail}"),
            Self::NotStarted { detail } => write!(f, "no worker starts: {detail}"),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

//! What the process says with its exit code.

use std::process::ExitCode;

use palisade_check::Gate;

/// How a run ends; `exit_codes.md` is the table for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing that counts is reached.
    Clean,
    /// Something that counts is reached.
    Reached,
    /// No answer: usage or input error.
    Error,
    /// Only unknown remains, and the user wants to fail on it.
    Unknown,
    /// A scan has a finding that counts.
    Found,
    /// A scan found nothing that counts, but something was not scanned.
    Incomplete,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Clean => 0,
            Exit::Reached | Exit::Found => 1,
            Exit::Error => 2,
            Exit::Unknown => 3,
            Exit::Incomplete => 4,
        })
    }
}

impl From<Gate> for Exit {
    fn from(gate: Gate) -> Exit {
        match gate {
            Gate::Pass => Exit::Clean,
            Gate::Reached => Exit::Reached,
            Gate::Unknown => Exit::Unknown,
        }
    }
}

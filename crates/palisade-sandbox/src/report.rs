//! What is in force, and what is not.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that a worker is kept from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// Using more memory than allowed.
    Memory,
    /// Using more processor time for a job than allowed.
    CpuTime,
    /// Having more files open than allowed.
    OpenFiles,
    /// Reading files outside of the directories that were named.
    Reading,
    /// Writing, creating, renaming or deleting files.
    Writing,
    /// Talking to any other machine or process.
    Network,
    /// Starting programs or processes.
    Processes,
    /// Looking into other processes, mounting, loading modules and the like.
    System,
    /// Gaining privileges, for example by a set-user-id program.
    Privileges,
    /// Using files that whoever started the parent had left open.
    Inherited,
}

impl Protection {
    /// Every protection, in the order of a report.
    pub const ALL: [Self; 10] = [
        Self::Memory,
        Self::CpuTime,
        Self::OpenFiles,
        Self::Reading,
        Self::Writing,
        Self::Network,
        Self::Processes,
        Self::System,
        Self::Privileges,
        Self::Inherited,
    ];
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::CpuTime => "processor time",
            Self::OpenFiles => "open files",
            Self::Reading => "reading files",
            Self::Writing => "writing files",
            Self::Network => "network",
            Self::Processes => "starting processes",
            Self::System => "system administration",
            Self::Privileges => "gaining privileges",
            Self::Inherited => "inherited files",
        })
    }
}

/// Whether a protection is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is, by the named means.
    InForce(String),
    /// It is, with the named gap.
    Partly(String),
    /// It is not, for the named reason.
    NotInForce(String),
}

impl Status {
    /// Whether nothing is missing.
    pub fn is_in_force(&self) -> bool {
        matches!(self, Self::InForce(_))
    }

    /// The means, the gap or the reason.
    pub fn detail(&self) -> &str {
        match self {
            Self::InForce(detail) | Self::Partly(detail) | Self::NotInForce(detail) => detail,
        }
    }

    /// Greater is weaker.
    fn rank(&self) -> u8 {
        match self {
            Self::InForce(_) => 0,
            Self::Partly(_) => 1,
            Self::NotInForce(_) => 2,
        }
    }
}

/// What a worker is restricted to, by its own observation after the fact. The
/// limits that the parent enforces (time on the clock, sizes of jobs and
/// answers, an empty environment) hold everywhere and are not listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Report {
    entries: Vec<(Protection, Status)>,
}

impl Report {
    /// The status of each protection; what nobody answered for is not in force.
    pub(crate) fn new(mut status: impl FnMut(Protection) -> Status) -> Self {
        Self {
            entries: Protection::ALL.map(|p| (p, status(p))).into(),
        }
    }

    /// Every protection once, in the order of [`Protection::ALL`].
    pub fn entries(&self) -> impl Iterator<Item = (Protection, &Status)> {
        self.entries.iter().map(|(p, status)| (*p, status))
    }

    /// The status of one protection.
    pub fn status(&self, protection: Protection) -> &Status {
        static UNKNOWN: Status = Status::NotInForce(String::new());
        let mut entries = self.entries();
        entries
            .find(|(p, _)| *p == protection)
            .map_or(&UNKNOWN, |(_, status)| status)
    }

    /// Takes over whatever is weaker in another worker's report.
    pub(crate) fn weaken(&mut self, other: &Self) {
        for (protection, status) in &mut self.entries {
            let theirs = other.status(*protection);
            if theirs.rank() > status.rank() {
                status.clone_from(theirs);
            }
        }
    }
}

impl fmt::Display for Report {
    /// One line per protection.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (protection, status)) in self.entries().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let word = match status {
                Status::InForce(_) => "restricted",
                Status::Partly(_) => "partly restricted",
                Status::NotInForce(_) => "NOT restricted",
            };
            write!(f, "{protection}: {word} ({})", status.detail())?;
        }
        Ok(())
    }
}

//! What looks into archives.

use std::fmt;

use palisade_model::Checksum;
pub use palisade_store::Verdict;

use crate::look::Look;

/// An archive to look into.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The crate's name.
    pub name: String,
    /// The version.
    pub version: semver::Version,
    /// The archive's checksum.
    pub checksum: Checksum,
    /// The archive.
    pub archive: Vec<u8>,
    /// The archive of the version before, where it is at hand: what changed
    /// says more than what is there.
    pub previous: Option<Vec<u8>>,
}

/// What a scanner has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What every registry looks for.
    pub look: Look,
    /// What the scanner thinks of it.
    pub verdict: Verdict,
}

/// Why there is no verdict. The version stays held.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ScanError(pub String);

/// Looks into archives. It is called on a thread of its own and may take its
/// time; when it takes longer than the policy allows, panics or fails, the
/// version is held until there is an answer.
pub trait Scanner: Send + Sync + 'static {
    /// What it thinks of an archive.
    ///
    /// # Errors
    /// It cannot tell.
    fn scan(&self, subject: &Subject) -> Result<Answer, ScanError>;

    /// How many archives it takes at a time.
    fn parallel(&self) -> usize {
        1
    }
}

impl fmt::Debug for dyn Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scanner")
    }
}

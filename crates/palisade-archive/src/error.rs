//! Why an archive could not be read at all.

use std::io;

use palisade_model::Checksum;

use crate::Finding;

/// Why there is nothing to analyse. Every message names its subject, the file
/// or whatever name the caller gave.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file or directory could not be read.
    #[error("cannot read `{subject}`")]
    Read {
        /// The file or directory.
        subject: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is larger than its limit.
    #[error("`{subject}` has more than {limit} bytes")]
    TooLarge {
        /// The file.
        subject: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The bytes are not those that the index promised.
    #[error("`{subject}` has the checksum {actual}, not {expected}")]
    Checksum {
        /// The archive.
        subject: String,
        /// What was promised.
        expected: Checksum,
        /// What the bytes have.
        actual: Checksum,
    },
    /// It is not a gzip file.
    #[error("`{subject}` is not a gzip file: {reason}")]
    NotGzip {
        /// The archive.
        subject: String,
        /// What is wrong with its header.
        reason: &'static str,
    },
    /// It ends in the middle of an entry.
    #[error("`{subject}` breaks off {place}")]
    Truncated {
        /// The archive.
        subject: String,
        /// Where.
        place: String,
    },
    /// Compressed data or a header is damaged.
    #[error("`{subject}` is damaged: {reason}")]
    Corrupt {
        /// The archive.
        subject: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// A strict reader found something that it refuses.
    #[error("`{subject}` is refused: {}", .findings.iter().find(|finding| finding.kind.is_refused()).map(ToString::to_string).unwrap_or_default())]
    Refused {
        /// The archive.
        subject: String,
        /// Everything that was found, most serious first.
        findings: Vec<Finding>,
    },
}

impl ArchiveError {
    /// What to do about it, in one sentence without a full stop.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ArchiveError::Read { .. } => None,
            ArchiveError::TooLarge { .. } => {
                Some("raise the limit on compressed bytes when the file is trusted")
            }
            ArchiveError::Checksum { .. } | ArchiveError::Truncated { .. } => {
                Some("delete the file and download it again; if it stays so, distrust its source")
            }
            ArchiveError::NotGzip { .. } | ArchiveError::Corrupt { .. } => {
                Some("check that it is a `.crate` file, and download it again")
            }
            ArchiveError::Refused { .. } => {
                Some("read it leniently to see its files together with the findings")
            }
        }
    }
}

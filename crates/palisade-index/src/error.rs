//! What can go wrong with a registry, and what to do about it.

use std::io;

use camino::Utf8PathBuf;
use palisade_model::Checksum;

/// Why a registry could not answer. Every message names its subject; addresses
/// are shown without user names and passwords.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A file could not be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The file or directory.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The file or directory.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// More bytes than are read.
    #[error("{subject} has more than {limit} bytes")]
    TooLarge {
        /// The file or address.
        subject: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// It is not what it should be.
    #[error("{subject} cannot be understood: {reason}")]
    Malformed {
        /// The file or address.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No such name can be published.
    #[error("`{name}` is not the name of a crate")]
    Name {
        /// The name.
        name: String,
    },
    /// An archive is not the one that the index promises.
    #[error("the archive {subject} has the checksum {actual}; the index promises {expected}")]
    Checksum {
        /// The file or address.
        subject: String,
        /// What the index promises.
        expected: Checksum,
        /// What the archive has.
        actual: Checksum,
    },
    /// The registry could not be asked, again and again.
    #[error("cannot fetch {address} ({attempts} attempts)")]
    Fetch {
        /// The address.
        address: String,
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The registry gave an answer that trying again does not change.
    #[error("{address} answers {status}{}", .message.as_deref().map(|message| format!(": {message}")).unwrap_or_default())]
    Status {
        /// The address.
        address: String,
        /// The HTTP status.
        status: u16,
        /// What the registry says, cut and made harmless.
        message: Option<String>,
    },
    /// A git repository could not be read.
    #[error("cannot read the git repository `{path}`: {reason}")]
    Git {
        /// The repository.
        path: Utf8PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl IndexError {
    /// What to do about it, in one sentence without a full stop.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            IndexError::Read { .. } | IndexError::Name { .. } => None,
            IndexError::Write { .. } => {
                Some("check the directory's permissions and the free space, then run it again")
            }
            IndexError::TooLarge { .. } => Some("raise the limit when the source is trusted"),
            IndexError::Malformed { .. } => {
                Some("delete it when it is a cached file; otherwise check the address or path")
            }
            IndexError::Checksum { .. } => {
                Some("delete the file and try again; if it stays so, do not trust its source")
            }
            IndexError::Fetch { .. } => {
                Some("check the network and the address; what was fetched so far is kept")
            }
            IndexError::Status {
                status: 401 | 403, ..
            } => Some("check the token, or ask whoever runs the registry"),
            IndexError::Status { .. } => Some("check the registry's address"),
            IndexError::Git { .. } => Some("check that it is a clone of a registry's index"),
        }
    }
}

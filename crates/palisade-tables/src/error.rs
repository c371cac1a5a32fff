//! Why tables cannot be used.

use std::io;

use camino::Utf8PathBuf;

/// Why tables cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TablesError {
    /// A file or directory could not be used.
    #[error("cannot {operation} `{path}`")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The manifest is not one.
    #[error("`{path}` is not a manifest of tables")]
    Manifest {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Another version of Palisade wrote them.
    #[error("`{path}` is of tables in format {format}, which this version does not read")]
    Format {
        /// The manifest.
        path: Utf8PathBuf,
        /// Its format.
        format: u32,
    },
    /// A file is not what was written.
    #[error("`{path}` is damaged: {what}")]
    Damaged {
        /// The file.
        path: Utf8PathBuf,
        /// How it shows.
        what: String,
    },
}

impl TablesError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            TablesError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room and run it again; what was there before is still complete"
            }
            TablesError::Io { .. } => "check that the directory is there and may be used",
            TablesError::Manifest { .. }
            | TablesError::Format { .. }
            | TablesError::Damaged { .. } => {
                "remove the directory `tables` and run `palisade ecosystem update`: \
                 it is made again from the fragments"
            }
        }
    }
}

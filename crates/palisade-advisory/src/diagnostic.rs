//! What can be wrong with a database, and what to do about it.

use std::io;

use camino::Utf8PathBuf;
use thiserror::Error;

/// A part of the database that was left out, and why. The rest is usable, but
/// whatever concerns the package may be incomplete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatabaseDiagnostic {
    /// The file or directory.
    pub file: Utf8PathBuf,
    /// The package whose advisories are incomplete, when it is known.
    pub package: Option<String>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
}

/// A directory that cannot serve as a database.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// There is nothing there.
    #[error("the advisory database {dir} does not exist")]
    Missing {
        /// The directory as given.
        dir: Utf8PathBuf,
    },
    /// A file, or a directory without the `crates` directory of a database.
    #[error("{dir} is not an advisory database: it holds no `crates` directory")]
    NotADatabase {
        /// The directory as given.
        dir: Utf8PathBuf,
    },
    /// A `crates` directory with no advisory in it: checking against it would
    /// find nothing and look like good news.
    #[error("the advisory database {dir} holds no advisories")]
    Empty {
        /// The directory as given.
        dir: Utf8PathBuf,
    },
    /// The directory cannot be listed.
    #[error("cannot list {dir}")]
    List {
        /// The directory that cannot be listed.
        dir: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// More packages than the limits allow.
    #[error("{dir} holds more than {limit} entries")]
    TooLarge {
        /// The directory that holds them.
        dir: Utf8PathBuf,
        /// The limit.
        limit: usize,
    },
}

impl DatabaseError {
    /// What to do about it, for the user.
    pub fn hint(&self) -> String {
        match self {
            DatabaseError::Missing { .. } | DatabaseError::NotADatabase { .. } => {
                "give the directory that contains `crates`, such as a clone of the RustSec \
                 advisory database"
                    .to_owned()
            }
            DatabaseError::Empty { .. } => {
                "fetch the database again, or give another directory".to_owned()
            }
            DatabaseError::List { dir, .. } => {
                format!("check that {dir} is readable and no symbolic link in its path is circular")
            }
            DatabaseError::TooLarge { .. } => {
                "check that this is an advisory database, or raise the limit".to_owned()
            }
        }
    }
}

//! What can go wrong with the store.

use crate::{Cause, State};

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be opened.
    #[error("cannot open the database `{database}`")]
    Open {
        /// Which one, without a password.
        database: String,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// A newer release has written the database.
    #[error("the database `{database}` has schema {found}; this release knows {known}")]
    Newer {
        /// Which one, without a password.
        database: String,
        /// Its schema.
        found: i64,
        /// The newest schema that is known.
        known: i64,
    },
    /// A question or a change failed.
    #[error("the database cannot {operation}")]
    Database {
        /// What was being done.
        operation: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// A file could not be used.
    #[error("cannot {operation} `{path}`")]
    File {
        /// What was to be done.
        operation: &'static str,
        /// The file.
        path: camino::Utf8PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A copy of the state cannot be used.
    #[error("`{path}` is not a whole copy of the state: {reason}")]
    Copy {
        /// The file.
        path: camino::Utf8PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A row holds what this release does not write.
    #[error("the database holds {what} `{value}`, which is not understood")]
    Damaged {
        /// Which field.
        what: &'static str,
        /// What it holds.
        value: String,
    },
    /// There is no such thing.
    #[error("there is no {what} `{name}`")]
    Missing {
        /// What was looked for.
        what: &'static str,
        /// By which name.
        name: String,
    },
    /// Such a thing exists.
    #[error("the {what} `{name}` exists already")]
    Exists {
        /// What was to be made.
        what: &'static str,
        /// By which name.
        name: String,
    },
    /// The state cannot follow, or not for this cause.
    #[error("a version that is {from} cannot become {to} by {cause}")]
    Transition {
        /// The state now.
        from: State,
        /// The state that was wanted.
        to: State,
        /// Who or what wanted it.
        cause: Cause,
    },
    /// It takes another person.
    #[error("{person} has a part in this {what}; somebody else has to decide")]
    SamePerson {
        /// What is to be decided.
        what: &'static str,
        /// Who it is.
        person: String,
    },
    /// It is over.
    #[error("the {what} {id} is decided already, or its time is over")]
    Decided {
        /// What was to be decided.
        what: &'static str,
        /// Its number.
        id: i64,
    },
    /// Nothing keeps the version back.
    #[error("nothing keeps `{subject}` back")]
    Pointless {
        /// Crate and version.
        subject: String,
    },
    /// Somebody else changed the version in the meantime.
    #[error("`{subject}` was changed by somebody else in the meantime")]
    Raced {
        /// Crate and version.
        subject: String,
    },
}

impl StoreError {
    /// What to do about it, in one sentence without a full stop.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            StoreError::Open { .. } => Some(
                "check that the directory exists, belongs to the service and has free space, or that the server runs and knows the user",
            ),
            StoreError::Newer { .. } => Some("use the newer release, or restore an older backup"),
            StoreError::Damaged { .. } => {
                Some("restore a backup; `palisade admin audit verify` shows what was changed")
            }
            StoreError::Copy { .. } => Some("use another copy; `palisade admin backup` makes them"),
            StoreError::Raced { .. } => Some("look at it again and repeat the command"),
            _ => None,
        }
    }

    pub(crate) fn database(operation: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
        move |source| StoreError::Database { operation, source }
    }
}

//! Where the database is.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of SQLite.
    File(Utf8PathBuf),
    /// The address of a PostgreSQL database, such as
    /// `postgres://palisade@db.example.com/palisade`.
    Server(String),
}

impl From<&Utf8Path> for Location {
    fn from(path: &Utf8Path) -> Location {
        Location::File(path.to_owned())
    }
}

/// Without the password, because it ends in messages and logs.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match self {
            Location::File(path) => return write!(f, "{path}"),
            Location::Server(url) => url,
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", ""));
        // Parameters can hold a password as well.
        let rest = rest.split('?').next().unwrap_or_default();
        let rest = match rest.rsplit_once('@') {
            Some((user, place)) => {
                let user = user.split(':').next().unwrap_or_default();
                format!("{user}@{place}")
            }
            None => rest.to_owned(),
        };
        write!(f, "{scheme}://{rest}")
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards passwords of databases against messages and logs.
    #[test]
    fn a_password_is_not_shown() {
        for url in [
            "postgres://ann:hunter2@db.example.com/palisade",
            "postgres://ann:hun:ter2@x@db.example.com/palisade",
            "postgres://ann@db.example.com/palisade?password=hunter2",
        ] {
            let location = Location::Server(url.to_owned());
            let shown = format!("{location} {location:?}");
            assert!(!shown.contains("ter2"), "{shown}");
            assert!(shown.contains("ann@db.example.com/palisade"), "{shown}");
        }
    }
}

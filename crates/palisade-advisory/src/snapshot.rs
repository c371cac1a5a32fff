//! The local copy of a database: where it lies and how old it is.
//!
//! Below the cache directory each database address has a directory of its own:
//!
//! ```text
//! advisories/<hash of the address>/
//!   current.json          which snapshot is in use; replaced atomically
//!   lock                  held by whoever updates
//!   <time>-<commit>/      a snapshot: crates/, rust/
//! ```
//!
//! A snapshot is complete before `current.json` names it, and the one before
//! stays for those who still read it, so an interrupted update changes
//! nothing.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A local copy of an advisory database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The directory to open as a [`Database`](crate::Database).
    pub dir: Utf8PathBuf,
    /// The commit that was copied, in hexadecimal.
    pub commit: String,
    /// When that commit was made.
    pub date: Timestamp,
    /// When it was last seen to be the newest.
    pub fetched_at: Timestamp,
}

/// A local copy that cannot be used.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The record of the copy in use cannot be read.
    #[error("cannot read {file}, which says where the advisory database lies")]
    Read {
        /// The record.
        file: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The record of the copy in use does not parse.
    #[error("{file}, which says where the advisory database lies, is damaged")]
    Damaged {
        /// The record.
        file: Utf8PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The record names a directory that is not beside it.
    #[error("{file} names `{directory}`, which is not a snapshot beside it")]
    Misplaced {
        /// The record.
        file: Utf8PathBuf,
        /// The directory that it names.
        directory: String,
    },
}

impl SnapshotError {
    /// What to do about it, for the user.
    pub fn hint(&self) -> String {
        let (SnapshotError::Read { file, .. }
        | SnapshotError::Damaged { file, .. }
        | SnapshotError::Misplaced { file, .. }) = self;
        format!("remove {file} and update the advisory database again")
    }
}

/// What `current.json` holds.
#[derive(Deserialize, Serialize)]
pub(crate) struct Record {
    pub(crate) url: String,
    pub(crate) directory: String,
    pub(crate) commit: String,
    pub(crate) date: Timestamp,
    pub(crate) fetched_at: Timestamp,
}

impl Snapshot {
    /// The copy of the database at `url` that an update left in `cache_dir`,
    /// `None` when there is none yet. Never touches the network.
    ///
    /// # Errors
    /// When there is a record of a copy that cannot be used.
    pub fn current(cache_dir: &Utf8Path, url: &str) -> Result<Option<Snapshot>, SnapshotError> {
        let home = home(cache_dir, url);
        let file = home.join(RECORD);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SnapshotError::Read { file, source }),
        };
        let record: Record = match serde_json::from_str(&text) {
            Ok(record) => record,
            Err(source) => return Err(SnapshotError::Damaged { file, source }),
        };
        // Two addresses may share a hash; the record belongs to one of them.
        if record.url != url {
            return Ok(None);
        }
        let is_name = Utf8Path::new(&record.directory).file_name() == Some(&record.directory);
        let dir = home.join(&record.directory);
        if !is_name || !dir.is_dir() {
            return Err(SnapshotError::Misplaced {
                file,
                directory: record.directory,
            });
        }
        let Record {
            commit,
            date,
            fetched_at,
            ..
        } = record;
        Ok(Some(Snapshot {
            dir,
            commit,
            date,
            fetched_at,
        }))
    }

    /// Whole days since the copy was last seen to be the newest.
    pub fn age_days(&self, now: Timestamp) -> i64 {
        now.duration_since(self.fetched_at).as_hours() / 24
    }
}

/// The directory for cached data of this user: `palisade` below
/// `XDG_CACHE_HOME`, or below what the operating system uses in its place;
/// `None` when the environment names no home directory.
pub fn default_cache_dir() -> Option<Utf8PathBuf> {
    cache_dir(|name| std::env::var(name).ok())
}

fn cache_dir(variable: impl Fn(&str) -> Option<String>) -> Option<Utf8PathBuf> {
    // A relative path would depend on the working directory; the XDG
    // specification tells us to pass over it.
    let absolute = |name: &str| {
        variable(name)
            .map(Utf8PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = absolute("XDG_CACHE_HOME").or_else(|| match std::env::consts::OS {
        "windows" => absolute("LOCALAPPDATA"),
        "macos" => absolute("HOME").map(|home| home.join("Library/Caches")),
        _ => absolute("HOME").map(|home| home.join(".cache")),
    })?;
    Some(base.join("palisade"))
}

pub(crate) const RECORD: &str = "current.json";

/// The directory of one database address. The hash (FNV-1a, the same in every
/// release) only has to tell addresses apart; the record repeats the address.
pub(crate) fn home(cache_dir: &Utf8Path, url: &str) -> Utf8PathBuf {
    let hash = url.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    cache_dir.join("advisories").join(format!("{hash:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the order in which the environment is asked.
    #[cfg(target_os = "linux")]
    #[test]
    fn where_the_cache_is() {
        let find = |variables: &'static [(&str, &str)]| {
            let variable = |name: &str| {
                variables
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, v)| (*v).to_owned())
            };
            cache_dir(variable).map(String::from)
        };
        let xdg = &[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")];
        assert_eq!(find(xdg).as_deref(), Some("/c/palisade"));
        let relative = &[("XDG_CACHE_HOME", "c"), ("HOME", "/h")];
        assert_eq!(find(relative).as_deref(), Some("/h/.cache/palisade"));
        assert_eq!(find(&[]), None);
    }
}

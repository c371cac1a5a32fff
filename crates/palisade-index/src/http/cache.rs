//! Index files as they were fetched, with what is needed to ask whether they
//! still hold: one line of JSON, then the file itself.

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::Conditions;
use crate::source::INDEX_FILE_BYTES;
use crate::{IndexError, index_path, read};

/// A directory of fetched index files.
#[derive(Clone, Debug)]
pub(crate) struct IndexCache {
    directory: Utf8PathBuf,
}

/// A fetched index file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// What to ask with, the next time.
    pub conditions: Conditions,
    /// The file, byte for byte.
    pub text: String,
}

/// The first line of a fetched file.
#[derive(Serialize, Deserialize)]
struct Head {
    #[serde(flatten)]
    conditions: Conditions,
    /// A file that was cut must not pass for a crate with fewer versions.
    bytes: usize,
}

impl IndexCache {
    pub(crate) fn new(directory: Utf8PathBuf) -> IndexCache {
        IndexCache { directory }
    }

    /// What was fetched before; a file that is not whole counts as none.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Cached>, IndexError> {
        let path = self.path(name);
        // The first line comes on top.
        let Some(text) = read::text(&path, INDEX_FILE_BYTES.saturating_add(4096))? else {
            return Ok(None);
        };
        Ok(text.split_once('\n').and_then(|(head, text)| {
            let head: Head = serde_json::from_str(head).ok()?;
            (head.bytes == text.len()).then(|| Cached {
                conditions: head.conditions,
                text: text.to_owned(),
            })
        }))
    }

    pub(crate) fn put(&self, name: &str, cached: &Cached) -> Result<(), IndexError> {
        let head = Head {
            conditions: cached.conditions.clone(),
            bytes: cached.text.len(),
        };
        let head = serde_json::to_string(&head).expect("strings and a number are JSON");
        replace(
            &self.path(name),
            format!("{head}\n{}", cached.text).as_bytes(),
        )
    }

    /// Forgets a crate that the registry no longer knows.
    pub(crate) fn remove(&self, name: &str) -> Result<(), IndexError> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(IndexError::Write {
                path,
                source: error,
            }),
            _ => Ok(()),
        }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        self.directory.join(index_path(name))
    }
}

/// Replaces a file in one step: a kill leaves the old one or the new one.
pub(crate) fn replace(path: &Utf8Path, bytes: &[u8]) -> Result<(), IndexError> {
    let failed = |source| IndexError::Write {
        path: path.to_owned(),
        source,
    };
    let parent = path.parent().unwrap_or(Utf8Path::new("."));
    std::fs::create_dir_all(parent).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_data().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

//! Where published versions and their archives come from.

mod cargo_cache;
mod local;

use std::sync::Arc;

use camino::Utf8Path;
use palisade_model::Checksum;
use sha2::{Digest, Sha256};

use crate::{IndexError, IndexFile, IndexVersion};

pub use cargo_cache::CargoCache;
pub use local::LocalRegistry;

/// A registry as data. Its answers do not change during one run.
pub trait Registry: Send + Sync {
    /// All versions of a crate; `None` when the registry does not know it.
    /// Names compare as in an index: case does not count, dashes do.
    ///
    /// # Errors
    /// The registry cannot be read or asked.
    fn index_file(&self, name: &str) -> Result<Option<Arc<IndexFile>>, IndexError>;

    /// A version's archive, whose checksum has been compared with the index;
    /// `None` when the registry does not have it.
    ///
    /// # Errors
    /// The archive cannot be read or fetched, or is another one.
    fn archive(&self, version: &IndexVersion) -> Result<Option<Vec<u8>>, IndexError>;
}

impl<R: Registry + ?Sized> Registry for &R {
    fn index_file(&self, name: &str) -> Result<Option<Arc<IndexFile>>, IndexError> {
        (**self).index_file(name)
    }

    fn archive(&self, version: &IndexVersion) -> Result<Option<Vec<u8>>, IndexError> {
        (**self).archive(version)
    }
}

/// The most bytes of one crate's index file. The largest has a few megabytes.
pub(crate) const INDEX_FILE_BYTES: u64 = 64 << 20;
/// The most bytes of one archive.
pub(crate) const ARCHIVE_BYTES: u64 = 128 << 20;

/// An archive that is the one which the index promises.
pub(crate) fn verified(
    subject: impl FnOnce() -> String,
    bytes: Vec<u8>,
    expected: Checksum,
) -> Result<Vec<u8>, IndexError> {
    let actual = Checksum(Sha256::digest(&bytes).into());
    if actual == expected {
        return Ok(bytes);
    }
    Err(IndexError::Checksum {
        subject: subject(),
        expected,
        actual,
    })
}

/// The names of all index files below a directory, in order: files that lie
/// where an index has them.
fn names_below(root: &Utf8Path) -> Result<Vec<String>, IndexError> {
    let mut names = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        let failed = |source| IndexError::Read {
            path: directory.clone(),
            source,
        };
        for entry in directory.read_dir_utf8().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let name = entry.file_name();
            if kind.is_dir() {
                // `.git` and the like hold no index files.
                if !name.starts_with('.') {
                    directories.push(entry.path().to_owned());
                }
            } else if crate::is_crate_name(name)
                && entry.path() == root.join(crate::index_path(name))
            {
                names.push(name.to_owned());
            }
        }
    }
    names.sort();
    Ok(names)
}

/// Refuses what must not become part of a path.
pub(crate) fn check_name(name: &str) -> Result<(), IndexError> {
    if crate::is_crate_name(name) {
        return Ok(());
    }
    Err(IndexError::Name {
        name: name.escape_debug().to_string(),
    })
}

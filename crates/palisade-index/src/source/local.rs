//! A local directory of archives with an index, as cargo's `local-registry`
//! sources and `cargo local-registry` lay it out.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::{ARCHIVE_BYTES, INDEX_FILE_BYTES, check_name, verified};
use crate::{IndexError, IndexFile, IndexVersion, Registry, index_path, read};

/// A directory with `name-version.crate` files and an index in `index/`.
#[derive(Clone, Debug)]
pub struct LocalRegistry {
    root: Utf8PathBuf,
}

impl LocalRegistry {
    /// The registry in the directory `root`.
    ///
    /// # Errors
    /// There is no directory `index` in it.
    pub fn open(root: &Utf8Path) -> Result<LocalRegistry, IndexError> {
        let index = root.join("index");
        let metadata = std::fs::metadata(&index).map_err(|source| IndexError::Read {
            path: index.clone(),
            source,
        })?;
        if !metadata.is_dir() {
            return Err(read::malformed(&index, "it is not a directory"));
        }
        Ok(LocalRegistry {
            root: root.to_owned(),
        })
    }

    /// The names of all crates in the index, in order.
    ///
    /// # Errors
    /// A directory cannot be listed.
    pub fn names(&self) -> Result<Vec<String>, IndexError> {
        super::names_below(&self.root.join("index"))
    }
}

impl Registry for LocalRegistry {
    fn index_file(&self, name: &str) -> Result<Option<Arc<IndexFile>>, IndexError> {
        check_name(name)?;
        let path = self.root.join("index").join(index_path(name));
        let text = read::text(&path, INDEX_FILE_BYTES)?;
        Ok(text.map(|text| Arc::new(IndexFile::parse(name, &text))))
    }

    fn archive(&self, version: &IndexVersion) -> Result<Option<Vec<u8>>, IndexError> {
        check_name(&version.name)?;
        let file = format!("{}-{}.crate", version.name, version.version);
        let path = self.root.join(file);
        read::bytes(&path, ARCHIVE_BYTES)?
            .map(|bytes| verified(|| format!("`{path}`"), bytes, version.checksum))
            .transpose()
    }
}

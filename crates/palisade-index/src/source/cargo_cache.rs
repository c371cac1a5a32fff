//! What cargo itself has fetched: `$CARGO_HOME/registry/{index,cache,src}`.
//!
//! The index's files there are in a binary format of cargo's own: a version
//! byte, the version of the index as a little-endian word, the revision ending
//! in a zero, and then for each published version its number and its index
//! line, each ending in a zero.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::{ARCHIVE_BYTES, INDEX_FILE_BYTES, check_name, verified};
use crate::{IndexError, IndexFile, IndexVersion, Registry, index_path, read};

/// The format of cargo's cached index files that is understood, in use since
/// 2021.
const FORMAT: u8 = 3;
/// The version of the index itself.
const INDEX_VERSION: u32 = 2;

/// One registry in cargo's home.
#[derive(Clone, Debug)]
pub struct CargoCache {
    home: Utf8PathBuf,
    /// The directory's name, the same below `index`, `cache` and `src`: the
    /// registry's host and a hash.
    directory: String,
}

impl CargoCache {
    /// Every registry of which `cargo_home` keeps an index in this format,
    /// in the order of their names.
    ///
    /// # Errors
    /// The directory `registry/index` cannot be listed.
    pub fn all(cargo_home: &Utf8Path) -> Result<Vec<CargoCache>, IndexError> {
        let root = cargo_home.join("registry/index");
        let failed = |source| IndexError::Read {
            path: root.clone(),
            source,
        };
        let mut found = Vec::new();
        for entry in root.read_dir_utf8().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.path().join(".cache").is_dir() {
                found.push(CargoCache {
                    home: cargo_home.to_owned(),
                    directory: entry.file_name().to_owned(),
                });
            }
        }
        found.sort_by(|a, b| a.directory.cmp(&b.directory));
        Ok(found)
    }

    /// The directory's name: the registry's host and a hash.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// Where cargo has unpacked a version, if it has.
    pub fn unpacked(&self, name: &str, version: &semver::Version) -> Option<Utf8PathBuf> {
        let path = self.below("src").join(format!("{name}-{version}"));
        (crate::is_crate_name(name) && path.is_dir()).then_some(path)
    }

    /// Where the archive of a version is, if cargo has fetched it.
    pub fn archive_path(&self, name: &str, version: &semver::Version) -> Option<Utf8PathBuf> {
        let path = self.below("cache").join(format!("{name}-{version}.crate"));
        (crate::is_crate_name(name) && path.is_file()).then_some(path)
    }

    /// The versions of one crate whose archives cargo has fetched, lowest
    /// first.
    ///
    /// # Errors
    /// The crate's index file cannot be read.
    pub fn fetched(&self, name: &str) -> Result<Vec<semver::Version>, IndexError> {
        let index = self.index_file(name)?;
        let versions = index.iter().flat_map(|index| &index.versions);
        let mut fetched: Vec<_> = versions
            .map(|version| version.version.clone())
            .filter(|version| self.archive_path(name, version).is_some())
            .collect();
        fetched.sort();
        Ok(fetched)
    }

    /// The names and versions of all archives that cargo has fetched, in the
    /// order of the files' names. Files that are called otherwise are left
    /// out.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub fn archives(&self) -> Result<Vec<(String, semver::Version)>, IndexError> {
        let root = self.below("cache");
        let failed = |source| IndexError::Read {
            path: root.clone(),
            source,
        };
        let mut files = Vec::new();
        for entry in root.read_dir_utf8().map_err(failed)? {
            files.push(entry.map_err(failed)?.file_name().to_owned());
        }
        files.sort();
        let split = |file: &String| {
            let stem = file.strip_suffix(".crate")?;
            stem.match_indices('-').find_map(|(at, _)| {
                let version = stem[at + 1..].parse().ok()?;
                Some((stem[..at].to_owned(), version))
            })
        };
        Ok(files.iter().filter_map(split).collect())
    }

    /// The names of all crates whose index file cargo has fetched, in order.
    ///
    /// # Errors
    /// A directory cannot be listed.
    pub fn names(&self) -> Result<Vec<String>, IndexError> {
        super::names_below(&self.below("index").join(".cache"))
    }

    fn below(&self, part: &str) -> Utf8PathBuf {
        self.home.join("registry").join(part).join(&self.directory)
    }
}

impl Registry for CargoCache {
    fn index_file(&self, name: &str) -> Result<Option<Arc<IndexFile>>, IndexError> {
        check_name(name)?;
        let path = self.below("index").join(".cache").join(index_path(name));
        let Some(bytes) = read::bytes(&path, INDEX_FILE_BYTES)? else {
            return Ok(None);
        };
        let lines = lines(&bytes).map_err(|reason| read::malformed(&path, reason))?;
        Ok(Some(Arc::new(IndexFile::from_lines(
            name,
            lines.into_iter(),
        ))))
    }

    fn archive(&self, version: &IndexVersion) -> Result<Option<Vec<u8>>, IndexError> {
        check_name(&version.name)?;
        let file = format!("{}-{}.crate", version.name, version.version);
        let path = self.below("cache").join(file);
        read::bytes(&path, ARCHIVE_BYTES)?
            .map(|bytes| verified(|| format!("`{path}`"), bytes, version.checksum))
            .transpose()
    }
}

/// The index lines of a cached file.
fn lines(bytes: &[u8]) -> Result<Vec<&str>, &'static str> {
    let (&format, rest) = bytes.split_first().ok_or("it is empty")?;
    if format != FORMAT {
        return Err("it has an unknown format");
    }
    let (version, rest) = rest.split_first_chunk().ok_or("it breaks off")?;
    if u32::from_le_bytes(*version) != INDEX_VERSION {
        return Err("it is of an unknown version of the index");
    }
    // Behind the last zero there is nothing.
    let rest = rest.strip_suffix(&[0]).ok_or("it breaks off")?;
    let mut parts = rest.split(|&byte| byte == 0);
    parts.next();
    let mut lines = Vec::new();
    while let Some(_version) = parts.next() {
        let line = parts.next().ok_or("it breaks off")?;
        lines.push(std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?);
    }
    Ok(lines)
}

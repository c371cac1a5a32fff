//! A directory of fragments.
//!
//! Every file is written under a temporary name and then renamed, so that a
//! reader, and a writer that was killed, never see half of one.

use std::fs::File;
use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_index::{index_prefix, is_crate_name};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{FormatError, Fragment, ReadLimits};

/// What a fragment is kept under.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The package's name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The features that it is read with, sorted.
    pub features: Vec<String>,
}

impl Key {
    /// A short name for the set of features.
    fn variant(&self) -> String {
        let digest = Sha256::digest(self.features.join(",").as_bytes());
        digest[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// The versions that a program is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The directory that it was read from.
    pub directory: String,
    /// Everything that it is linked with or built by, the standard library
    /// included.
    pub packages: Vec<Key>,
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
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
    /// A name that must not become part of a path.
    #[error("`{name}` is not the name of a package, or not a version")]
    Name {
        /// The name.
        name: String,
    },
    /// A file is not a fragment.
    #[error("`{path}` cannot be used")]
    Format {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: FormatError,
    },
    /// A record is not what this version writes.
    #[error("`{path}` is not a record of this version")]
    Record {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
}

/// One file of the store.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it is.
    pub path: Utf8PathBuf,
    /// Its size, in bytes.
    pub bytes: u64,
    /// The fragment, or why it cannot be read.
    pub fragment: Result<Fragment, FormatError>,
}

/// A directory of fragments.
#[derive(Clone, Debug)]
pub struct Store {
    root: Utf8PathBuf,
    limits: ReadLimits,
}

const FRAGMENTS: &str = "fragments";
const FAILURES: &str = "failures";
const PROGRAMS: &str = "programs";

/// A crate version that has no fragment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailureRecord {
    pub(crate) key: Key,
    pub(crate) engine: String,
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) stage: Stage,
}

/// What a crate version failed at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stage {
    /// It could not be planned: its archive or what it depends on is not
    /// there. That may be mended, so it is asked each time.
    Plan,
    /// The engine gave up on it, and would again.
    #[default]
    Make,
}

impl Store {
    /// The store in `root`, which need not exist yet.
    pub fn new(root: &Utf8Path) -> Store {
        Store {
            root: root.to_owned(),
            limits: ReadLimits::default(),
        }
    }

    /// Where it is.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Holds the store for writing until the file is dropped; `waiting` is
    /// called once if somebody else holds it.
    ///
    /// # Errors
    /// The directory cannot be made or the lock not be had.
    pub fn lock(&self, waiting: impl FnOnce()) -> Result<File, StoreError> {
        create_dir(&self.root)?;
        let path = self.root.join("lock");
        let failed = |source| StoreError::Io {
            operation: "lock",
            path: path.clone(),
            source,
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        if file.try_lock().is_err() {
            waiting();
            file.lock().map_err(failed)?;
        }
        Ok(file)
    }

    /// Where a fragment lies below a store's directory, or below the address
    /// that its files are served from.
    ///
    /// # Errors
    /// The key cannot become part of a path.
    pub fn fragment_path(key: &Key) -> Result<Utf8PathBuf, StoreError> {
        Store::new(Utf8Path::new("")).path(FRAGMENTS, key, "palf")
    }

    fn directory(&self, kind: &str, package: &str) -> Result<Utf8PathBuf, StoreError> {
        if !is_crate_name(package) {
            return Err(StoreError::Name {
                name: package.escape_debug().to_string(),
            });
        }
        let name = package.to_lowercase();
        Ok(self.root.join(kind).join(index_prefix(&name)).join(&name))
    }

    fn path(&self, kind: &str, key: &Key, extension: &str) -> Result<Utf8PathBuf, StoreError> {
        // Other versions could lead out of the store.
        if semver::Version::parse(&key.version).is_err() {
            return Err(StoreError::Name {
                name: key.version.escape_debug().to_string(),
            });
        }
        let name = format!("{}.{extension}", key.variant());
        Ok(self
            .directory(kind, &key.package)?
            .join(&key.version)
            .join(name))
    }

    /// A fragment, when there is one.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn read(&self, key: &Key) -> Result<Option<Fragment>, StoreError> {
        let path = self.path(FRAGMENTS, key, "palf")?;
        let Some(bytes) = read(&path)? else {
            return Ok(None);
        };
        let decoded = Fragment::decode(&bytes, &self.limits);
        decoded
            .map(Some)
            .map_err(|source| StoreError::Format { path, source })
    }

    /// Keeps a fragment, and forgets that it could not be made.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
        write(&self.path(FRAGMENTS, key, "palf")?, bytes)?;
        remove(&self.path(FAILURES, key, "json")?)
    }

    pub(crate) fn write_failure(&self, record: &FailureRecord) -> Result<(), StoreError> {
        let path = self.path(FAILURES, &record.key, "json")?;
        write(&path, &json(record))
    }

    pub(crate) fn failure(&self, key: &Key) -> Result<Option<FailureRecord>, StoreError> {
        let path = self.path(FAILURES, key, "json")?;
        match read(&path)? {
            None => Ok(None),
            Some(bytes) => parse(&path, &bytes).map(Some),
        }
    }

    /// Every fragment, in the order of the files' names. A file that cannot be
    /// read as one is an entry too.
    ///
    /// # Errors
    /// A directory cannot be listed or a file not be opened.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        self.below(&self.root.join(FRAGMENTS))
    }

    /// The fragments of one package, as [`Store::entries`].
    ///
    /// # Errors
    /// A directory cannot be listed or a file not be opened, or `package` is
    /// not a package's name.
    pub fn versions(&self, package: &str) -> Result<Vec<Entry>, StoreError> {
        self.below(&self.directory(FRAGMENTS, package)?)
    }

    /// The paths of all fragments, in order.
    pub(crate) fn files(&self) -> Result<Vec<Utf8PathBuf>, StoreError> {
        files(&self.root.join(FRAGMENTS), "palf")
    }

    fn below(&self, directory: &Utf8Path) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        for path in files(directory, "palf")? {
            let bytes = read(&path)?.unwrap_or_default();
            entries.push(Entry {
                path,
                bytes: bytes.len() as u64,
                fragment: Fragment::decode(&bytes, &self.limits),
            });
        }
        Ok(entries)
    }

    /// Every crate version that has no fragment, with the reason.
    ///
    /// # Errors
    /// A directory or file cannot be read.
    pub fn failures(&self) -> Result<Vec<(Key, String)>, StoreError> {
        let mut failures = Vec::new();
        for path in files(&self.root.join(FAILURES), "json")? {
            let bytes = read(&path)?.unwrap_or_default();
            let record: FailureRecord = parse(&path, &bytes)?;
            failures.push((record.key, record.reason));
        }
        Ok(failures)
    }

    pub(crate) fn write_program(&self, program: &Program) -> Result<(), StoreError> {
        write(&self.program_path(&program.directory), &json(program))
    }

    /// What is known of the program in a directory, when fragments were made
    /// for it.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn program(&self, directory: &Utf8Path) -> Result<Option<Program>, StoreError> {
        let path = self.program_path(directory.as_str());
        match read(&path)? {
            None => Ok(None),
            Some(bytes) => parse(&path, &bytes).map(Some),
        }
    }

    fn program_path(&self, directory: &str) -> Utf8PathBuf {
        let digest = Sha256::digest(directory.as_bytes());
        let name: String = digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.root.join(PROGRAMS).join(format!("{name}.json"))
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain structures of strings always serialise.
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Utf8Path, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|source| StoreError::Record {
        path: path.to_owned(),
        source,
    })
}

fn create_dir(path: &Utf8Path) -> Result<(), StoreError> {
    std::fs::create_dir_all(path).map_err(|source| StoreError::Io {
        operation: "make the directory",
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Utf8Path) -> Result<Option<Vec<u8>>, StoreError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Io {
            operation: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

fn remove(path: &Utf8Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError::Io {
            operation: "remove",
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

fn write(path: &Utf8Path, bytes: &[u8]) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Utf8Path::new("."));
    create_dir(directory)?;
    let failed = |source| StoreError::Io {
        operation: "write",
        path: path.to_owned(),
        source,
    };
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Every file below a directory with an extension, in order.
fn files(root: &Utf8Path, extension: &str) -> Result<Vec<Utf8PathBuf>, StoreError> {
    let mut found = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        let failed = |source| StoreError::Io {
            operation: "list",
            path: directory.clone(),
            source,
        };
        let entries = match directory.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                directories.push(entry.path().to_owned());
            } else if entry.path().extension() == Some(extension) {
                found.push(entry.path().to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

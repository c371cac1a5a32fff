//! What a scan looks at: bytes, and what is known around them.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_archive::{ArchiveError, CrateName};
use palisade_index::{CargoCache, IndexFile, LocalRegistry, Registry};
use semver::Version;

use crate::{Input, Limits, ScanError};

/// A package to scan, not looked into yet: its bytes, those of the version
/// before it, and what the registry's index says about the crate.
///
/// Making one reads files and parses no archive, so that the analysis can
/// happen somewhere else, in [`Workers`](crate::Workers).
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) new: Material,
    pub(crate) old: Option<Material>,
    pub(crate) index: Option<Arc<IndexFile>>,
}

/// One package as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Material {
    /// How it is called in reports.
    pub(crate) target: String,
    pub(crate) content: Content,
    /// Which crate it has to be, where that is known.
    pub(crate) name: Option<CrateName>,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// The bytes of a `.crate` file.
    Archive(Vec<u8>),
    /// A directory, by its absolute path.
    Directory(Utf8PathBuf),
}

impl Request {
    /// The archive of this crate version, as a registry hands it out.
    pub fn archive(name: &str, version: &Version, bytes: Vec<u8>) -> Request {
        Request {
            new: Material::of_registry(name, version, bytes),
            old: None,
            index: None,
        }
    }

    /// No package.
    pub(crate) fn nothing() -> Request {
        Request {
            new: Material {
                target: String::new(),
                content: Content::Archive(Vec::new()),
                name: None,
            },
            old: None,
            index: None,
        }
    }

    /// The same, compared with an earlier version.
    #[must_use]
    pub fn previous(mut self, version: &Version, bytes: Vec<u8>) -> Request {
        let name = self.new.name.as_ref().map(|name| name.name.clone());
        let name = name.unwrap_or_default();
        self.old = Some(Material::of_registry(&name, version, bytes));
        self
    }

    /// The same, with what the index says about the crate.
    #[must_use]
    pub fn index(mut self, index: Arc<IndexFile>) -> Request {
        self.index = Some(index);
        self
    }

    /// How the package is called in reports and messages.
    pub fn target(&self) -> &str {
        &self.new.target
    }

    /// Reads what an input names, and what is at hand of the versions before.
    pub(crate) fn read(
        input: &Input,
        caches: &[CargoCache],
        limits: &Limits,
    ) -> Result<Request, ScanError> {
        let new = Material::read(input, caches, limits)?;
        let (index, old) = match input {
            // What lies in a directory of its own need not be what a registry
            // has under this name.
            Input::Archive(_) | Input::Directory(_) => (None, None),
            Input::Cached { name, version } => fetched(name, version, caches, limits)?,
            Input::Local {
                registry,
                name,
                version,
            } => published(registry, name, version)?,
        };
        Ok(Request { new, old, index })
    }

    /// Reads what two inputs name.
    pub(crate) fn read_both(
        old: &Input,
        new: &Input,
        caches: &[CargoCache],
        limits: &Limits,
    ) -> Result<Request, ScanError> {
        Ok(Request {
            old: Some(Material::read(old, caches, limits)?),
            new: Material::read(new, caches, limits)?,
            index: None,
        })
    }
}

impl Material {
    fn of_registry(name: &str, version: &Version, bytes: Vec<u8>) -> Material {
        Material {
            target: format!("{name}@{version}"),
            content: Content::Archive(bytes),
            name: Some(CrateName {
                name: name.to_owned(),
                version: version.clone(),
            }),
        }
    }

    pub(crate) fn read(
        input: &Input,
        caches: &[CargoCache],
        limits: &Limits,
    ) -> Result<Material, ScanError> {
        match input {
            Input::Archive(path) => Ok(Material {
                target: input.to_string(),
                content: Content::Archive(bytes(path, limits)?),
                name: None,
            }),
            Input::Directory(path) => Ok(Material {
                target: input.to_string(),
                content: Content::Directory(
                    camino::absolute_utf8(path).unwrap_or_else(|_| path.clone()),
                ),
                name: None,
            }),
            Input::Cached { name, version } => {
                let path = caches
                    .iter()
                    .find_map(|cache| cache.archive_path(name, version))
                    .ok_or_else(|| ScanError::NotCached(format!("{name}@{version}")))?;
                Ok(Material::of_registry(name, version, bytes(&path, limits)?))
            }
            Input::Local {
                registry,
                name,
                version,
            } => {
                let path = archive_path(registry, name, version);
                let bytes = bytes(&path, limits)?;
                Ok(Material::of_registry(name, version, bytes))
            }
        }
    }
}

/// Where a registry of files keeps an archive.
pub(crate) fn archive_path(registry: &Utf8Path, name: &str, version: &Version) -> Utf8PathBuf {
    registry.join(format!("{name}-{version}.crate"))
}

type History = (Option<Arc<IndexFile>>, Option<Material>);

/// What cargo has fetched of the versions before.
fn fetched(
    name: &str,
    version: &Version,
    caches: &[CargoCache],
    limits: &Limits,
) -> Result<History, ScanError> {
    for cache in caches {
        let index = cache.index_file(name)?;
        let previous = cache.fetched(name)?;
        let previous = previous.into_iter().rfind(|other| other < version);
        // A version before that cannot be read costs the comparison alone.
        let previous = previous.and_then(|previous| {
            let path = cache.archive_path(name, &previous)?;
            let bytes = bytes(&path, limits).ok()?;
            Some(Material::of_registry(name, &previous, bytes))
        });
        if index.is_some() || previous.is_some() {
            return Ok((index, previous));
        }
    }
    Ok((None, None))
}

/// What a registry of files has of the versions before.
fn published(registry: &Utf8Path, name: &str, version: &Version) -> Result<History, ScanError> {
    let registry = LocalRegistry::open(registry)?;
    let Some(index) = registry.index_file(name)? else {
        return Ok((None, None));
    };
    let mut before: Vec<_> = index
        .versions
        .iter()
        .filter(|other| other.version < *version)
        .collect();
    before.sort_by(|a, b| b.version.cmp(&a.version));
    let previous = before.into_iter().find_map(|other| {
        let bytes = registry.archive(other).ok()??;
        Some(Material::of_registry(name, &other.version, bytes))
    });
    Ok((Some(index), previous))
}

/// An archive's bytes, no more than the reader of archives would take.
fn bytes(path: &Utf8Path, limits: &Limits) -> Result<Vec<u8>, ArchiveError> {
    let subject = || path.to_string();
    let read = |source| ArchiveError::Read {
        subject: subject(),
        source,
    };
    let limit = limits.archive.compressed_bytes;
    let mut bytes = Vec::new();
    // The size is not asked for: a file can grow while it is read.
    File::open(path)
        .map_err(read)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(read)?;
    if bytes.len() as u64 > limit {
        return Err(ArchiveError::TooLarge {
            subject: subject(),
            limit,
        });
    }
    Ok(bytes)
}

//! What users name, and what is scanned for it.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_archive::{CrateName, visible};
use palisade_index::{CargoCache, IndexError, LocalRegistry, Lockfile, Registry};
use semver::Version;

/// One package to scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A `.crate` file.
    Archive(Utf8PathBuf),
    /// A directory with a `Cargo.toml`.
    Directory(Utf8PathBuf),
    /// A version that cargo has fetched.
    Cached {
        /// The crate's name.
        name: String,
        /// The version.
        version: Version,
    },
    /// A version in a registry of files: a directory of `.crate` files with
    /// an index.
    Local {
        /// The registry's directory.
        registry: Utf8PathBuf,
        /// The crate's name.
        name: String,
        /// The version.
        version: Version,
    },
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Archive(path) | Input::Directory(path) => f.write_str(&visible(path.as_str())),
            Input::Cached { name, version } | Input::Local { name, version, .. } => {
                write!(f, "{name}@{version}")
            }
        }
    }
}

/// Why what the user named is nothing to scan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// It is neither a path nor a version.
    #[error("`{0}` is neither a file, a directory nor a version of a crate")]
    Unknown(String),
    /// A file that is neither an archive nor a lockfile.
    #[error("`{0}` is neither a `.crate` file nor a lockfile")]
    File(String),
    /// The directory holds no package.
    #[error("`{0}` holds neither a `Cargo.toml` nor `.crate` files")]
    NoPackage(String),
    /// The directory cannot be listed.
    #[error("cannot list `{path}`")]
    List {
        /// The directory.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// cargo has fetched no such version.
    #[error("cargo has not fetched `{0}`")]
    NotFetched(String),
    /// The lockfile or cargo's directory cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl InputError {
    /// What to do about it, in one sentence without a full stop.
    pub fn hint(&self) -> String {
        match self {
            InputError::Unknown(_) | InputError::File(_) => {
                "name a `.crate` file, a directory, a `Cargo.lock`, or `name@version`".to_owned()
            }
            InputError::NoPackage(_) => {
                "name the directory of one package or of a registry, or the workspace's `Cargo.lock`"
                    .to_owned()
            }
            InputError::List { .. } => "check that it can be read".to_owned(),
            InputError::NotFetched(_) => {
                "run `cargo fetch` in a project that depends on it, or name the `.crate` file"
                    .to_owned()
            }
            InputError::Index(_) => "check that the file can be read".to_owned(),
        }
    }
}

/// What targets stand for.
#[derive(Debug, Default)]
pub struct Inputs {
    /// The packages to scan.
    pub inputs: Vec<Input>,
    /// Versions of a lockfile that are not scanned, since cargo has not
    /// fetched them or they come from elsewhere.
    pub missing: Vec<String>,
}

impl Inputs {
    /// Adds what `target` stands for: a `.crate` file, a package's directory,
    /// a directory of `.crate` files (with what its index says, if it has
    /// one), a lockfile, `name@version`, or `name` for its newest version that
    /// cargo has fetched.
    ///
    /// # Errors
    /// It stands for nothing.
    pub fn add(&mut self, target: &str, caches: &[CargoCache]) -> Result<(), InputError> {
        let path = Utf8Path::new(target);
        if path.is_dir() {
            let manifests = ["Cargo.toml", "cargo.toml"];
            if !manifests.iter().any(|name| path.join(name).is_file()) {
                return self.registry(path);
            }
            self.inputs.push(Input::Directory(path.to_owned()));
            return Ok(());
        }
        if path.is_file() {
            return match path.extension() {
                Some("crate") => {
                    self.inputs.push(Input::Archive(path.to_owned()));
                    Ok(())
                }
                Some("lock") => self.lockfile(path, caches),
                _ => Err(InputError::File(target.to_owned())),
            };
        }
        let (name, version) = match target.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (target, None),
        };
        let unknown = || InputError::Unknown(visible(target));
        if !palisade_index::is_crate_name(name) {
            return Err(unknown());
        }
        let version: Option<Version> =
            version.map(str::parse).transpose().map_err(|_| unknown())?;
        let mut fetched = Vec::new();
        for cache in caches {
            fetched.extend(cache.fetched(name)?);
        }
        fetched.sort();
        let found = match version {
            Some(version) => fetched.into_iter().find(|other| *other == version),
            None => fetched.pop(),
        };
        let version = found.ok_or_else(|| InputError::NotFetched(target.to_owned()))?;
        self.inputs.push(Input::Cached {
            name: name.to_owned(),
            version,
        });
        Ok(())
    }

    /// Adds every archive that cargo has fetched.
    ///
    /// # Errors
    /// A directory of cargo cannot be listed.
    pub fn add_all_fetched(&mut self, caches: &[CargoCache]) -> Result<(), InputError> {
        for cache in caches {
            let archives = cache.archives()?.into_iter();
            self.inputs
                .extend(archives.map(|(name, version)| Input::Cached { name, version }));
        }
        Ok(())
    }

    /// A directory of `.crate` files. Those that an index beside them knows
    /// are scanned as its versions, in the order of their names.
    fn registry(&mut self, path: &Utf8Path) -> Result<(), InputError> {
        let list = |source| InputError::List {
            path: visible(path.as_str()),
            source,
        };
        let mut archives = Vec::new();
        for entry in path.read_dir_utf8().map_err(list)? {
            let entry = entry.map_err(list)?.into_path();
            if entry.extension() == Some("crate") && entry.is_file() {
                archives.push(entry);
            }
        }
        if archives.is_empty() {
            return Err(InputError::NoPackage(visible(path.as_str())));
        }
        archives.sort();
        let index = LocalRegistry::open(path).ok();
        for archive in archives {
            let name = archive.file_stem().and_then(CrateName::parse);
            let known = name.filter(|name| {
                let file = index.as_ref().map(|index| index.index_file(&name.name));
                matches!(file, Some(Ok(Some(file))) if file.version(&name.version).is_some())
            });
            self.inputs.push(match known {
                Some(CrateName { name, version }) => Input::Local {
                    registry: path.to_owned(),
                    name,
                    version,
                },
                None => Input::Archive(archive),
            });
        }
        Ok(())
    }

    fn lockfile(&mut self, path: &Utf8Path, caches: &[CargoCache]) -> Result<(), InputError> {
        for package in Lockfile::open(path)?.packages {
            // A member of the workspace has no archive.
            if package.checksum.is_none() {
                continue;
            }
            let at_hand = caches.iter().any(|cache| {
                cache
                    .archive_path(&package.name, &package.version)
                    .is_some()
            });
            if at_hand {
                self.inputs.push(Input::Cached {
                    name: package.name,
                    version: package.version,
                });
            } else {
                self.missing
                    .push(format!("{}@{}", package.name, package.version));
            }
        }
        Ok(())
    }
}

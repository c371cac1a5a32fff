//! A `Cargo.lock` as a list of published versions to look at.

use camino::Utf8Path;
use palisade_model::{Checksum, PackageSource};
use semver::Version;

use crate::{IndexError, read};

/// The most bytes of a lockfile.
const LOCKFILE_BYTES: u64 = 64 << 20;

/// A lockfile of any version that cargo ever wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// Every package, in the file's order.
    pub packages: Vec<LockedPackage>,
}

/// One package of a lockfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedPackage {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it comes from.
    pub source: PackageSource,
    /// Its archive's checksum, where the file has one.
    pub checksum: Option<Checksum>,
}

impl Lockfile {
    /// Reads the lockfile at `path`.
    ///
    /// # Errors
    /// It cannot be read or is not a lockfile.
    pub fn open(path: &Utf8Path) -> Result<Lockfile, IndexError> {
        let text = read::text(path, LOCKFILE_BYTES)?.ok_or_else(|| IndexError::Read {
            path: path.to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        })?;
        Lockfile::parse(&text).map_err(|reason| read::malformed(path, reason))
    }

    /// Reads a lockfile's text.
    ///
    /// # Errors
    /// It is not a lockfile; the text says why.
    pub fn parse(text: &str) -> Result<Lockfile, String> {
        if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
            return Err("it holds an unresolved merge conflict".to_owned());
        }
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            // The full message draws the file's line.
            error.message().to_owned()
        })?;
        // Version 1 kept the checksums apart.
        let metadata = table.get("metadata").and_then(toml::Value::as_table);
        let root = table.get("root");
        let list = table.get("package").and_then(toml::Value::as_array);
        let entries = root.into_iter().chain(list.into_iter().flatten());
        let mut packages = Vec::new();
        for entry in entries {
            let field = |key: &str| entry.get(key).and_then(toml::Value::as_str);
            let name = field("name").ok_or("a package has no name")?;
            let text = field("version").ok_or_else(|| format!("`{name}` has no version"))?;
            let version: Version = text
                .parse()
                .map_err(|_| format!("`{text}` is not a version of `{name}`"))?;
            let source = field("source");
            let apart = source.and_then(|source| {
                let key = format!("checksum {name} {text} ({source})");
                metadata?.get(&key)?.as_str()
            });
            let checksum = match field("checksum").or(apart) {
                None | Some("<none>") => None,
                Some(text) => Some(
                    text.parse()
                        .map_err(|error| format!("checksum of `{name}`: {error}"))?,
                ),
            };
            packages.push(LockedPackage {
                name: name.to_owned(),
                version,
                source: source_kind(source),
                checksum,
            });
        }
        Ok(Lockfile { packages })
    }

    /// The packages that come from the default registry.
    pub fn published(&self) -> impl Iterator<Item = &LockedPackage> {
        let published = |package: &&LockedPackage| package.source.is_crates_io();
        self.packages.iter().filter(published)
    }
}

/// The kind of a `source` as lockfiles write it.
fn source_kind(source: Option<&str>) -> PackageSource {
    // Lockfiles name the default registry by its git form, whichever protocol
    // cargo used.
    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
    match source {
        None => PackageSource::Path,
        Some(CRATES_IO) => PackageSource::CratesIo,
        Some(source) => match source.split_once('+') {
            Some(("git", url)) => PackageSource::Git(url.to_owned()),
            Some(("path", _)) => PackageSource::Path,
            _ => PackageSource::OtherRegistry(source.to_owned()),
        },
    }
}

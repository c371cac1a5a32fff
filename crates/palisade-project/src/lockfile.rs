//! The lockfile as data: the cheap first phase, which needs no process.
//!
//! When no advisory matches anything in the lockfile there is nothing to
//! analyse, and the answer should come in milliseconds.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_model::{Package, PackageSource};

use crate::manifest;
use crate::read;
use crate::{Limits, LoadError};

/// What a `Cargo.lock` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lockfile {
    /// The file that it was read from.
    pub file: Utf8PathBuf,
    /// Every package, in the file's order.
    pub packages: Vec<Package>,
    /// Who depends on whom: indices into [`Lockfile::packages`], the dependent
    /// first; in the file's order. Development and build dependencies are not
    /// told apart from others, as the file does not.
    pub edges: Vec<(usize, usize)>,
}

impl Lockfile {
    /// The packages that depend directly on the one at `index`.
    pub fn parents(&self, index: usize) -> impl Iterator<Item = usize> {
        self.edges
            .iter()
            .filter(move |&&(_, to)| to == index)
            .map(|&(from, _)| from)
    }
}

/// Where the lockfile of the workspace at `path` is or would be; `path` is a
/// `Cargo.toml` or a directory in or below a package.
///
/// # Errors
/// There is no manifest, or one on the way cannot be read.
pub fn find_lockfile(path: &Utf8Path, limits: &Limits) -> Result<Utf8PathBuf, LoadError> {
    let manifest = manifest::find(path, limits)?;
    let root = manifest::workspace_root(&manifest, limits)?;
    Ok(root.join("Cargo.lock"))
}

/// Reads a lockfile of any version that cargo ever wrote.
///
/// # Errors
/// It does not exist, is too large, or is not a lockfile.
pub fn read_lock(file: &Utf8Path, limits: &Limits) -> Result<Lockfile, LoadError> {
    if !file.exists() {
        return Err(LoadError::NoLockfile {
            file: file.to_owned(),
        });
    }
    parse(file, &read::text(file, limits.lockfile_bytes)?)
}

fn parse(file: &Utf8Path, text: &str) -> Result<Lockfile, LoadError> {
    let wrong = |message: String| LoadError::Lockfile {
        file: file.to_owned(),
        message,
    };
    if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
        return Err(wrong("it holds an unresolved merge conflict".to_owned()));
    }
    let table = read::parse_toml(file, text)?;
    // Version 1 kept the workspace's own package in `[root]`.
    let entries: Vec<&toml::Table> = table
        .get("root")
        .into_iter()
        .chain(
            table
                .get("package")
                .and_then(toml::Value::as_array)
                .into_iter()
                .flatten(),
        )
        .filter_map(toml::Value::as_table)
        .collect();

    let mut packages = Vec::with_capacity(entries.len());
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for entry in &entries {
        let field = |key: &str| entry.get(key).and_then(toml::Value::as_str);
        let name = field("name").ok_or_else(|| wrong("a package has no name".to_owned()))?;
        let version = field("version")
            .ok_or_else(|| wrong(format!("the package `{name}` has no version")))?;
        let version = version
            .parse()
            .map_err(|_| wrong(format!("`{version}` is not a version of `{name}`")))?;
        by_name.entry(name).or_default().push(packages.len());
        packages.push(Package {
            name: name.to_owned(),
            version,
            source: source_kind(field("source")),
        });
    }

    let mut edges = Vec::new();
    for (from, entry) in entries.iter().enumerate() {
        for dependency in entry
            .get("dependencies")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(toml::Value::as_str)
        {
            // `name`, `name version` or `name version (source)`; as much as it
            // takes to be unambiguous.
            let mut words = dependency.splitn(3, ' ');
            let name = words.next().unwrap_or_default();
            let version = words.next();
            let source = words
                .next()
                .map(|word| source_kind(Some(word.trim_matches(['(', ')']))));
            let to = by_name
                .get(name)
                .into_iter()
                .flatten()
                .copied()
                .find(|&to| {
                    let package = &packages[to];
                    version.is_none_or(|version| package.version.to_string() == version)
                        && source
                            .as_ref()
                            .is_none_or(|source| package.source == *source)
                });
            // An edge to nowhere is cargo's to complain about; the packages
            // are still worth matching.
            if let Some(to) = to {
                edges.push((from, to));
            }
        }
    }
    Ok(Lockfile {
        file: file.to_owned(),
        packages,
        edges,
    })
}

/// The kind of a `source` as lockfiles and `cargo metadata` write it.
pub(crate) fn source_kind(source: Option<&str>) -> PackageSource {
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

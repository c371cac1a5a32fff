//! The corpus: everything in the lockfiles of published applications.
//!
//! The applications are fixed by name and version, and what they are made of
//! by the lockfiles that were published with them, so that everybody measures
//! the same versions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use palisade_index::{CargoCache, Lockfile, Registry as _, index_path};
use semver::Version;

use crate::accuracy::targets::{self, Target};
use crate::process;

/// Old and new applications, synchronous and asynchronous ones.
const APPLICATIONS: &[&str] = &[
    "ripgrep", "resvg", "pastel", "du-dust", "just", "bore-cli", "fd-find", "exa", "hexyl", "sd",
    "grex", "zoxide",
];

/// What is measured.
pub(super) struct Corpus {
    /// The applications, as `name version`.
    pub(super) applications: Vec<String>,
    /// Their packages, but for themselves, in order.
    pub(super) versions: BTreeSet<(String, Version)>,
    /// A local registry of these and of what their default features need.
    pub(super) registry: Utf8PathBuf,
}

/// The applications themselves.
pub(super) fn applications() -> Result<Vec<&'static Target>> {
    let names: Vec<String> = APPLICATIONS.iter().map(|name| (*name).to_owned()).collect();
    targets::select(targets::Set::All, &names, true)
}

/// Fetches the corpus with cargo.
///
/// # Errors
/// Cargo cannot fetch something, or a file cannot be written.
pub(super) fn fetch() -> Result<Corpus> {
    let root = targets::cache_dir().join("corpus");
    let mut versions: BTreeSet<(String, Version)> = BTreeSet::new();
    let mut needed: BTreeSet<(String, Version)> = BTreeSet::new();
    let mut names = Vec::new();
    for target in applications()? {
        names.push(format!("{} {}", target.name, target.version));
        let lockfile = target.source()?.join("Cargo.lock");
        let locked = published(&lockfile)?;
        versions.extend(locked.iter().cloned());
        needed.extend(closed(&root, target.name, &lockfile, &locked)?);
    }
    needed.extend(versions.iter().cloned());
    let registry = root.join("registry");
    lay_out(&registry, &needed)?;
    Ok(Corpus {
        applications: names,
        versions,
        registry,
    })
}

/// The published packages of a lockfile.
fn published(lockfile: &Utf8Path) -> Result<Vec<(String, Version)>> {
    let lock = Lockfile::open(lockfile).with_context(|| format!("cannot read {lockfile}"))?;
    Ok(lock
        .published()
        .map(|package| (package.name.clone(), package.version.clone()))
        .collect())
}

/// What the packages of a lockfile need with their default features, which
/// their application may have switched off: a package that depends on all of
/// them is resolved beginning with that lockfile, and fetched.
fn closed(
    root: &Utf8Path,
    name: &str,
    lockfile: &Utf8Path,
    locked: &[(String, Version)],
) -> Result<Vec<(String, Version)>> {
    let dir = root.join("closed").join(name);
    let own = dir.join("Cargo.lock");
    if !own.is_file() {
        std::fs::create_dir_all(dir.join("src"))?;
        std::fs::write(dir.join("src/lib.rs"), "")?;
        let mut manifest = "[package]\nname = \"palisade-corpus\"\nversion = \"0.0.0\"\n\
             edition = \"2021\"\n[workspace]\n[dependencies]\n"
            .to_owned();
        for (number, (name, version)) in locked.iter().enumerate() {
            // Build metadata cannot be required.
            let version = Version {
                build: semver::BuildMetadata::EMPTY,
                ..version.clone()
            };
            writeln!(
                manifest,
                "d{number} = {{ package = \"{name}\", version = \"={version}\" }}"
            )?;
        }
        std::fs::write(dir.join("Cargo.toml"), manifest)?;
        // Yanked versions can be used where a lockfile names them.
        std::fs::copy(lockfile, &own)?;
        let fetched = process::run(
            process::cargo()
                .args(["fetch", "--quiet", "--manifest-path"])
                .arg(dir.join("Cargo.toml")),
        );
        if fetched.is_err() {
            let _ = std::fs::remove_file(&own);
            fetched?;
        }
    } else {
        process::run(
            process::cargo()
                .args(["fetch", "--quiet", "--locked", "--manifest-path"])
                .arg(dir.join("Cargo.toml")),
        )?;
    }
    published(&own)
}

/// A local registry of some versions out of cargo's cache.
fn lay_out(registry: &Utf8Path, versions: &BTreeSet<(String, Version)>) -> Result<()> {
    let home = std::env::var("CARGO_HOME").or_else(|_| {
        std::env::var("HOME").map(|home| Utf8Path::new(&home).join(".cargo").into_string())
    })?;
    let mut caches = CargoCache::all(Utf8Path::new(&home))?;
    // The one with most archives; others are companies' own.
    caches.sort_by_key(|cache| cache.archives().map_or(0, |archives| archives.len()));
    let cache = caches.pop().context("cargo has fetched nothing")?;
    if registry.exists() {
        std::fs::remove_dir_all(registry)?;
    }
    let mut of: BTreeMap<&str, BTreeSet<&Version>> = BTreeMap::new();
    for (name, version) in versions {
        of.entry(name).or_default().insert(version);
    }
    for (name, wanted) in of {
        let file = cache.index_file(name)?;
        let file = file.with_context(|| format!("cargo's index has no {name}"))?;
        let mut lines = String::new();
        let mut found = 0;
        for version in &file.versions {
            if !wanted.contains(&version.version) {
                continue;
            }
            let archive = cache.archive_path(&version.name, &version.version);
            // What is for other platforms alone may not have been fetched.
            let Some(archive) = archive else { continue };
            found += 1;
            writeln!(lines, "{}", version.raw)?;
            let link = format!("{}-{}.crate", version.name, version.version);
            let link = registry.join(link);
            std::fs::create_dir_all(registry)?;
            if std::fs::hard_link(&archive, &link).is_err() {
                std::fs::copy(&archive, &link)?;
            }
        }
        ensure!(found > 0, "cargo has fetched no version of {name}");
        let path = registry.join("index").join(index_path(name));
        std::fs::create_dir_all(path.parent().context("an index file has a directory")?)?;
        std::fs::write(path, lines)?;
    }
    Ok(())
}

//! From fragments to tables: only what is new is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_index::{IndexFile, Registry};
use palisade_tables::{Batch, BuildLimits, OwnedUnit, Source, TablesError, Writer};

use crate::{FormatError, Fragment, ReadLimits, Store, StoreError};

/// How to bring tables up to date.
#[derive(Clone, Copy, Debug, Default)]
pub struct UpdateOptions {
    /// Merge everything into as few files as possible afterwards.
    pub compact: bool,
    /// How large the parts are.
    pub limits: BuildLimits,
}

/// What an update did.
#[derive(Clone, Debug, Default)]
pub struct Updated {
    /// Fragments that were added.
    pub added: usize,
    /// Fragments that are gone or were made again.
    pub removed: usize,
    /// Fragments that were there already.
    pub kept: usize,
    /// Files that cannot be read as fragments, with the reason.
    pub refused: Vec<(String, FormatError)>,
    /// Packages of which the registry's index was not there: their
    /// requirements are guessed from the versions that they were read with.
    pub without_index: usize,
}

/// Why the tables cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateTablesError {
    /// The tables.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// The fragments.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Hears how far an update is.
pub trait UpdateProgress {
    /// So many fragments are new.
    fn start(&self, new: usize);
    /// So many of them are read.
    fn read(&self, done: usize);
    /// Another process has the tables.
    fn waiting(&self);
}

/// Where a store's tables lie.
pub fn tables_dir(store: &Store) -> Utf8PathBuf {
    store.root().join("tables")
}

/// The index lines of packages, each read once.
struct Index<'a> {
    registry: Option<&'a dyn Registry>,
    known: BTreeMap<String, Option<Arc<IndexFile>>>,
}

impl Index<'_> {
    fn file(&mut self, package: &str) -> Option<Arc<IndexFile>> {
        if let Some(known) = self.known.get(package) {
            return known.clone();
        }
        // What cannot be read is as good as not there; the caller counts it.
        let file = self
            .registry
            .and_then(|registry| registry.index_file(package).ok().flatten());
        self.known.insert(package.to_owned(), file.clone());
        file
    }

    fn requirements(&mut self, package: &str, version: &str) -> Vec<(String, String)> {
        let Some(file) = self.file(package) else {
            return Vec::new();
        };
        let line = file
            .versions
            .iter()
            .find(|it| it.version.to_string() == version);
        let mut found: Vec<(String, String)> = line
            .into_iter()
            .flat_map(|line| &line.dependencies)
            .filter(|it| it.kind != palisade_index::DependencyKind::Development)
            .map(|it| (it.package.clone(), it.requirement.to_string()))
            .collect();
        found.sort();
        found.dedup();
        found
    }
}

/// Merges the fragments that are not in the tables yet, and takes out what is
/// gone. `index` says what the versions require, and which are yanked.
///
/// # Errors
/// A file cannot be read or written; what was complete before stays so.
pub fn update_tables(
    store: &Store,
    index: Option<&dyn Registry>,
    options: &UpdateOptions,
    progress: &dyn UpdateProgress,
) -> Result<Updated, UpdateTablesError> {
    let dir = tables_dir(store);
    let mut writer = Writer::open(&dir, options.limits, || progress.waiting())?;
    let there: BTreeMap<String, Source> = sources(store)?;
    let known: BTreeMap<String, Source> = writer
        .sources()
        .map(|source| (source.path.clone(), source.clone()))
        .collect();
    let gone: BTreeSet<String> = known
        .values()
        .filter(|source| there.get(&source.path) != Some(source))
        .map(|source| source.path.clone())
        .collect();
    let new: Vec<Source> = there
        .values()
        .filter(|source| known.get(&source.path) != Some(source))
        .cloned()
        .collect();
    let mut updated = Updated {
        added: 0,
        removed: gone.len(),
        kept: there.len() - new.len(),
        ..Updated::default()
    };
    progress.start(new.len());
    writer.remove(&gone)?;
    let mut index = Index {
        registry: index,
        known: BTreeMap::new(),
    };
    let mut failed: Option<StoreError> = None;
    let mut done = 0;
    let mut batches = new.into_iter().map_while(|source| {
        done += 1;
        progress.read(done);
        let path = store.root().join(&source.path);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => {
                failed = Some(StoreError::Io {
                    operation: "read",
                    path,
                    source,
                });
                return None;
            }
        };
        match Fragment::decode(&bytes, &ReadLimits::default()) {
            Ok(fragment) => {
                updated.added += 1;
                let requirements = index.requirements(&fragment.package, &fragment.version);
                Some(Some(Batch {
                    source,
                    units: units(fragment, &requirements),
                }))
            }
            Err(error) => {
                updated.refused.push((source.path, error));
                Some(None)
            }
        }
    });
    writer.append(&mut (&mut batches).flatten())?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    if updated.added > 0 || updated.removed > 0 || index.registry.is_some() {
        let mut without = BTreeSet::new();
        let any = index.registry.is_some();
        if any {
            writer.set_dates(|package, version| {
                let file = index.file(package);
                if file.is_none() {
                    without.insert(package.to_owned());
                }
                let file = file?;
                let line = file
                    .versions
                    .iter()
                    .find(|it| it.version.to_string() == version)?;
                let published = line.published.map_or(0, |time| time.as_second());
                Some((published, line.yanked))
            })?;
        }
        updated.without_index = without.len();
    }
    if options.compact {
        writer.compact()?;
    }
    Ok(updated)
}

/// The crates of a fragment, as the tables take them.
fn units(fragment: Fragment, requirements: &[(String, String)]) -> Vec<OwnedUnit> {
    let features = fragment.features.join(",");
    let mut units = Vec::new();
    for (place, facts) in fragment.crates.into_iter().enumerate() {
        let own = fragment.capabilities.iter();
        units.push(OwnedUnit {
            package: fragment.package.clone(),
            version: fragment.version.clone(),
            features: features.clone(),
            facts,
            capabilities: own
                .filter(|capable| capable.krate as usize == place)
                .map(|capable| (capable.function, capable.capabilities))
                .collect(),
            requirements: requirements.to_vec(),
        });
    }
    units
}

/// The fragments of a store, by their paths in it.
fn sources(store: &Store) -> Result<BTreeMap<String, Source>, StoreError> {
    let mut found = BTreeMap::new();
    for path in store.files()? {
        let failed = |source| StoreError::Io {
            operation: "look at",
            path: path.clone(),
            source,
        };
        let metadata = std::fs::metadata(&path).map_err(failed)?;
        let modified = metadata.modified().map_err(failed)?;
        let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let below: &Utf8Path = path.strip_prefix(store.root()).unwrap_or(&path);
        let source = Source {
            path: below.to_string(),
            bytes: metadata.len(),
            modified: u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX),
        };
        found.insert(source.path.clone(), source);
    }
    Ok(found)
}

/// How the tables differ from the fragments.
///
/// # Errors
/// A directory cannot be listed or the tables not be opened.
pub fn stale(store: &Store) -> Result<(usize, usize), UpdateTablesError> {
    let writer = Writer::open(&tables_dir(store), BuildLimits::default(), || {})?;
    let there = sources(store)?;
    let known: BTreeMap<&str, &Source> = writer
        .sources()
        .map(|source| (source.path.as_str(), source))
        .collect();
    let new = there
        .values()
        .filter(|source| known.get(source.path.as_str()) != Some(source))
        .count();
    let gone = known
        .keys()
        .filter(|path| !there.contains_key(**path))
        .count();
    Ok((new, gone))
}

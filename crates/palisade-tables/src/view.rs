//! Which versions a question is about, and what their requirements mean.
//!
//! Nothing is resolved before somebody asks: a requirement on a package of
//! which one version counts means that one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use palisade_model::facts::CrateKind;
use rustc_hash::FxHashMap;
use semver::{Version, VersionReq};

use crate::Tables;

/// Which versions count.
#[derive(Clone, Debug)]
pub enum Versions {
    /// What a new program would be made of: of several versions that one
    /// requirement accepts as another, the newest that is not yanked and was
    /// published by a date (in seconds since 1970), if one is given.
    Newest {
        /// The date.
        date: Option<i64>,
    },
    /// Every version; a requirement means the newest that it accepts.
    All,
    /// These, by package and version, each with the sets of features (joined by
    /// commas) that count, or with none for all that there are: those of a
    /// lockfile. Yanked ones count, and so does the standard library.
    Locked(BTreeMap<(String, String), BTreeSet<String>>),
}

/// The versions of one library, oldest first.
#[derive(Debug, Default)]
struct Known {
    versions: Vec<Release>,
}

#[derive(Debug)]
struct Release {
    version: Version,
    crates: Vec<u32>,
    counts: bool,
    yanked: bool,
}

/// The tables as a question sees them.
#[derive(Debug)]
pub struct View<'t> {
    /// The tables.
    pub tables: &'t Tables,
    versions: Versions,
    known: Mutex<FxHashMap<u32, Arc<Known>>>,
    resolved: Mutex<FxHashMap<(u32, u32), Option<u32>>>,
    /// For each library whether one version of it counts: 0 nobody has asked,
    /// 1 yes, 2 no.
    single: Vec<AtomicU8>,
    /// For each crate whether it counts, likewise.
    counts: Vec<AtomicU8>,
}

impl<'t> View<'t> {
    /// A view of some versions.
    pub fn new(tables: &'t Tables, versions: Versions) -> View<'t> {
        let unknown = |count: u32| (0..count).map(|_| AtomicU8::new(0)).collect();
        View {
            tables,
            versions,
            known: Mutex::default(),
            resolved: Mutex::default(),
            single: unknown(tables.lib_count()),
            counts: unknown(tables.crate_count()),
        }
    }

    fn known(&self, lib: u32) -> Arc<Known> {
        let lock = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock.get(&lib) {
            return known.clone();
        }
        drop(lock);
        let known = Arc::new(self.read(lib));
        let mut lock = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        lock.entry(lib).or_insert(known).clone()
    }

    fn read(&self, lib: u32) -> Known {
        let tables = self.tables;
        let mut versions: Vec<Release> = Vec::new();
        let (package, _, _) = tables.lib_names(lib);
        for krate in tables.crates_of(lib) {
            let Ok(version) = Version::parse(tables.version(krate)) else {
                continue;
            };
            let key = (package.to_owned(), version.to_string());
            if let Versions::Locked(locked) = &self.versions
                && let Some(features) = locked.get(&key)
                && !features.is_empty()
                && !features.contains(tables.features(krate))
            {
                continue;
            }
            match versions.iter_mut().find(|it| it.version == version) {
                Some(release) => release.crates.push(krate),
                None => versions.push(Release {
                    counts: match &self.versions {
                        Versions::Newest { date } => {
                            let published = tables.published(krate);
                            let there = match (date, published) {
                                (Some(date), Some(published)) => published <= *date,
                                _ => true,
                            };
                            there && !tables.is_yanked(krate)
                        }
                        Versions::All => true,
                        Versions::Locked(locked) => {
                            locked.contains_key(&key) || tables.kind(krate) == CrateKind::Sysroot
                        }
                    },
                    yanked: tables.is_yanked(krate),
                    crates: vec![krate],
                    version,
                }),
            }
        }
        versions.sort_by(|a, b| a.version.cmp(&b.version));
        if let Versions::Newest { .. } = self.versions {
            let ranges: Vec<(u64, u64, u64)> =
                versions.iter().map(|it| range(&it.version)).collect();
            let mut taken: BTreeSet<(u64, u64, u64)> = BTreeSet::new();
            // A finished version goes before a pre-release of any other.
            for pre in [false, true] {
                for (at, release) in versions.iter_mut().enumerate().rev() {
                    if release.counts && release.version.pre.is_empty() != pre {
                        release.counts = taken.insert(ranges[at]);
                    }
                }
            }
        }
        Known { versions }
    }

    /// Whether a crate counts.
    pub fn counts(&self, krate: u32) -> bool {
        let Some(known) = self.counts.get(krate as usize) else {
            return false;
        };
        match known.load(Ordering::Relaxed) {
            1 => return true,
            2 => return false,
            _ => {}
        }
        let lib = self.tables.crate_lib(krate);
        let counts = !self.tables.is_removed(krate)
            && (self.known(lib).versions.iter())
                .any(|release| release.counts && release.crates.contains(&krate));
        known.store(if counts { 1 } else { 2 }, Ordering::Relaxed);
        counts
    }

    /// The crates of a library that count, oldest first.
    pub fn crates_of(&self, lib: u32) -> Vec<u32> {
        let known = self.known(lib);
        let versions = known.versions.iter().filter(|release| release.counts);
        versions
            .flat_map(|release| release.crates.clone())
            .collect()
    }

    fn is_single(&self, lib: u32) -> bool {
        let Some(known) = self.single.get(lib as usize) else {
            return true;
        };
        match known.load(Ordering::Relaxed) {
            1 => return true,
            2 => return false,
            _ => {}
        }
        let count = self
            .known(lib)
            .versions
            .iter()
            .filter(|it| it.counts)
            .count();
        known.store(if count <= 1 { 1 } else { 2 }, Ordering::Relaxed);
        count <= 1
    }

    /// The crates that a crate's requirement on a library means: one version,
    /// with every set of features that it was read with.
    pub fn resolve(&self, krate: u32, lib: u32) -> Vec<u32> {
        let known = self.known(lib);
        match self.resolved_first(krate, lib, &known) {
            None => Vec::new(),
            Some(first) => known
                .versions
                .iter()
                .find(|release| release.crates.first() == Some(&first))
                .map_or_else(Vec::new, |release| release.crates.clone()),
        }
    }

    /// The first crate of the version that a requirement means.
    fn resolved_first(&self, krate: u32, lib: u32, known: &Known) -> Option<u32> {
        let own = self.tables.crate_lib(krate) == lib;
        if own {
            let release = known
                .versions
                .iter()
                .find(|it| it.crates.contains(&krate))?;
            return release.crates.first().copied();
        }
        if self.is_single(lib) {
            let release = known.versions.iter().find(|release| release.counts)?;
            return release.crates.first().copied();
        }
        let key = (krate, lib);
        let lock = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock.get(&key) {
            return *known;
        }
        drop(lock);
        let found = self.choose(krate, lib, known);
        let mut lock = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        lock.insert(key, found);
        found
    }

    /// As cargo would: the newest that the requirement accepts. Where nothing
    /// that counts is accepted, the crate could not be built as it is; what is
    /// nearest stands for it, so that nothing seems safe for want of it.
    fn choose(&self, krate: u32, lib: u32, known: &Known) -> Option<u32> {
        let link = self.tables.link(krate, lib);
        let requirement = link.as_ref().and_then(|link| link.requirement.as_ref());
        let requirement = requirement.and_then(|text| VersionReq::parse(text).ok());
        let recorded = link.and_then(|link| Version::parse(&link.recorded).ok());
        let meant = |release: &&Release| match (&requirement, &recorded) {
            (Some(requirement), _) => requirement.matches(&release.version),
            (None, Some(recorded)) => range(&release.version) == range(recorded),
            (None, None) => true,
        };
        let newest = || known.versions.iter().rev();
        let found = newest()
            .filter(|release| release.counts)
            .find(meant)
            .or_else(|| newest().filter(|release| !release.yanked).find(meant))
            .or_else(|| newest().find(meant))
            .or_else(|| newest().find(|release| release.counts));
        found?.crates.first().copied()
    }

    /// Whether what a caller's crate names in a crate's library is that crate.
    pub fn leads(&self, caller: u32, callee: u32) -> bool {
        if caller == callee {
            return true;
        }
        let lib = self.tables.crate_lib(callee);
        if self.tables.crate_lib(caller) != lib && self.is_single(lib) {
            return true;
        }
        let known = self.known(lib);
        let meant = self.resolved_first(caller, lib, &known);
        let own = known.versions.iter().find(|it| it.crates.contains(&callee));
        own.is_some_and(|own| own.crates.first() == meant.as_ref())
    }

    /// Whether two crates mean the same version of a library.
    pub fn agree(&self, one: u32, other: u32, lib: u32) -> bool {
        if self.is_single(lib) {
            return true;
        }
        let known = self.known(lib);
        self.resolved_first(one, lib, &known) == self.resolved_first(other, lib, &known)
    }

    /// A crate and everything that it is linked or built with, in order.
    pub fn closure(&self, root: u32) -> Vec<u32> {
        let mut found = BTreeSet::new();
        let mut todo = vec![root];
        while let Some(krate) = todo.pop() {
            if !found.insert(krate) {
                continue;
            }
            for lib in self.tables.linked_libs(krate) {
                todo.extend(self.resolve(krate, lib));
            }
        }
        found.into_iter().collect()
    }

    /// The crates that are linked or built with one of these, at any distance,
    /// those included; in order.
    pub fn dependents(&self, of: &[u32]) -> BTreeSet<u32> {
        let mut found: BTreeSet<u32> = BTreeSet::new();
        let mut todo = of.to_vec();
        while let Some(krate) = todo.pop() {
            if !found.insert(krate) {
                continue;
            }
            let lib = self.tables.crate_lib(krate);
            for dependent in self.tables.linking(lib) {
                let counts = !found.contains(&dependent) && self.counts(dependent);
                if counts && self.leads(dependent, krate) {
                    todo.push(dependent);
                }
            }
        }
        found
    }
}

/// What a caret requirement takes for compatible.
fn range(version: &Version) -> (u64, u64, u64) {
    match (version.major, version.minor) {
        (0, 0) => (0, 0, version.patch),
        (0, minor) => (0, minor, 0),
        (major, _) => (major, 0, 0),
    }
}

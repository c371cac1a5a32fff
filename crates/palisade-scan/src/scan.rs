//! From an input to a report.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use palisade_archive::{
    ArchiveError, CrateArchive, CrateName, DirectoryOptions, ReadOptions, SourceTree,
};
use palisade_index::{CargoCache, IndexFile, Manifest, Registry};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::detectors::provenance::source_mismatch::SourceMismatch;
use crate::detectors::provenance::source_unverified::SourceUnverified;
use crate::diff::Diff;
use crate::facts::Facts;
use crate::score::{Hygiene, hygiene, risk};
use crate::source::SourceFile;
use crate::subject::{Findings, Package, Subject};
use crate::surroundings::{self, Surroundings};
use crate::{Finding, Input, Limits, NameCorpus, Profile, Provenance};
use crate::{detectors, score, secrets};

/// What a scan found in one package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What was scanned, as it was given.
    pub target: String,
    /// The version that it was compared with.
    pub previous: Option<Version>,
    /// Whether everything was looked at. If not, a finding says what was not.
    pub complete: bool,
    /// The risk of malice, from 0 to 100; see [`risk`].
    pub risk: u8,
    /// How well it is kept.
    pub hygiene: Hygiene,
    /// What came of comparing it with its repository, where that was asked
    /// for.
    pub provenance: Option<Provenance>,
    /// What counts for judging it beside others.
    pub profile: Profile,
    /// Most severe first.
    pub findings: Vec<Finding>,
}

/// A report on the bytes of an archive, and what its manifest says that names
/// are compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Scanned {
    /// The report.
    pub report: Report,
    /// The description.
    pub description: Option<String>,
    /// The repository.
    pub repository: Option<String>,
}

impl Report {
    /// Adds findings, in their order among the others.
    pub(crate) fn add_findings(&mut self, more: Findings) {
        self.findings = more.and(std::mem::take(&mut self.findings));
    }

    /// Adds what came of comparing the package with its repository, and rates
    /// it again.
    pub fn add_provenance(&mut self, provenance: Provenance) {
        let mut findings = Findings::default();
        SourceMismatch::report(&provenance, &mut findings);
        SourceUnverified::report(&provenance, &mut findings);
        self.add_findings(findings);
        self.hygiene.set(score::source_revision(&provenance));
        self.provenance = Some(provenance);
        self.risk = risk(&self.findings);
    }
}

/// A published version, for a scan without a file.
#[derive(Clone, Debug)]
pub struct Published {
    /// The crate's name.
    pub name: String,
    /// The version.
    pub version: Version,
    /// Its archive.
    pub archive: Vec<u8>,
    /// The archive of the version before, with its version.
    pub previous: Option<(Version, Vec<u8>)>,
    /// The crate's index file.
    pub index: Option<Arc<IndexFile>>,
}

/// What became of one input.
#[derive(Debug)]
pub struct Outcome {
    /// The input, as it is shown.
    pub target: String,
    /// Its report, or why there is none.
    pub result: Result<Report, ScanError>,
}

/// Why a package was not scanned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// It could not be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The registry's copy could not be read.
    #[error(transparent)]
    Index(#[from] palisade_index::IndexError),
    /// The registry does not have it.
    #[error("cargo has not fetched {0}")]
    NotCached(String),
    /// The scanner failed on it.
    #[error("the scanner failed on `{target}`: {reason}")]
    Panicked {
        /// The input.
        target: String,
        /// What the failure said.
        reason: String,
    },
}

/// How to scan.
#[derive(Debug, Default)]
pub struct ScannerOptions {
    /// How much to look at.
    pub limits: Limits,
    /// The names of a registry, for names that look alike.
    pub names: Option<NameCorpus>,
    /// What cargo has fetched: earlier versions and index files are looked up
    /// there.
    pub caches: Vec<CargoCache>,
    /// What is known around packages.
    pub surroundings: Surroundings,
}

/// Scans packages.
#[derive(Debug)]
pub struct Scanner {
    pub(crate) options: ScannerOptions,
}

/// What was read of an input, before it is analysed.
struct Source {
    target: String,
    tree: SourceTree,
    packed_bytes: Option<u64>,
    name: Option<(String, Version)>,
}

impl Source {
    fn of(archive: CrateArchive, target: String) -> Source {
        Source {
            packed_bytes: Some(archive.packed_bytes()),
            name: archive
                .name()
                .map(|name| (name.name.clone(), name.version.clone())),
            tree: archive.into_tree(),
            target,
        }
    }
}

impl Scanner {
    /// A scanner with these options.
    pub fn new(options: ScannerOptions) -> Scanner {
        Scanner { options }
    }

    /// Scans one package.
    ///
    /// # Errors
    /// It cannot be read, or the scanner fails on it. A failure costs this
    /// package alone.
    pub fn scan(&self, input: &Input) -> Result<Report, ScanError> {
        self.guarded(input.to_string(), || {
            let source = self.read(input)?;
            let (index, previous) = self.history(input, &source)?;
            let package = self.package(&source);
            let previous = previous.as_ref().map(|previous| self.package(previous));
            let mut report = self.report(&source, &package, previous.as_ref(), index.as_deref());
            self.judge(&mut report);
            Ok(report)
        })
    }

    /// Scans the bytes of an archive, and compares it with those of the version
    /// before where they are at hand. `target` is what it is called.
    ///
    /// # Errors
    /// As for [`Scanner::scan`].
    pub fn scan_bytes(
        &self,
        target: &str,
        archive: &[u8],
        previous: Option<&[u8]>,
    ) -> Result<Scanned, ScanError> {
        self.guarded(target.to_owned(), || {
            let options = self.read_options();
            let read = |target: &str, bytes: &[u8]| -> Result<Source, ScanError> {
                let archive = CrateArchive::from_bytes(target, bytes, &options)?;
                Ok(Source::of(archive, target.to_owned()))
            };
            let source = read(target, archive)?;
            // A version before that cannot be read costs the comparison alone.
            let previous = previous.and_then(|bytes| read("the version before", bytes).ok());
            let package = self.package(&source);
            let previous = previous.as_ref().map(|previous| self.package(previous));
            let hint = package.owner_hint();
            let text = |text: Option<&str>| text.map(str::to_owned);
            let mut report = self.report(&source, &package, previous.as_ref(), None);
            self.judge(&mut report);
            Ok(Scanned {
                description: text(hint.description),
                repository: text(hint.repository),
                report,
            })
        })
    }

    /// Scans a published version that is in memory.
    ///
    /// # Errors
    /// As for [`Scanner::scan`].
    pub fn scan_published(&self, published: Published) -> Result<Report, ScanError> {
        let target = format!("{}@{}", published.name, published.version);
        self.guarded(target.clone(), || {
            let options = self.read_options();
            let (name, version) = (published.name, published.version);
            let read = |bytes: Vec<u8>, version: &Version| -> Result<Source, ScanError> {
                let expected = CrateName {
                    name: name.clone(),
                    version: version.clone(),
                };
                let options = options.clone().expecting(expected);
                let archive = CrateArchive::from_bytes(&target, &bytes, &options)?;
                Ok(Source::of(archive, target.clone()))
            };
            let source = read(published.archive, &version)?;
            // A version before that cannot be read costs the comparison alone.
            let previous = published
                .previous
                .and_then(|(version, bytes)| read(bytes, &version).ok());
            let package = self.package(&source);
            let previous = previous.as_ref().map(|previous| self.package(previous));
            let index = published.index.as_deref();
            let mut report = self.report(&source, &package, previous.as_ref(), index);
            self.judge(&mut report);
            Ok(report)
        })
    }

    /// The files of a package, for comparing them with something else.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn files(&self, input: &Input) -> Result<SourceTree, ScanError> {
        self.guarded(input.to_string(), || Ok(self.read(input)?.tree))
    }

    /// Judges a package by its surroundings.
    fn judge(&self, report: &mut Report) {
        let ScannerOptions {
            names,
            caches,
            surroundings,
            ..
        } = &self.options;
        surroundings::judge(report, surroundings, names.as_ref(), caches);
    }

    /// Compares two packages: what changed that matters to a reviewer, and
    /// what the scan of the newer one says about it.
    ///
    /// # Errors
    /// As for [`Scanner::scan`].
    pub fn diff(&self, old: &Input, new: &Input) -> Result<(Diff, Report), ScanError> {
        self.guarded(new.to_string(), || {
            let (old, new) = (self.read(old)?, self.read(new)?);
            let (before, after) = (self.package(&old), self.package(&new));
            let diff = Diff::between(&before, &after);
            let mut report = self.report(&new, &after, Some(&before), None);
            self.judge(&mut report);
            Ok((diff, report))
        })
    }

    /// Scans packages on several threads. The outcomes are in the order of the
    /// inputs; `done` is told how many there are so far.
    pub fn scan_all(
        &self,
        inputs: &[Input],
        threads: usize,
        done: impl Fn(usize) + Sync,
    ) -> Vec<Outcome> {
        let next = AtomicUsize::new(0);
        let finished = AtomicUsize::new(0);
        let outcomes: Mutex<Vec<(usize, Outcome)>> = Mutex::new(Vec::with_capacity(inputs.len()));
        std::thread::scope(|scope| {
            for _ in 0..threads.clamp(1, inputs.len().max(1)) {
                scope.spawn(|| {
                    while let Some((at, input)) = {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        inputs.get(at).map(|input| (at, input))
                    } {
                        let outcome = Outcome {
                            target: input.to_string(),
                            result: self.scan(input),
                        };
                        if let Ok(mut outcomes) = outcomes.lock() {
                            outcomes.push((at, outcome));
                        }
                        done(finished.fetch_add(1, Ordering::Relaxed) + 1);
                    }
                });
            }
        });
        let mut outcomes = outcomes.into_inner().unwrap_or_default();
        outcomes.sort_by_key(|(at, _)| *at);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn guarded<T>(
        &self,
        target: String,
        work: impl FnOnce() -> Result<T, ScanError>,
    ) -> Result<T, ScanError> {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            let reason = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_default();
            Err(ScanError::Panicked { target, reason })
        })
    }

    fn read(&self, input: &Input) -> Result<Source, ScanError> {
        let target = input.to_string();
        let options = self.read_options();
        let limits = &self.options.limits.archive;
        let from_archive = |archive: CrateArchive| Source::of(archive, target.clone());
        match input {
            Input::Archive(path) => Ok(from_archive(CrateArchive::open(path, &options)?)),
            Input::Directory(path) => {
                let options = DirectoryOptions {
                    limits: limits.clone(),
                    skip: vec!["target".to_owned(), ".git".to_owned()],
                };
                Ok(Source {
                    tree: SourceTree::from_directory(path, &options)?,
                    packed_bytes: None,
                    name: None,
                    target,
                })
            }
            Input::Cached { name, version } => {
                for cache in &self.options.caches {
                    let Some(path) = cache.archive_path(name, version) else {
                        continue;
                    };
                    return Ok(from_archive(CrateArchive::open(&path, &options)?));
                }
                Err(ScanError::NotCached(format!("{name}@{version}")))
            }
        }
    }

    fn read_options(&self) -> ReadOptions {
        ReadOptions {
            limits: self.options.limits.archive.clone(),
            ..ReadOptions::lenient()
        }
    }

    /// What is known about the versions before.
    fn history(
        &self,
        input: &Input,
        source: &Source,
    ) -> Result<(Option<Arc<IndexFile>>, Option<Source>), ScanError> {
        // What lies in a directory of its own need not be what the registry
        // has under this name.
        let (Input::Cached { .. }, Some((name, version))) = (input, &source.name) else {
            return Ok((None, None));
        };
        for cache in &self.options.caches {
            let index = cache.index_file(name)?;
            let previous = cache
                .fetched(name)?
                .into_iter()
                .rfind(|other| other < version);
            let previous = previous.map(|previous| Input::Cached {
                name: name.clone(),
                version: previous,
            });
            // A version before that cannot be read costs the comparison alone.
            let previous = previous.and_then(|previous| self.read(&previous).ok());
            if index.is_some() || previous.is_some() {
                return Ok((index, previous));
            }
        }
        Ok((None, None))
    }

    fn package<'t>(&self, source: &'t Source) -> Package<'t> {
        let tree = &source.tree;
        let manifest = tree
            .manifest_path()
            .and_then(|path| tree.text(path))
            .and_then(|text| Manifest::parse(text).ok());
        let limit = self.options.limits.source_bytes;
        let mut skipped = Vec::new();
        let mut files = Vec::new();
        for (path, bytes) in tree.files().filter(|(path, _)| path.ends_with(".rs")) {
            if bytes.len() as u64 > limit {
                skipped.push(path.to_owned());
            } else {
                files.push(SourceFile::read(path, bytes));
            }
        }
        let facts = Facts::gather(files, manifest.as_ref(), tree);
        let (name, version) = match (&manifest, &source.name) {
            (Some(manifest), _) => (manifest.name.clone(), manifest.version.clone()),
            (None, Some((name, version))) => (name.clone(), version.clone()),
            (None, None) => (source.target.clone(), Version::new(0, 0, 0)),
        };
        Package {
            name,
            version,
            tree,
            manifest,
            facts,
            packed_bytes: source.packed_bytes,
            skipped,
        }
    }

    fn report(
        &self,
        source: &Source,
        package: &Package<'_>,
        previous: Option<&Package<'_>>,
        index: Option<&IndexFile>,
    ) -> Report {
        let subject = Subject {
            package,
            previous,
            index,
            names: self.options.names.as_ref(),
        };
        let mut findings = Findings::default();
        for detector in detectors::ALL {
            detector.detect(&subject, &mut findings);
        }
        secrets::scan(package.tree, self.options.limits.text_bytes, &mut findings);
        let findings = findings.finish(self.options.limits.findings);
        let profile = Profile::of(package, previous);
        Report {
            name: package.name.clone(),
            version: package.version.clone(),
            target: source.target.clone(),
            previous: previous.map(|previous| previous.version.clone()),
            complete: package.tree.is_complete() && package.skipped.is_empty(),
            risk: risk(&findings),
            hygiene: hygiene(&subject, &profile.measures),
            provenance: None,
            profile,
            findings,
        }
    }
}

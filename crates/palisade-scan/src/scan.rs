//! From an input to a report.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use palisade_archive::{
    ArchiveError, CrateArchive, CrateName, DirectoryOptions, ReadOptions, SourceTree,
};
use palisade_index::{CargoCache, IndexFile, Manifest};
use palisade_sandbox::SandboxError;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::detectors::provenance::source_mismatch::SourceMismatch;
use crate::detectors::provenance::source_unverified::SourceUnverified;
use crate::diff::Diff;
use crate::facts::Facts;
use crate::request::{Content, Material};
use crate::score::{Hygiene, hygiene, risk};
use crate::subject::{Findings, Package, Subject};
use crate::surroundings::{self, Surroundings};
use crate::{Finding, Input, Limits, NameCorpus, Profile, Provenance, Request};
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
    /// Whether what was found made it necessary to follow calls from function
    /// to function, which costs more than all the rest.
    pub followed_calls: bool,
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
    /// A worker could not read it.
    #[error("{0}")]
    Unreadable(String),
    /// It was too much for its worker: time, memory, or a crash.
    #[error("the scan was broken off: {0}")]
    Ended(String),
    /// No worker can be started.
    #[error("no worker process can be started")]
    Sandbox(#[from] SandboxError),
}

impl ScanError {
    /// Whether it was begun and came to no end, so that it may hold anything;
    /// otherwise it is nothing that could be scanned.
    pub fn is_cut_short(&self) -> bool {
        matches!(self, ScanError::Ended(_) | ScanError::Panicked { .. })
    }
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

/// Scans packages, in this process.
///
/// Strangers' packages are better scanned by [`Workers`](crate::Workers),
/// which do the same in processes that can break without harm.
#[derive(Debug)]
pub struct Scanner {
    pub(crate) options: ScannerOptions,
}

/// What was read of a package, before it is analysed.
struct Source {
    target: String,
    tree: SourceTree,
    packed_bytes: Option<u64>,
    name: Option<CrateName>,
}

impl Source {
    fn of(archive: CrateArchive, target: String) -> Source {
        Source {
            packed_bytes: Some(archive.packed_bytes()),
            name: archive.name().cloned(),
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

    /// Parts of the registry's data that could not be read.
    pub(crate) fn data_problems(&self) -> &[String] {
        let names = self.options.names.as_ref();
        names.map_or(&[], |names| names.problems.as_slice())
    }

    /// Scans what an input names.
    ///
    /// # Errors
    /// It cannot be read, or the scanner fails on it. A failure costs this
    /// package alone.
    pub fn scan(&self, input: &Input) -> Result<Report, ScanError> {
        self.analyse(&self.request(input)?)
    }

    /// Reads what an input names, and what is at hand of the versions before,
    /// without looking into it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn request(&self, input: &Input) -> Result<Request, ScanError> {
        Request::read(input, &self.options.caches, &self.options.limits)
    }

    /// Reads what two inputs name, for
    /// [`Workers::compare`](crate::Workers::compare).
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn request_both(&self, old: &Input, new: &Input) -> Result<Request, ScanError> {
        Request::read_both(old, new, &self.options.caches, &self.options.limits)
    }

    /// Scans one package.
    ///
    /// # Errors
    /// It cannot be read, or the scanner fails on it.
    pub fn analyse(&self, request: &Request) -> Result<Report, ScanError> {
        let mut report = self.examine(request)?;
        self.judge(&mut report);
        Ok(report)
    }

    /// Scans one package by itself: what its surroundings say is for
    /// [`Scanner::judge`] to add.
    pub(crate) fn examine(&self, request: &Request) -> Result<Report, ScanError> {
        self.guarded(&request.new.target, || {
            let source = self.source(&request.new)?;
            // A version before that cannot be read costs the comparison alone.
            let old = request.old.as_ref();
            let old = old.and_then(|old| self.source(old).ok());
            let package = self.package(&source);
            let old = old.as_ref().map(|old| self.package(old));
            let index = request.index.as_deref();
            Ok(self.report(&source, &package, old.as_ref(), index))
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
        self.guarded(target, || {
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
        self.guarded(&target, || {
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
        self.guarded(&input.to_string(), || {
            let ScannerOptions { caches, limits, .. } = &self.options;
            let material = Material::read(input, caches, limits)?;
            Ok(self.source(&material)?.tree)
        })
    }

    /// Judges a package by its surroundings.
    pub(crate) fn judge(&self, report: &mut Report) {
        let ScannerOptions {
            names,
            caches,
            surroundings,
            ..
        } = &self.options;
        surroundings::judge(report, surroundings, names.as_ref(), caches);
    }

    /// Compares two packages: what changed that matters to a reviewer, and
    /// what the scan of the newer one says about it, before its surroundings
    /// are looked at.
    pub(crate) fn compare(&self, request: &Request) -> Result<(Diff, Report), ScanError> {
        self.guarded(&request.new.target, || {
            let new = self.source(&request.new)?;
            let Some(old) = &request.old else {
                let reason = "there is nothing to compare it with".to_owned();
                return Err(ScanError::Unreadable(reason));
            };
            let old = self.source(old)?;
            let (before, after) = (self.package(&old), self.package(&new));
            let diff = Diff::between(&before, &after);
            Ok((diff, self.report(&new, &after, Some(&before), None)))
        })
    }

    fn guarded<T>(
        &self,
        target: &str,
        work: impl FnOnce() -> Result<T, ScanError>,
    ) -> Result<T, ScanError> {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            let reason = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_default();
            Err(ScanError::Panicked {
                target: target.to_owned(),
                reason,
            })
        })
    }

    fn source(&self, material: &Material) -> Result<Source, ScanError> {
        let target = material.target.clone();
        let limits = &self.options.limits.archive;
        match &material.content {
            Content::Archive(bytes) => {
                let options = ReadOptions {
                    expected: material.name.clone(),
                    ..self.read_options()
                };
                let archive = CrateArchive::from_bytes(&target, bytes, &options)?;
                Ok(Source::of(archive, target))
            }
            Content::Directory(path) => {
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
        }
    }

    fn read_options(&self) -> ReadOptions {
        ReadOptions {
            limits: self.options.limits.archive.clone(),
            ..ReadOptions::lenient()
        }
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
                files.push((path, bytes));
            }
        }
        let facts = Facts::gather(&files, manifest.as_ref(), tree);
        let (name, version) = match (&manifest, &source.name) {
            (Some(manifest), _) => (manifest.name.clone(), manifest.version.clone()),
            (None, Some(name)) => (name.name.clone(), name.version.clone()),
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
            followed_calls: package.facts.asked_for_calls(),
            provenance: None,
            profile,
            findings,
        }
    }
}

/// Scans inputs, several at a time, and keeps the outcomes in their order.
pub(crate) fn in_parallel(
    inputs: &[Input],
    threads: usize,
    done: impl Fn(usize) + Sync,
    scan: impl Fn(&Input) -> Result<Report, ScanError> + Sync,
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
                        result: scan(input),
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

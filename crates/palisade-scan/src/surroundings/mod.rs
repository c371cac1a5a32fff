//! What is known around a package: its registry, its owners, advisories, what
//! was flagged before. Judged after the package itself, from its
//! [`Profile`] alone, so that it makes no difference where its
//! files were read.

mod advisories;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use palisade_index::{CargoCache, DumpedCrate, IndexFile, Owner, Registry};
use semver::Version;

use crate::subject::Findings;
use crate::{Finding, NameCorpus, Profile, Report, detectors, risk, score};

pub use advisories::{Advisories, Concern};
pub use verdict::DependencyVerdict;
pub(crate) use verdict::verdict_of;

/// What is known around packages.
#[derive(Default)]
pub struct Surroundings {
    /// Where dependencies are looked up, beside what cargo has fetched.
    pub registry: Option<Arc<dyn Registry>>,
    /// Advisories about dependencies and about the packages themselves.
    pub advisories: Option<Advisories>,
    /// Crates that a scan took for malicious.
    pub flagged: Flagged,
    /// What happened in the registry, as far as somebody watched.
    pub events: Events,
    /// The moment that counts as now.
    pub at: Option<Timestamp>,
    /// Whether that moment is in the past of what the registry and the dump
    /// say, so that what came later must not be looked at.
    pub past: bool,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings")
            .field("registry", &self.registry.is_some())
            .field("advisories", &self.advisories.is_some())
            .field("flagged", &self.flagged)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// Versions that a scan took for malicious, by crate, each with the risk.
pub type Flagged = BTreeMap<String, BTreeMap<Version, u8>>;

/// What happened in a registry, as far as somebody watched.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// When versions were withdrawn.
    pub yanked: BTreeMap<(String, Version), Timestamp>,
}

/// One package among its surroundings.
pub(crate) struct Around<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a Version,
    pub(crate) profile: &'a Profile,
    pub(crate) findings: &'a [Finding],
    pub(crate) names: Option<&'a NameCorpus>,
    pub(crate) surroundings: &'a Surroundings,
    caches: &'a [CargoCache],
    /// The package's own index file.
    pub(crate) index: Option<Arc<IndexFile>>,
}

impl Around<'_> {
    /// A crate's index file as it was at the moment that counts.
    pub(crate) fn lookup(&self, name: &str) -> Option<Arc<IndexFile>> {
        let registries = self.surroundings.registry.iter();
        let file = registries
            .map(|registry| registry.index_file(name))
            .chain(self.caches.iter().map(|cache| cache.index_file(name)))
            .find_map(|file| file.ok().flatten())?;
        match self.surroundings.at.filter(|_| self.surroundings.past) {
            None => Some(file),
            Some(at) => Some(Arc::new(as_of(
                &file,
                at,
                &self.surroundings.events,
                self.names,
            ))),
        }
    }

    /// What the database dump says about the package.
    pub(crate) fn dumped(&self) -> Option<&DumpedCrate> {
        self.names?.get(self.name)
    }

    /// When this version was published.
    pub(crate) fn published(&self) -> Option<Timestamp> {
        let index = self.index.iter().flat_map(|index| &index.versions);
        index
            .into_iter()
            .find(|known| known.version == *self.version)
            .and_then(|known| known.published)
            .or_else(|| {
                let versions = self.dumped()?.versions.iter();
                versions
                    .into_iter()
                    .find(|known| known.version == *self.version)
                    .and_then(|known| known.created)
            })
    }

    /// Who published this version, by the dump.
    pub(crate) fn publisher(&self) -> Option<&str> {
        let versions = self.dumped()?.versions.iter();
        versions
            .into_iter()
            .find(|known| known.version == *self.version)?
            .published_by
            .as_deref()
    }

    /// The people who may publish the package, by their logins.
    pub(crate) fn owners(&self) -> Vec<&str> {
        let owners = self.dumped().map(|known| known.owners.as_slice());
        let owners = owners.unwrap_or_default().iter();
        owners
            .filter_map(|owner| match owner {
                Owner::User(login) => Some(login.as_str()),
                Owner::Team(_) => None,
            })
            .collect()
    }

    /// When a crate's name was first published.
    pub(crate) fn born(&self, name: &str) -> Option<Timestamp> {
        let first = self.lookup(name).and_then(|file| {
            let times = file.versions.iter().map(|version| version.published);
            // A version without a time may be older than all others.
            times.collect::<Option<Vec<_>>>()?.into_iter().min()
        });
        let dumped = self.names.and_then(|names| names.get(name)?.created);
        first.into_iter().chain(dumped).min()
    }

    /// When a version was withdrawn, where somebody saw it.
    pub(crate) fn yanked_at(&self, version: &Version) -> Option<Timestamp> {
        let seen = &self.surroundings.events.yanked;
        if let Some(&time) = seen.get(&(self.name.to_owned(), version.clone())) {
            return Some(time);
        }
        let versions = self.dumped()?.versions.iter();
        let known = versions
            .into_iter()
            .find(|known| known.version == *version && known.yanked)?;
        known
            .updated
            .filter(|&time| self.surroundings.at.is_none_or(|at| time <= at))
    }
}

/// An index file as it was: later versions are left out, and what was
/// withdrawn later is not yet.
pub(crate) fn as_of(
    file: &IndexFile,
    at: Timestamp,
    events: &Events,
    names: Option<&NameCorpus>,
) -> IndexFile {
    let mut file = file.clone();
    file.versions.retain(|version| version.was_published_by(at));
    for version in &mut file.versions {
        if !version.yanked {
            continue;
        }
        let seen = events
            .yanked
            .get(&(version.name.clone(), version.version.clone()));
        let dumped = names.and_then(|names| {
            let versions = names.get(&version.name)?.versions.iter();
            versions
                .into_iter()
                .find(|known| known.version == version.version)?
                .updated
        });
        // Of what nobody saw being withdrawn, it is not known to be yet.
        version.yanked = seen.copied().or(dumped).is_some_and(|time| time <= at);
    }
    file
}

/// Judges a report's package by its surroundings: adds findings and checks,
/// and rates it again.
pub(crate) fn judge(
    report: &mut Report,
    surroundings: &Surroundings,
    names: Option<&NameCorpus>,
    caches: &[CargoCache],
) {
    let mut findings = Findings::default();
    let (checks, published) = {
        let mut around = Around {
            name: &report.name,
            version: &report.version,
            profile: &report.profile,
            findings: &report.findings,
            names,
            surroundings,
            caches,
            index: None,
        };
        around.index = around.lookup(&report.name);
        for (detect, _) in detectors::AROUND {
            detect(&around, &mut findings);
        }
        (score::around(&around), around.published())
    };
    report.profile.published = published;
    report.add_findings(findings);
    for check in checks {
        report.hygiene.set(check);
    }
    report.risk = risk(&report.findings);
}

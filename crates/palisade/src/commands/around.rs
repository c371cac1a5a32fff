//! What is known around packages, for the commands that scan them.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use palisade_advisory::{DEFAULT_URL, Database, Snapshot, default_cache_dir};
use palisade_graph::{Question, Store, Universe};
use palisade_scan::{
    Advisories, DependencyVerdict, FetchError, FetchOptions, Input, Provenance, ProvenanceError,
    Report, Repositories, RepositoryLimits, Scanner, Source, Surroundings, fetch,
    repository_address,
};

use super::ecosystem::exposed::named;
use super::now;
use crate::cli::AroundArgs;
use crate::output;
use crate::report::text::printable;

/// The directory of the advisory database: the given one, else the cached
/// copy, else none.
pub(super) fn database(given: Option<&Utf8Path>) -> Result<Option<Utf8PathBuf>> {
    if let Some(dir) = given {
        return Ok(Some(dir.to_owned()));
    }
    let Some(cache) = default_cache_dir() else {
        return Ok(None);
    };
    let snapshot = Snapshot::current(&cache, DEFAULT_URL)?;
    Ok(snapshot.map(|snapshot| snapshot.dir))
}

/// What is known around the packages of a scan.
pub(super) fn surroundings(args: &AroundArgs) -> Result<Surroundings> {
    let advisories = database(args.db.as_deref())?
        .map(|dir| Advisories::open(&dir).map_err(palisade_check::CheckError::from))
        .transpose()?;
    Ok(Surroundings {
        advisories,
        at: Some(now()?),
        ..Surroundings::default()
    })
}

/// The comparison with repositories, where that is asked for.
pub(super) fn provenance(args: &AroundArgs) -> Result<Option<Comparer>> {
    let source = match (&args.repository, &args.repositories) {
        (Some(clone), _) => {
            // A clone that is none is told at once, not once for each package.
            palisade_scan::Repository::open(clone, RepositoryLimits::default())?;
            Source::Clone(clone.clone())
        }
        (None, Some(directory)) => Source::Clones(directory.clone()),
        (None, None) => return Ok(None),
    };
    Ok(Some(Comparer {
        repositories: Repositories::new(source, RepositoryLimits::default()),
        fetch: args.fetch_repositories,
    }))
}

/// Compares packages with their repositories.
pub(super) struct Comparer {
    repositories: Repositories,
    fetch: bool,
}

impl Comparer {
    /// Compares one package. A repository that cannot be read costs the
    /// comparison alone, and is told.
    pub(super) fn add(&mut self, scanner: &Scanner, input: &Input, report: &mut Report) {
        let warn = |reason: String| {
            output::warn(&printable(&format!("{input}: {reason}")));
        };
        let tree = match scanner.files(input) {
            Ok(tree) => tree,
            Err(error) => return warn(format!("{:#}", anyhow::Error::from(error))),
        };
        let address = report.profile.repository.clone();
        if let Err(reason) = self.fetch(address.as_deref()) {
            match reason {
                FetchError::Gone(address) => {
                    let reason = format!("nothing answers at {address}");
                    return report.add_provenance(Provenance::gone(&tree, reason));
                }
                other => return warn(format!("{:#}", anyhow::Error::from(other))),
            }
        }
        let compared: Result<Option<Provenance>, ProvenanceError> = match self
            .repositories
            .get(address.as_deref())
        {
            Ok(Some(repository)) => Provenance::check(&tree, &report.name, repository).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match compared {
            Ok(Some(provenance)) => report.add_provenance(provenance),
            Ok(None) => {
                let reason = match &address {
                    None => "the manifest names no repository".to_owned(),
                    Some(address) => format!("there is no clone of {address}"),
                };
                report.add_provenance(Provenance::gone(&tree, reason));
            }
            Err(error) => warn(format!("{:#}", anyhow::Error::from(error))),
        }
    }

    fn fetch(&self, address: Option<&str>) -> Result<(), FetchError> {
        if !self.fetch {
            return Ok(());
        }
        let (Some(place), Some(address)) = (
            self.repositories.place(address),
            address.and_then(repository_address),
        ) else {
            return Ok(());
        };
        if place.exists() || Utf8PathBuf::from(format!("{place}.git")).exists() {
            return Ok(());
        }
        fetch(&address, &place, &FetchOptions::default())
    }
}

/// Verdicts about vulnerable dependencies, from fragments.
pub(super) struct Reach {
    universe: Universe,
    database: Option<Database>,
}

impl Reach {
    /// Stitches the fragments together, where `--graph` names some.
    pub(super) fn open(args: &AroundArgs) -> Result<Option<Reach>> {
        let Some(graph) = &args.graph else {
            return Ok(None);
        };
        let mut fragments = Vec::new();
        for entry in Store::new(graph).entries()? {
            match entry.fragment {
                Ok(fragment) => fragments.push(fragment),
                Err(error) => output::warn(&printable(&format!("{}: {error}", entry.path))),
            }
        }
        let database = database(args.db.as_deref())?
            .map(|dir| {
                Database::open(&dir, &Default::default())
                    .map(|(database, _)| database)
                    .map_err(palisade_check::CheckError::from)
            })
            .transpose()?;
        Ok(Some(Reach {
            universe: Universe::new(&fragments),
            database,
        }))
    }

    /// Decides what a report leaves open.
    pub(super) fn decide(&mut self, report: &mut Report) {
        let Some(database) = &self.database else {
            return;
        };
        for id in report.undecided_advisories() {
            let verdict = match database.find(&id).0 {
                Some(advisory) => self.ask(&advisory, report),
                None => continue,
            };
            report.decide(&id, &verdict);
        }
    }

    fn ask(&self, advisory: &palisade_advisory::Advisory, report: &Report) -> DependencyVerdict {
        let mut names = Vec::new();
        for function in &advisory.functions {
            match &function.path {
                Ok(path) => names.extend(named(advisory, path)),
                // What cannot be read could be what is reached.
                Err(_) => {
                    return DependencyVerdict::Unknown(format!(
                        "`{}` cannot be read",
                        function.text
                    ));
                }
            }
        }
        if names.is_empty() {
            return DependencyVerdict::Unknown("the advisory names no function".to_owned());
        }
        let affected = |version: &semver::Version| advisory.versions.is_affected(version);
        let question = Question {
            names,
            versions: &affected,
        };
        let version = report.version.to_string();
        let found = self.universe.exposed(&[question], |package, of| {
            package == report.name && of == version
        });
        let exposures: Vec<_> = found.into_iter().flatten().collect();
        if exposures.is_empty() {
            return DependencyVerdict::Unknown("there are no fragments of both".to_owned());
        }
        if let Some(reached) = exposures.iter().find(|exposure| exposure.when.is_some()) {
            let steps: Vec<String> = reached
                .path
                .iter()
                .map(|step| format!("{}::{}", step.krate, step.path))
                .collect();
            return DependencyVerdict::Reached(printable(&steps.join(" -> ")));
        }
        match exposures.iter().map(|exposure| exposure.blind_spots).max() {
            None | Some(0) => DependencyVerdict::NotReached,
            Some(places) => {
                DependencyVerdict::Unknown(format!("{places} places could not be followed"))
            }
        }
    }
}

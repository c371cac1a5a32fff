//! Downloads and owners, from a registry's database dump.

use anyhow::Result;
use camino::Utf8Path;
use palisade_index::{Dump, DumpOptions, Owner};

use crate::output;

/// What a dump says about a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Popularity {
    /// All downloads of all versions.
    pub(super) downloads: Option<u64>,
    /// Downloads of the last days, usually 90.
    pub(super) recent: Option<u64>,
    pub(super) owners: Vec<String>,
    pub(super) repository: Option<String>,
}

/// A dump, or none.
pub(super) struct Dumped(Option<Dump>);

impl Dumped {
    pub(super) fn open(dir: Option<&Utf8Path>) -> Result<Dumped> {
        let Some(dir) = dir else {
            return Ok(Dumped(None));
        };
        let options = DumpOptions {
            versions: false,
            ..DumpOptions::default()
        };
        let dump = Dump::open(dir, &options)?;
        for problem in &dump.problems {
            output::warn(&format!("{}: {}", problem.file, problem.reason));
        }
        Ok(Dumped(Some(dump)))
    }

    pub(super) fn of(&self, package: &str) -> Popularity {
        let known = self.0.as_ref().and_then(|dump| dump.crates.get(package));
        known.map_or_else(Popularity::default, |known| Popularity {
            downloads: Some(known.downloads),
            recent: Some(known.recent_downloads),
            owners: known
                .owners
                .iter()
                .map(|owner| match owner {
                    Owner::User(login) => login.clone(),
                    Owner::Team(name) => name.clone(),
                })
                .collect(),
            repository: known.repository.clone(),
        })
    }
}

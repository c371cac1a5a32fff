//! Advisories about dependencies.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use camino::Utf8Path;
use palisade_advisory::{Advisory, Database, DatabaseError, Limits};
use palisade_index::IndexFile;
use semver::{Version, VersionReq};

/// An advisory database, read as crates are asked about.
#[derive(Debug)]
pub struct Advisories {
    database: Database,
    known: Mutex<HashMap<String, Arc<Vec<Advisory>>>>,
}

/// How an advisory concerns a dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concern {
    /// The version that a new build takes is affected; whether a safe one
    /// would do as well.
    Taken {
        /// The version.
        version: Version,
        /// The newest matching version that is safe.
        safe: Option<Version>,
    },
    /// Every version is affected, and none is known that could be taken.
    Every,
}

impl Advisories {
    /// Opens a database.
    ///
    /// # Errors
    /// There is none in the directory.
    pub fn open(directory: &Utf8Path) -> Result<Advisories, DatabaseError> {
        let (database, _) = Database::open(directory, &Limits::default())?;
        Ok(Advisories {
            database,
            known: Mutex::default(),
        })
    }

    /// The advisories about a crate that stand.
    pub fn about(&self, name: &str) -> Arc<Vec<Advisory>> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(name) {
            return found.clone();
        }
        let (mut found, _) = self.database.advisories_for([name]);
        found.retain(|advisory| advisory.withdrawn.is_none());
        let found = Arc::new(found);
        known().insert(name.to_owned(), found.clone());
        found
    }

    /// How an advisory concerns whoever requires these versions; `None` where
    /// it does not. Without an index only an advisory about all versions can
    /// be decided.
    pub fn concern(
        advisory: &Advisory,
        requirement: &VersionReq,
        index: Option<&IndexFile>,
    ) -> Option<Concern> {
        let Some(index) = index else {
            let every =
                advisory.versions.patched.is_empty() && advisory.versions.unaffected.is_empty();
            return every.then_some(Concern::Every);
        };
        let mut matching: Vec<&Version> = index
            .versions
            .iter()
            .filter(|known| !known.yanked && requirement.matches(&known.version))
            .map(|known| &known.version)
            .collect();
        matching.sort();
        let taken = *matching.last()?;
        if !advisory.versions.is_affected(taken) {
            return None;
        }
        let safe = matching
            .into_iter()
            .rfind(|version| !advisory.versions.is_affected(version));
        Some(Concern::Taken {
            version: taken.clone(),
            safe: safe.cloned(),
        })
    }
}

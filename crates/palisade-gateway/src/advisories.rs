//! Advisories of the RustSec database, as the policy asks about them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_advisory::{Collection, Database, Limits, Versions};
use semver::Version;

use crate::GatewayError;
use crate::policy::rules::advisory::Kind;

/// An advisory about a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// Its id.
    pub id: String,
    /// What it says, in one line.
    pub title: String,
    /// What kind of advisory it is.
    pub kind: Kind,
    versions: Versions,
}

impl Advisory {
    /// Whether it is about this version.
    pub(crate) fn is_about(&self, version: &Version) -> bool {
        self.versions.is_affected(version)
    }
}

type ByCrate = BTreeMap<String, Arc<[Advisory]>>;

/// The advisories of a database, by crate. Without a database there are none.
#[derive(Debug, Default)]
pub(crate) struct Advisories {
    dir: Option<Utf8PathBuf>,
    known: RwLock<Arc<ByCrate>>,
}

impl Advisories {
    /// Reads the database, if one is configured.
    pub(crate) fn open(dir: Option<&Utf8Path>) -> Result<Advisories, GatewayError> {
        let known = dir.map(read).transpose()?.unwrap_or_default();
        Ok(Advisories {
            dir: dir.map(Utf8Path::to_owned),
            known: RwLock::new(Arc::new(known)),
        })
    }

    /// The advisories about a crate.
    pub(crate) fn about(&self, name: &str) -> Arc<[Advisory]> {
        let known = self.known().get(name).cloned();
        known.unwrap_or_else(|| Arc::from([]))
    }

    /// The crates that advisories are about.
    pub(crate) fn crates(&self) -> Vec<String> {
        self.known().keys().cloned().collect()
    }

    /// Reads the database again; whether it says something else now.
    pub(crate) fn reload(&self) -> Result<bool, GatewayError> {
        let Some(dir) = &self.dir else {
            return Ok(false);
        };
        let new = read(dir)?;
        let changed = *self.known() != new;
        if changed {
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        }
        Ok(changed)
    }

    /// What tells this state of the database from others.
    pub(crate) fn fingerprint(&self) -> String {
        let text = format!("{:?}", self.known());
        palisade_archive::checksum(text.as_bytes()).to_string()
    }

    fn known(&self) -> Arc<ByCrate> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }
}

fn read(dir: &Utf8Path) -> Result<ByCrate, GatewayError> {
    let (database, mut problems) = Database::open(dir, &Limits::default())
        .map_err(|source| GatewayError::Advisories { source })?;
    let (advisories, more) = database.all();
    problems.extend(more);
    if let Some(problem) = problems.first() {
        tracing::warn!(count = problems.len(), first = ?problem, "parts of the advisory database cannot be read");
    }
    let mut by_crate: BTreeMap<String, Vec<Advisory>> = BTreeMap::new();
    for advisory in advisories {
        if advisory.collection != Collection::Crates || advisory.withdrawn.is_some() {
            continue;
        }
        let kind = match advisory.kind {
            palisade_model::Kind::Malicious => Kind::Malicious,
            palisade_model::Kind::Vulnerability => Kind::Vulnerability,
            palisade_model::Kind::Unsound => Kind::Unsound,
            palisade_model::Kind::Unmaintained => Kind::Unmaintained,
            palisade_model::Kind::Notice => Kind::Notice,
        };
        by_crate
            .entry(advisory.package)
            .or_default()
            .push(Advisory {
                id: advisory.id,
                title: advisory.title,
                kind,
                versions: advisory.versions,
            });
    }
    let by_crate = by_crate.into_iter();
    Ok(by_crate.map(|(name, list)| (name, list.into())).collect())
}

//! `first-dependency`: a mature crate that never needed another one suddenly
//! does.
//!
//! That is how arrayref 0.3.10 brought its payload: eleven years and ten
//! releases without a dependency, then one on a crate that was hours old.

use jiff::SignedDuration;
use palisade_index::{DependencyKind, IndexVersion};
use serde::{Deserialize, Serialize};

use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy};

/// How the rule is set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What it does when it objects.
    pub mode: Mode,
    /// A crate is mature when it has so many earlier versions,
    pub mature_versions: usize,
    /// and when the first of them is so many days older.
    pub mature_days: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mode: Mode::Enforce,
            mature_versions: 3,
            mature_days: 365,
        }
    }
}

pub(crate) fn objection(policy: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    let (version, earlier) = (&facts.versions[at], &facts.versions[..at]);
    let settings = &policy.first_dependency;
    let dependency = dependency(&version.index)?;
    let born = earlier.iter().map(|version| version.published).min()?;
    let days = SignedDuration::from_hours(24 * i64::from(settings.mature_days));
    let mature =
        earlier.len() >= settings.mature_versions && version.published.duration_since(born) >= days;
    let first = earlier
        .iter()
        .all(|version| self::dependency(&version.index).is_none());
    (!facts.hosted && !version.settled && mature && first).then(|| Objection {
        until: None,
        reason: format!(
            "it depends on `{dependency}`, and none of the {} versions before it depends on anything",
            earlier.len()
        ),
    })
}

/// A crate that comes along with a version.
fn dependency(version: &IndexVersion) -> Option<&str> {
    version
        .dependencies
        .iter()
        .find(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.package.as_str())
}

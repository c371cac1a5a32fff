//! `advisory`: an advisory of the RustSec database is about the version.
//!
//! By default only advisories about malicious crates count: most others are
//! about bugs that `palisade check` can tell from reached ones, and keeping
//! every affected version back would break builds without making them safer.

use serde::{Deserialize, Serialize};

use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy};

/// How the rule is set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What it does when it objects. It knows something only where
    /// `gateway.advisories` names a database.
    pub mode: Mode,
    /// Which kinds of advisories count.
    pub kinds: Vec<Kind>,
    /// Advisories that do not count, by their ids.
    pub ignore: Vec<String>,
}

/// A kind of advisory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The crate was published to do harm.
    Malicious,
    /// A vulnerability.
    Vulnerability,
    /// An API that can break memory safety.
    Unsound,
    /// Nobody maintains the crate.
    Unmaintained,
    /// Anything else.
    Notice,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mode: Mode::Enforce,
            kinds: vec![Kind::Malicious],
            ignore: Vec::new(),
        }
    }
}

pub(crate) fn objection(policy: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    let settings = &policy.advisory;
    // A crate that is published here only shares the name.
    if facts.hosted {
        return None;
    }
    let version = &facts.versions[at].index.version;
    let found = facts.advisories.iter().find(|advisory| {
        settings.kinds.contains(&advisory.kind)
            && !settings.ignore.contains(&advisory.id)
            && advisory.is_about(version)
    })?;
    Some(Objection {
        until: None,
        reason: format!("{}: {}", found.id, found.title),
    })
}

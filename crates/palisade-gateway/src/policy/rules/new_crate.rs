//! `new-crate`: every version of a crate that did not exist lately waits.
//!
//! Attackers publish the payload as a crate of its own and let a known crate
//! depend on it. While the new one is held, cargo falls back to releases of
//! the known one that do not need it.

use serde::{Deserialize, Serialize};

use super::hours_after;
use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy};

/// How the rule is set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What it does when it objects.
    pub mode: Mode,
    /// How long a crate counts as new.
    pub hours: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mode: Mode::Enforce,
            hours: 72,
        }
    }
}

pub(crate) fn objection(policy: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    if facts.hosted || facts.versions[at].settled {
        return None;
    }
    let born = facts
        .versions
        .iter()
        .map(|version| version.published)
        .min()?;
    let until = hours_after(born, policy.new_crate.hours);
    (until > facts.now && !facts.versions.iter().any(|version| version.settled)).then(|| {
        Objection {
            until: Some(until),
            reason: format!(
                "the crate itself is younger than {} hours",
                policy.new_crate.hours
            ),
        }
    })
}

//! `secrets`: an archive ships a secret beyond doubt: its checksum or
//! structure is right.
//!
//! What is published here would be copied within minutes; what is pulled
//! through is out already, and keeping it back protects nobody here.

use serde::{Deserialize, Serialize};

use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy};

/// How the rule is set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What it does when it objects. It knows something only where there is a
    /// scanner.
    pub mode: Mode,
    /// Whether it also looks at what is pulled through.
    pub upstream: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mode: Mode::Enforce,
            upstream: false,
        }
    }
}

pub(crate) fn objection(policy: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    if !facts.hosted && !policy.secrets.upstream {
        return None;
    }
    let verdict = facts.versions[at].inspection.as_ref()?.verdict.as_ref()?;
    let secret = verdict.secret.as_ref()?;
    Some(Objection {
        until: None,
        reason: format!("{secret}; revoke it, then publish a version without it"),
    })
}

//! `minimum-age`: a version waits until others have had time to look at it.
//!
//! Of the attacks of 2026, those that were found by others were found within
//! hours: two hours would have been enough against the one on arrayref.

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
    /// How old a version has to be that is pulled through.
    pub hours: u32,
    /// How old a version has to be that is published here.
    pub hosted_hours: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mode: Mode::Enforce,
            hours: 72,
            hosted_hours: 0,
        }
    }
}

pub(crate) fn objection(policy: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    let version = &facts.versions[at];
    let settings = &policy.minimum_age;
    let hours = if facts.hosted {
        settings.hosted_hours
    } else {
        settings.hours
    };
    let until = hours_after(version.published, hours);
    (!version.settled && until > facts.now).then(|| Objection {
        until: Some(until),
        reason: format!("it is younger than {hours} hours"),
    })
}

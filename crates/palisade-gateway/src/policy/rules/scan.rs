//! `scan`: the scanner finds a version risky, or gives no answer.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy};

/// How the rule is set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What it does when it objects. Off unless there is a scanner.
    pub mode: Mode,
    /// From which risk on a person decides, from 0 to 100.
    pub risk: u8,
    /// How long the scanner may take for one archive, in seconds.
    pub seconds: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mode: Mode::Off,
            risk: 70,
            seconds: 60,
        }
    }
}

/// How soon to ask a scanner again that gave no answer.
const AGAIN: SignedDuration = SignedDuration::from_mins(5);

pub(crate) fn objection(policy: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    match facts.versions[at].verdict.as_ref()? {
        Ok(verdict) if verdict.risk < policy.scan.risk => None,
        Ok(verdict) => Some(Objection {
            until: None,
            reason: format!("{} (risk {} of 100)", verdict.summary, verdict.risk),
        }),
        Err(error) => Some(Objection {
            until: facts.now.checked_add(AGAIN).ok(),
            reason: format!("the scanner has given no answer: {error}"),
        }),
    }
}

//! `scan`: the scanner finds a version risky, or gives no answer.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy};

/// How the rule is set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What it does when it objects. Unless given, `enforce` where there is a
    /// scanner and `off` where there is none.
    pub mode: Option<Mode>,
    /// From which risk on a person decides, from 0 to 100.
    pub risk: u8,
    /// How long the scanner may take for one archive, in seconds.
    pub seconds: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mode: None,
            risk: 70,
            seconds: 60,
        }
    }
}

impl Settings {
    /// What it does when it objects.
    pub fn mode(&self) -> Mode {
        self.mode.unwrap_or(Mode::Off)
    }
}

/// How soon to ask a scanner again that gave no answer.
const AGAIN: SignedDuration = SignedDuration::from_mins(5);

pub(crate) fn objection(policy: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    let version = &facts.versions[at];
    if let Some(error) = &version.unanswered {
        return Some(Objection {
            until: facts.now.checked_add(AGAIN).ok(),
            reason: format!("the scanner has given no answer: {error}"),
        });
    }
    let verdict = version.inspection.as_ref()?.verdict.as_ref()?;
    (verdict.risk >= policy.scan.risk).then(|| Objection {
        until: None,
        reason: format!("{} (risk {} of 100)", verdict.summary, verdict.risk),
    })
}

//! `typosquat`: a new crate whose name looks like the name of a popular one.
//!
//! Crates that have been there for a while were seen by others; a look-alike
//! does its harm in its first days.

use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy, plain_settings};

plain_settings!(Mode::Enforce);

pub(crate) fn objection(_: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    if facts.versions.iter().any(|version| version.settled) {
        return None;
    }
    let verdict = facts.versions[at].inspection.as_ref()?.verdict.as_ref()?;
    let imitates = verdict.imitates.as_ref()?;
    Some(Objection {
        until: None,
        reason: imitates.clone(),
    })
}

//! `held-dependency`: what a version needs is itself kept back.

use super::hours_after;
use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy, plain_settings};

plain_settings!(Mode::Enforce);

/// How soon to look again, in hours.
const AGAIN: u32 = 1;

pub(crate) fn objection(_: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    let held = facts.versions[at].held_dependency.as_ref()?;
    Some(Objection {
        until: Some(hours_after(facts.now, AGAIN)),
        reason: format!("it depends on `{held}`, of which every fitting version is kept back"),
    })
}

//! `removed`: the upstream no longer lists a version.
//!
//! Registries remove what is malicious, and seldom anything else. Whoever has
//! it in a lockfile shall hear of it.

use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy, plain_settings};

plain_settings!(Mode::Enforce);

pub(crate) fn objection(_: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    let since = facts.versions[at].missing_since?;
    Some(Objection {
        until: None,
        reason: format!("the registry that it comes from has not listed it since {since}"),
    })
}

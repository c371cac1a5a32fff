//! `break-glass`: an administrator has said that, for a while, every new
//! version of some crates or of some publishers waits for a person.
//!
//! Such a hold is what a registry needs in the first minutes of an incident,
//! before anybody knows which versions are bad (RFC 3464 calls it so).

use crate::policy::judge::Objection;
use crate::policy::{Facts, Policy};

pub(crate) fn objection(_: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    let version = &facts.versions[at];
    // What the world has had for a month is not what the incident is about.
    if version.settled {
        return None;
    }
    let hold = facts
        .orders
        .hold(facts.name, version.publisher, version.first_seen)?;
    Some(Objection {
        until: None,
        reason: format!(
            "new versions of the {} `{}` wait for a person: {}",
            hold.kind, hold.pattern, hold.reason
        ),
    })
}

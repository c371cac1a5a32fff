//! `review`: new versions of some crates always wait for a person.

use crate::policy::judge::Objection;
use crate::policy::{Facts, Policy};

pub(crate) fn objection(policy: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    if facts.versions[at].settled {
        return None;
    }
    let pattern = policy
        .review
        .iter()
        .find(|pattern| pattern.matches(facts.name))?;
    Some(Objection {
        until: None,
        reason: format!("a person looks at every new version of `{pattern}`"),
    })
}

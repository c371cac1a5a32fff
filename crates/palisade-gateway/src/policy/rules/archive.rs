//! `archive`: a registry would refuse the archive today.
//!
//! Links and paths that lead elsewhere have let crates write outside of
//! cargo's directories (CVE-2026-5223, CVE-2026-33056); clients that are not
//! updated stay open to them.

use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy, plain_settings};

plain_settings!(Mode::Enforce);

pub(crate) fn objection(_: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    let inspection = facts.versions[at].inspection.as_ref()?;
    let defect = inspection.defect.as_ref()?;
    Some(Objection {
        until: None,
        reason: format!("its archive is not safe to unpack: {defect}"),
    })
}

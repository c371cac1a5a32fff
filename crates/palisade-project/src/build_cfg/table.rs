//! The reviewed table: what the build scripts of widely used crates set.
//!
//! Every rule was written from the scripts of the versions that it names and
//! compared with what they printed in real builds. Flags for compilers older
//! than about 1.30 are left out where newer versions of a crate dropped them.

mod crypto;
mod errors;
mod libc;
mod macros;
mod numeric;
mod rustix;
mod serde;
mod sync;
mod system;
mod text;

use super::rule::{Probe, Rule};

const GROUPS: &[&[Rule]] = &[
    crypto::RULES,
    errors::RULES,
    libc::RULES,
    macros::RULES,
    numeric::RULES,
    rustix::RULES,
    serde::RULES,
    sync::RULES,
    system::RULES,
    text::RULES,
];

/// The rules that apply to a package.
pub(super) fn find(probe: &Probe<'_>) -> Vec<&'static Rule> {
    GROUPS
        .iter()
        .flat_map(|group| group.iter())
        .filter(|rule| rule.applies(probe))
        .collect()
}

#[cfg(test)]
mod tests {
    use semver::{Version, VersionReq};

    use super::GROUPS;

    /// Guards against a typing error in a version, which would silently switch
    /// a rule off.
    #[test]
    fn versions_parse() {
        for rule in GROUPS.iter().flat_map(|group| group.iter()) {
            VersionReq::parse(rule.versions).expect(rule.packages[0]);
            Version::parse(rule.reviewed).expect(rule.packages[0]);
        }
    }
}

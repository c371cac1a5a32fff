//! The deny list and the allow list.

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use crate::pattern::Pattern;

/// An entry: a pattern of names, some of their versions, and a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listed {
    /// Which crates.
    #[serde(rename = "crate")]
    pub name: Pattern,
    /// Which of their versions; all unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<VersionReq>,
    /// Why. Whoever wants the version reads it.
    pub reason: String,
}

impl Listed {
    /// Whether it means this version.
    pub fn matches(&self, name: &str, version: &Version) -> bool {
        self.name.matches(name)
            && self.versions.as_ref().is_none_or(|versions| {
                // A requirement leaves pre-releases out; a list must not.
                versions.matches(version) || {
                    let plain = Version::new(version.major, version.minor, version.patch);
                    !version.pre.is_empty() && versions.matches(&plain)
                }
            })
    }
}

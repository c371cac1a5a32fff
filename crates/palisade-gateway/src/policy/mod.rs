//! What is kept back, and from whom.
//!
//! Two functions decide. [`judge()`] says where a version shall stand, when it
//! is first seen, published, or looked at again. [`access()`] says who may have
//! it where it stands, and is asked by every route: index, download, search,
//! publishing and the commands.

mod access;
mod judge;
mod lists;
mod orders;
pub mod rules;

use serde::{Deserialize, Serialize};

pub use access::{Access, Refusal, Viewer, access};
pub use judge::{Facts, Known, judge, modes};
pub use lists::Listed;
pub use orders::Orders;

use crate::pattern::Pattern;

/// What a rule does when it objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing; it is not asked.
    Off,
    /// It says what it would have done, in the audit log.
    Audit,
    /// It keeps the version back.
    #[default]
    Enforce,
}

impl Mode {
    /// The name that the configuration uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Audit => "audit",
            Mode::Enforce => "enforce",
        }
    }
}

/// What is kept back, and why.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Policy {
    /// With anything but `enforce`, rules decide, but everything is to be had
    /// that no person has rejected.
    pub mode: Mode,
    /// What nobody gets, whatever was decided.
    pub deny: Vec<Listed>,
    /// What no rule keeps back.
    pub allow: Vec<Listed>,
    /// Crates whose new versions wait for a person.
    pub review: Vec<Pattern>,
    /// Time for others to notice.
    pub minimum_age: rules::minimum_age::Settings,
    /// Crates that did not exist lately.
    pub new_crate: rules::new_crate::Settings,
    /// Mature crates that suddenly depend on something.
    pub first_dependency: rules::first_dependency::Settings,
    /// Many yanks at once.
    pub mass_yank: rules::mass_yank::Settings,
    /// Dependencies that are themselves kept back.
    pub held_dependency: rules::held_dependency::Settings,
    /// Versions that the upstream no longer lists.
    pub removed: rules::removed::Settings,
    /// Archives that a registry would refuse.
    pub archive: rules::archive::Settings,
    /// What the scanner says.
    pub scan: rules::scan::Settings,
    /// Secrets in archives.
    pub secrets: rules::secrets::Settings,
    /// Names that look like others.
    pub typosquat: rules::typosquat::Settings,
    /// Published advisories.
    pub advisory: rules::advisory::Settings,
    /// Licences.
    pub licence: rules::licence::Settings,
}

impl Policy {
    /// Decides what depends on whether there is a scanner.
    pub fn settle(&mut self, scanner: bool) {
        let usual = if scanner { Mode::Enforce } else { Mode::Off };
        self.scan.mode.get_or_insert(usual);
    }

    /// What a rule does; [`Mode::Off`] for one that is not known any more.
    pub(crate) fn mode_of(&self, rule: &str) -> Mode {
        modes(self)
            .find(|(name, _)| *name == rule)
            .map_or(Mode::Off, |(_, mode)| mode)
    }

    /// What identifies the policy: when it changes, versions are looked at
    /// again.
    pub fn fingerprint(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        palisade_archive::checksum(text.as_bytes()).to_string()
    }

    /// Whether the allow list exempts a version from every rule.
    pub fn exempts(&self, name: &str, version: &semver::Version) -> bool {
        self.allow
            .iter()
            .any(|listed| listed.matches(name, version))
    }
}

/// Settings of a rule that has none but its mode.
macro_rules! plain_settings {
    ($mode:expr) => {
        /// How the rule is set.
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        pub struct Settings {
            /// What it does when it objects.
            pub mode: crate::policy::Mode,
        }

        impl Default for Settings {
            fn default() -> Settings {
                Settings { mode: $mode }
            }
        }
    };
}
pub(crate) use plain_settings;

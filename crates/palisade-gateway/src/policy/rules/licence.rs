//! `licence`: the licence that a version names is not one of those that the
//! house has agreed to.

use serde::{Deserialize, Serialize};
use spdx::{Expression, ParseMode};

use crate::policy::judge::Objection;
use crate::policy::{Facts, Mode, Policy};

/// How the rule is set. Without a list it objects to nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What it does when it objects.
    pub mode: Mode,
    /// Licences that are fine, by their SPDX identifiers; all, when empty.
    pub allow: Vec<String>,
    /// Licences that are not.
    pub deny: Vec<String>,
}

impl Settings {
    /// Whether it objects to nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.mode == Mode::Off || (self.allow.is_empty() && self.deny.is_empty())
    }
}

pub(crate) fn objection(policy: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    let settings = &policy.licence;
    if settings.is_empty() {
        return None;
    }
    // Before anybody has looked into the archive there is nothing to say; it
    // is looked into before it is first handed out.
    let inspection = facts.versions[at].inspection.as_ref()?;
    let object = |reason: String| {
        Some(Objection {
            until: None,
            reason,
        })
    };
    let Some(named) = inspection
        .licence
        .as_deref()
        .filter(|text| !text.is_empty())
    else {
        return object("it names no licence".to_owned());
    };
    let Ok(expression) = Expression::parse_mode(named, ParseMode::LAX) else {
        return object(format!("its licence `{named}` is no SPDX expression"));
    };
    let is = |list: &[String], id: &str| list.iter().any(|known| known.eq_ignore_ascii_case(id));
    let fine = expression.evaluate(|requirement| {
        let name = requirement.license.to_string();
        (settings.allow.is_empty() || is(&settings.allow, &name)) && !is(&settings.deny, &name)
    });
    if fine {
        return None;
    }
    object(format!(
        "its licence `{named}` is not one that is agreed to"
    ))
}

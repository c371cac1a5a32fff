//! `mass-yank`: many versions of one crate are yanked at once.
//!
//! Whoever took over a crate yanks its good releases, so that everybody is
//! pushed to the one that they have just published. Such yanks are passed on
//! later, and the releases of that time wait for a person.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::hours_after;
use crate::policy::judge::Objection;
use crate::policy::{Facts, Known, Mode, Policy};

/// How the rule is set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// What it does when it objects.
    pub mode: Mode,
    /// So many yanks are too many
    pub count: usize,
    /// within so many hours.
    pub window_hours: u32,
    /// How long such yanks are not passed on, in hours.
    pub delay_hours: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            mode: Mode::Enforce,
            count: 3,
            window_hours: 24,
            delay_hours: 72,
        }
    }
}

impl Settings {
    /// Until when the yank that was noticed at `seen` is not passed on, when
    /// `yanks` are all that were noticed.
    pub(crate) fn delay(
        &self,
        seen: Timestamp,
        yanks: &[Timestamp],
        now: Timestamp,
    ) -> Option<Timestamp> {
        if self.mode != Mode::Enforce || !self.is_mass(seen, yanks) {
            return None;
        }
        Some(hours_after(seen, self.delay_hours)).filter(|&until| until > now)
    }

    /// Whether the yank at `seen` is one of too many.
    fn is_mass(&self, seen: Timestamp, yanks: &[Timestamp]) -> bool {
        yanks.iter().any(|&start| {
            let end = hours_after(start, self.window_hours);
            let within = |time: Timestamp| (start..end).contains(&time);
            within(seen) && yanks.iter().filter(|&&yank| within(yank)).count() >= self.count
        })
    }
}

pub(crate) fn objection(policy: &Policy, facts: &Facts<'_>, at: usize) -> Option<Objection> {
    let settings = &policy.mass_yank;
    let version = &facts.versions[at];
    if facts.hosted || version.settled {
        return None;
    }
    let others = |other: &&Known| other.index.version != version.index.version;
    let yanks: Vec<Timestamp> = facts
        .versions
        .iter()
        .filter(others)
        .filter_map(|other| other.yank_seen)
        .collect();
    // Before and after: the yanks may come first or last.
    let near = yanks.iter().filter(|&&yank| {
        hours_after(yank, settings.window_hours) > version.published
            && hours_after(version.published, settings.window_hours) > yank
            && settings.is_mass(yank, &yanks)
    });
    let count = near.count();
    (count > 0).then(|| Objection {
        until: None,
        reason: format!("{count} other versions were yanked about when it was published"),
    })
}

//! Versions withdrawn around a publication.

use super::hours;
use crate::rule::detector;
use crate::subject::Findings;
use crate::surroundings::Around;
use crate::{Confidence, Severity};

detector! {
    /// Several older versions were withdrawn within a day of this one.
    ///
    /// ## What it does
    /// Looks at when versions were withdrawn: as `palisade watch` saw it, or as a database dump says
    /// (`--dump`). It is *high* where no older version is left that a build could take instead.
    ///
    /// ## Why is this bad?
    /// Whoever builds without a lockfile then gets the new version. The hijacker of August 2026 withdrew
    /// five versions within the hour. Honest maintainers withdraw what has a bug, but seldom all at once
    /// and on the day of the fix.
    ///
    /// ## Example
    /// `0.3.5` to `0.3.9` are withdrawn while `0.3.10` is published.
    ///
    /// ## How to fix it
    /// Say in an advisory why they were withdrawn.
    MassYank "mass-yank" Malice High Medium Preview
}

const SEVERAL: usize = 3;
const WINDOW_HOURS: i64 = 24;

impl MassYank {
    pub(crate) fn detect(around: &Around<'_>, findings: &mut Findings) {
        let Some(index) = &around.index else { return };
        let Some(published) = around.published() else {
            return;
        };
        let version = around.version;
        let series = |other: &semver::Version| match version.major {
            0 => (other.major, other.minor) == (0, version.minor),
            major => other.major == major,
        };
        let own = index
            .versions
            .iter()
            .find(|other| other.version == *version);
        if own.is_some_and(|own| own.yanked) {
            return;
        }
        let (mut around_it, mut left) = (Vec::new(), 0);
        for other in index
            .versions
            .iter()
            .filter(|other| other.version < *version)
        {
            if !other.yanked {
                left += usize::from(series(&other.version) && other.version.pre.is_empty());
                continue;
            }
            let when = around.yanked_at(&other.version);
            if when.is_some_and(|when| hours(published, when).abs() <= WINDOW_HOURS) {
                around_it.push(&other.version);
            }
        }
        if around_it.len() < SEVERAL {
            return;
        }
        around_it.sort();
        let severity = if left == 0 {
            Severity::High
        } else {
            Severity::Medium
        };
        let shown: Vec<String> = around_it
            .iter()
            .take(8)
            .map(|version| version.to_string())
            .collect();
        let message = format!(
            "{} older versions were withdrawn within a day of it ({}), and {left} of its series are left",
            around_it.len(),
            shown.join(", ")
        );
        findings.rated(
            &Self::RULE,
            severity,
            Confidence::Medium,
            message,
            Vec::new(),
        );
    }
}

//! A version after a long sleep.

use crate::rule::detector;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// A version follows years after the one before.
    ///
    /// ## What it does
    /// Looks at the times of publication in the index.
    ///
    /// ## Why is this bad?
    /// Accounts that nobody looks after are those that are taken over. Old crates are honestly revived
    /// as well, which is why it is *low*: it counts beside others.
    ///
    /// ## Example
    /// `0.3.9` is of 2023, `0.3.10` of 2026.
    ///
    /// ## How to fix it
    /// Nothing is wrong with it.
    Dormancy "dormancy" Malice Low Low Stable
}

const DAYS: i64 = 2 * 365;

impl Dormancy {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let Some(index) = subject.index else { return };
        let version = &subject.package.version;
        let time = |wanted: &semver::Version| {
            let found = index.versions.iter().find(|other| other.version == *wanted);
            found.and_then(|found| found.published)
        };
        let Some(published) = time(version) else {
            return;
        };
        let before = index
            .versions
            .iter()
            .filter(|other| other.version != *version)
            .filter_map(|other| other.published)
            .filter(|&other| other < published)
            .max();
        let Some(before) = before else { return };
        let days = published.duration_since(before).as_hours() / 24;
        if days >= DAYS {
            let message = format!("it follows {days} days after the version before");
            findings.rated(
                &Self::RULE,
                Severity::Low,
                Confidence::Low,
                message,
                Vec::new(),
            );
        }
    }
}

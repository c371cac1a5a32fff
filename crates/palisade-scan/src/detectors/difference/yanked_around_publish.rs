//! Older versions withdrawn to force a new one.

use crate::rule::detector;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// All older compatible versions are withdrawn.
    ///
    /// ## What it does
    /// Looks at the index: whether every version that a build could take instead of this one, and
    /// there are several, is yanked, and this one is not.
    ///
    /// ## Why is this bad?
    /// Whoever builds without a lockfile then gets this version. The hijacker of August 2026 withdrew
    /// five versions to this end. A maintainer does the same for a bug that concerns them all, which
    /// is why it is *medium*.
    ///
    /// ## Example
    /// `0.3.5` to `0.3.9` are yanked within minutes of `0.3.10`.
    ///
    /// ## How to fix it
    /// Say in an advisory why they were withdrawn.
    YankedAroundPublish "yanked-around-publish" Malice Medium Medium Stable
}

const SEVERAL: usize = 3;

impl YankedAroundPublish {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let Some(index) = subject.index else { return };
        let version = &subject.package.version;
        let series = |other: &semver::Version| match version.major {
            0 => (other.major, other.minor) == (0, version.minor),
            major => other.major == major,
        };
        let mut own_is_yanked = false;
        let (mut yanked, mut left) = (0, 0);
        for other in &index.versions {
            if other.version == *version {
                own_is_yanked = other.yanked;
            } else if other.version < *version
                && series(&other.version)
                && other.version.pre.is_empty()
            {
                if other.yanked { yanked += 1 } else { left += 1 }
            }
        }
        let newer = index
            .versions
            .iter()
            .any(|other| other.version > *version && series(&other.version));
        if own_is_yanked || newer || left > 0 || yanked < SEVERAL {
            return;
        }
        let message =
            format!("all {yanked} older versions that a build could take instead are yanked");
        findings.rated(
            &Self::RULE,
            Severity::Medium,
            Confidence::Medium,
            message,
            Vec::new(),
        );
    }
}

//! Versions that outbid a private crate.

use crate::rule::detector;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// A first version has a number that outbids every private one.
    ///
    /// ## What it does
    /// Looks for major versions from 99 on; more severe where the index shows no version below.
    ///
    /// ## Why is this bad?
    /// A build that asks a public registry as well takes the highest number. Crates with the names of
    /// internal ones and versions like `99.0.0` were published to be taken so.
    ///
    /// ## Example
    /// ```toml
    /// name = "acme-internal-metrics"
    /// version = "99.0.1"
    /// ```
    ///
    /// ## How to fix it
    /// Begin with `0.1.0`. Whoever uses private crates configures their registry for them alone.
    VersionConfusion "version-confusion" Name High Medium Stable
}

const OUTBIDS: u64 = 99;

impl VersionConfusion {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let version = &subject.package.version;
        if version.major < OUTBIDS {
            return;
        }
        let (severity, confidence) = match subject.index {
            Some(index)
                if index.versions.iter().any(|other| {
                    other.version.major + 2 >= version.major && other.version < *version
                }) =>
            {
                return;
            }
            Some(_) => (Severity::High, Confidence::Medium),
            None => (Severity::Medium, Confidence::Low),
        };
        let message = format!("the version {version} outbids every private crate of this name");
        findings.rated(&Self::RULE, severity, confidence, message, Vec::new());
    }
}

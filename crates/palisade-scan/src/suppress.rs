//! Findings that are known and accepted for a while.

use jiff::civil::Date;

use crate::{Report, risk};

/// A finding that is not to count, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The detector's id.
    pub detector: String,
    /// The crate's name; `None` for every crate.
    pub package: Option<String>,
    /// The file in the package; `None` for every file.
    pub file: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// Where it is written, for warnings: `palisade.toml:7`.
    pub place: String,
}

/// Marks what is suppressed `today` and rates the risk again. Returns warnings
/// about suppressions that have expired or that suppress nothing.
pub fn suppress(reports: &mut [Report], suppressions: &[Suppression], today: Date) -> Vec<String> {
    let mut warnings = Vec::new();
    for suppression in suppressions {
        let Suppression {
            detector,
            expires,
            place,
            ..
        } = suppression;
        let expired = *expires < today;
        let mut used = false;
        for report in reports.iter_mut() {
            if suppression
                .package
                .as_ref()
                .is_some_and(|name| *name != report.name)
            {
                continue;
            }
            for finding in &mut report.findings {
                let file = suppression.file.as_deref();
                if finding.detector != *detector
                    || file.is_some_and(|file| finding.file() != Some(file))
                {
                    continue;
                }
                used = true;
                if !expired {
                    finding
                        .suppressed
                        .get_or_insert_with(|| suppression.reason.clone());
                }
            }
            report.risk = risk(&report.findings);
        }
        if used && expired {
            warnings.push(format!(
                "{place}: the suppression of {detector} expired on {expires}; decide again or remove it"
            ));
        } else if !used {
            warnings.push(format!(
                "{place}: the suppression of {detector} matches no finding; remove it"
            ));
        }
    }
    warnings
}

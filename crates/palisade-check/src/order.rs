//! The order of findings and the figures about them.

use std::cmp::Reverse;

use palisade_model::{Context, Finding, Kind, Report, Verdict};

/// Sorts findings, most urgent first.
///
/// What is ignored comes last and informational kinds after vulnerabilities;
/// then the verdict decides, then how close the package is to the program.
/// Ids, packages and targets make the order total.
pub(crate) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let urgency = |finding: &Finding| {
            (
                finding.ignored.is_some(),
                finding.kind.is_informational(),
                Reverse(finding.verdict),
                finding.kind != Kind::Malicious,
                finding.context == Context::Build,
                Reverse(finding.level),
            )
        };
        let name = |finding: &Finding| {
            (
                finding.id.clone(),
                finding.package.clone(),
                finding.target.clone(),
            )
        };
        urgency(a)
            .cmp(&urgency(b))
            .then_with(|| name(a).cmp(&name(b)))
    });
}

/// Counts the findings into the report's summary.
pub(crate) fn count(report: &mut Report) {
    let summary = &mut report.summary;
    (summary.reached, summary.not_reached, summary.unknown) = (0, 0, 0);
    (summary.ignored, summary.informational) = (0, 0);
    for finding in &report.findings {
        let counter = match finding.verdict {
            _ if finding.ignored.is_some() => &mut summary.ignored,
            _ if finding.kind.is_informational() => &mut summary.informational,
            Verdict::Reached => &mut summary.reached,
            Verdict::NotReached => &mut summary.not_reached,
            Verdict::Unknown => &mut summary.unknown,
        };
        *counter += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;
    use palisade_model::Level;

    /// Guards the order that a reader meets, and that the figures agree.
    #[test]
    fn most_urgent_first() {
        let make = |id: &str, verdict, kind, level, context, ignored: Option<&str>| Finding {
            verdict,
            kind,
            level,
            context,
            ignored: ignored.map(str::to_owned),
            ..finding(id, "demo 1.0.0", "bin:app")
        };
        use Kind::{Malicious, Unmaintained, Vulnerability};
        use Verdict::{NotReached, Reached, Unknown};
        let expected = [
            make(
                "malicious",
                Reached,
                Malicious,
                Level::Reached,
                Context::Build,
                None,
            ),
            make(
                "run",
                Reached,
                Vulnerability,
                Level::Reached,
                Context::Run,
                None,
            ),
            make(
                "build",
                Reached,
                Vulnerability,
                Level::Reached,
                Context::Build,
                None,
            ),
            make(
                "unknown",
                Unknown,
                Vulnerability,
                Level::Imported,
                Context::Run,
                None,
            ),
            make(
                "imported",
                NotReached,
                Vulnerability,
                Level::Imported,
                Context::Run,
                None,
            ),
            make(
                "required",
                NotReached,
                Vulnerability,
                Level::Required,
                Context::Run,
                None,
            ),
            make(
                "unmaintained",
                Reached,
                Unmaintained,
                Level::Reached,
                Context::Run,
                None,
            ),
            make(
                "ignored",
                Reached,
                Vulnerability,
                Level::Reached,
                Context::Run,
                Some("reason"),
            ),
        ];
        let mut findings: Vec<_> = expected.iter().rev().cloned().collect();
        sort(&mut findings);
        assert_eq!(findings, expected);

        let mut report = Report {
            findings,
            ..Report::default()
        };
        count(&mut report);
        let summary = &report.summary;
        assert_eq!(
            (summary.reached, summary.not_reached, summary.unknown),
            (3, 2, 1)
        );
        assert_eq!((summary.informational, summary.ignored), (1, 1));
    }
}

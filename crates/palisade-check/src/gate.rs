//! Whether a report should fail a run.

use palisade_model::{Finding, Kind, Report, Verdict};

/// What fails a run beside vulnerabilities and malicious crates that are
/// reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FailOn {
    /// Findings that stay unknown.
    pub unknown: bool,
    /// Unmaintained crates whose code is reached.
    pub unmaintained: bool,
    /// Unsound functions that are reached.
    pub unsound: bool,
    /// Crates with any other notice whose code is reached.
    pub notice: bool,
}

impl FailOn {
    /// The names that [`FailOn::add`] knows, in the order to list them.
    pub const NAMES: &'static [&'static str] = &["unknown", "unmaintained", "unsound", "notice"];

    /// Adds one condition by its name; `false` when there is none of that name.
    #[must_use]
    pub fn add(&mut self, name: &str) -> bool {
        match name {
            "unknown" => self.unknown = true,
            "unmaintained" => self.unmaintained = true,
            "unsound" => self.unsound = true,
            "notice" => self.notice = true,
            _ => return false,
        }
        true
    }

    /// The conditions of either.
    #[must_use]
    pub fn or(self, other: FailOn) -> FailOn {
        FailOn {
            unknown: self.unknown || other.unknown,
            unmaintained: self.unmaintained || other.unmaintained,
            unsound: self.unsound || other.unsound,
            notice: self.notice || other.notice,
        }
    }

    /// Whether findings of this kind count at all.
    pub fn counts(self, kind: Kind) -> bool {
        match kind {
            Kind::Vulnerability | Kind::Malicious => true,
            Kind::Unsound => self.unsound,
            Kind::Unmaintained => self.unmaintained,
            Kind::Notice => self.notice,
        }
    }
}

/// What a report means for the run that asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// Nothing that counts is reached, and nothing that counts and was asked
    /// about stays unknown.
    Pass,
    /// Nothing that counts is reached, but something stays unknown and
    /// [`FailOn::unknown`] asks about it.
    Unknown,
    /// Something that counts is reached.
    Reached,
}

impl Gate {
    /// Judges a report. Ignored findings never count.
    pub fn of(report: &Report, fail_on: FailOn) -> Gate {
        report
            .findings
            .iter()
            .map(|finding| of_finding(finding, fail_on))
            .max()
            .unwrap_or(Gate::Pass)
    }
}

fn of_finding(finding: &Finding, fail_on: FailOn) -> Gate {
    if finding.ignored.is_some() || !fail_on.counts(finding.kind) {
        return Gate::Pass;
    }
    match finding.verdict {
        Verdict::Reached => Gate::Reached,
        Verdict::Unknown if fail_on.unknown => Gate::Unknown,
        Verdict::Unknown | Verdict::NotReached => Gate::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::finding;

    fn gate(verdict: Verdict, kind: Kind, fail_on: &[&str]) -> Gate {
        let mut conditions = FailOn::default();
        for name in fail_on {
            assert!(conditions.add(name), "{name}");
        }
        let finding = Finding {
            verdict,
            kind,
            ..finding("RUSTSEC-2099-0001", "demo 1.0.0", "bin:app")
        };
        Gate::of(
            &Report {
                findings: vec![finding],
                ..Report::default()
            },
            conditions,
        )
    }

    /// Guards the table of exit codes: which verdict of which kind fails.
    #[test]
    fn what_fails() {
        assert_eq!(
            gate(Verdict::Reached, Kind::Vulnerability, &[]),
            Gate::Reached
        );
        assert_eq!(gate(Verdict::Reached, Kind::Malicious, &[]), Gate::Reached);
        assert_eq!(
            gate(Verdict::NotReached, Kind::Vulnerability, &["unknown"]),
            Gate::Pass
        );
        assert_eq!(gate(Verdict::Unknown, Kind::Vulnerability, &[]), Gate::Pass);
        assert_eq!(
            gate(Verdict::Unknown, Kind::Vulnerability, &["unknown"]),
            Gate::Unknown
        );
        assert_eq!(gate(Verdict::Reached, Kind::Unmaintained, &[]), Gate::Pass);
        assert_eq!(
            gate(Verdict::Reached, Kind::Unmaintained, &["unsound"]),
            Gate::Pass
        );
        assert_eq!(
            gate(Verdict::Reached, Kind::Unmaintained, &["unmaintained"]),
            Gate::Reached
        );
        assert_eq!(
            gate(Verdict::Reached, Kind::Unsound, &["unsound"]),
            Gate::Reached
        );
        assert_eq!(
            gate(Verdict::Reached, Kind::Notice, &["notice"]),
            Gate::Reached
        );
        assert_eq!(
            gate(Verdict::Unknown, Kind::Notice, &["unknown"]),
            Gate::Pass
        );
        assert_eq!(
            gate(Verdict::Unknown, Kind::Notice, &["unknown", "notice"]),
            Gate::Unknown
        );
    }

    /// Guards that every name is known, and only those.
    #[test]
    fn names() {
        assert!(FailOn::NAMES.iter().all(|name| FailOn::default().add(name)));
        assert!(!FailOn::default().add("everything"));
    }

    /// Guards that what the configuration ignores never fails a run.
    #[test]
    fn ignored_findings_pass() {
        let mut finding = finding("RUSTSEC-2099-0001", "demo 1.0.0", "bin:app");
        finding.verdict = Verdict::Reached;
        finding.ignored = Some("behind a proxy".to_owned());
        let report = Report {
            findings: vec![finding],
            ..Report::default()
        };
        assert_eq!(Gate::of(&report, FailOn::default()), Gate::Pass);
    }
}

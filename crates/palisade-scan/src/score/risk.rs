//! How likely a package means harm.

use std::collections::BTreeMap;

use crate::{Category, Confidence, Finding, Severity};

/// The risk of malice, from 0 to 100.
///
/// Every finding of malice, of an imitated name, of provenance or of a bad
/// dependency is taken as independent evidence: each leaves a share of the
/// doubt, by its severity and confidence, and the risk is what is left of
/// certainty. Of one detector only the strongest finding counts, so that a
/// repetition is no evidence of its own. Leaked secrets, hygiene and
/// dependencies that are merely weak or neglected do not count, and neither
/// does what is suppressed.
pub fn risk(findings: &[Finding]) -> u8 {
    let mut strongest: BTreeMap<&str, u32> = BTreeMap::new();
    for finding in findings {
        let counts = matches!(
            finding.category,
            Category::Malice | Category::Name | Category::Provenance | Category::Dependency
        );
        let neglected = NEGLECTED.contains(&finding.detector.as_str());
        if !counts || neglected || finding.suppressed.is_some() {
            continue;
        }
        let weight = weight(finding.severity, finding.confidence);
        let known = strongest.entry(&finding.detector).or_default();
        *known = (*known).max(weight);
    }
    let doubt = strongest
        .values()
        .fold(10_000_u32, |doubt, weight| doubt * (100 - weight) / 100);
    u8::try_from((10_000 - doubt) / 100).unwrap_or(100)
}

/// Detectors of dependencies that nobody means harm with: a vulnerability is
/// no malice.
const NEGLECTED: [&str; 3] = [
    "vulnerable-dependency",
    "yanked-dependency",
    "unmaintained-dependency",
];

/// In percent, how much of the doubt a finding takes away.
fn weight(severity: Severity, confidence: Confidence) -> u32 {
    match (severity, confidence) {
        (Severity::Critical, Confidence::High) => 97,
        (Severity::Critical, _) => 90,
        (Severity::High, Confidence::High) => 85,
        (Severity::High, Confidence::Medium) => 65,
        (Severity::High, Confidence::Low) => 45,
        (Severity::Medium, Confidence::High) => 35,
        (Severity::Medium, Confidence::Medium) => 25,
        (Severity::Medium, Confidence::Low) => 15,
        (Severity::Low, Confidence::High) => 6,
        (Severity::Low, Confidence::Medium) => 4,
        (Severity::Low, Confidence::Low) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(detector: &str, category: Category, severity: Severity) -> Finding {
        Finding {
            detector: detector.to_owned(),
            category,
            severity,
            confidence: Confidence::Medium,
            message: String::new(),
            places: Vec::new(),
            reached: None,
            suppressed: None,
        }
    }

    /// Guards that evidence adds up, that repetition does not, and that a
    /// leaked secret is no malice.
    #[test]
    fn evidence_adds_up() {
        let one = finding("a", Category::Malice, Severity::Medium);
        let other = finding("b", Category::Name, Severity::High);
        let secret = finding("c", Category::Secret, Severity::Critical);
        assert_eq!(risk(&[]), 0);
        assert_eq!(risk(std::slice::from_ref(&one)), 25);
        assert_eq!(risk(&[one.clone(), one.clone()]), 25);
        assert_eq!(risk(&[one.clone(), other.clone()]), 73);
        assert_eq!(risk(&[secret]), 0);
        let weak = finding(
            "vulnerable-dependency",
            Category::Dependency,
            Severity::High,
        );
        assert_eq!(risk(&[weak]), 0);
        let suppressed = Finding {
            suppressed: Some("known".to_owned()),
            ..other
        };
        assert_eq!(risk(&[one, suppressed]), 25);
    }
}

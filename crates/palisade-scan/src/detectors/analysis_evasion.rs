//! Code that behaves where it is watched.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// Code looks for tools of analysis before it uses the network or other programs.
    ///
    /// ## What it does
    /// Looks for functions that, with what they call, ask for antivirus software, debuggers, virtual
    /// machines or continuous integration, and use the network or start programs.
    ///
    /// ## Why is this bad?
    /// Malware behaves while it is watched: the first malicious crate of all ran on one provider's
    /// build machines alone. Build tools ask for continuous integration too, which alone is no finding.
    ///
    /// ## Example
    /// ```rust
    /// if processes.iter().any(|name| name == "wireshark.exe") { return; }
    /// fetch_and_start();
    /// ```
    ///
    /// ## How to fix it
    /// Do the same everywhere.
    AnalysisEvasion "analysis-evasion" Malice High Medium Stable
}

impl AnalysisEvasion {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &Scope<'_>| {
            let acts = scope.any(&[Fact::Network, Fact::Process, Fact::LoadCode]);
            let gate = scope.has(Fact::CiGate)
                && scope.any(&[Fact::Network, Fact::NetworkCommand])
                && scope.any(&[Fact::Process, Fact::LoadCode, Fact::HiddenText]);
            scope.has(Fact::AntiAnalysis) && acts || gate
        };
        for scope in subject.facts().scopes(2, condition) {
            let tools = scope.details(Fact::AntiAnalysis);
            let watched = tools
                .iter()
                .any(|kind| *kind != "a virtual machine or sandbox");
            let severe = scope.any(&[Fact::Network, Fact::HiddenText, Fact::DynamicProcess]);
            let (severity, confidence) = match (watched, severe, tools.len()) {
                (true, true, _) | (_, true, 2..) => (Severity::High, Confidence::Medium),
                (true, false, _) => (Severity::Medium, Confidence::Medium),
                _ => (Severity::Low, Confidence::Low),
            };
            let places = scope.places(
                subject,
                &[
                    Fact::AntiAnalysis,
                    Fact::CiGate,
                    Fact::Network,
                    Fact::Process,
                ],
            );
            let tools: Vec<&str> = tools.into_iter().collect();
            let what = if tools.is_empty() {
                "continuous integration".to_owned()
            } else {
                tools.join(", ")
            };
            let message = format!("{} looks for {what} before it acts", scope.unit.as_str());
            findings
                .rated(&Self::RULE, severity, confidence, message, places)
                .reached_as(&scope);
        }
    }
}

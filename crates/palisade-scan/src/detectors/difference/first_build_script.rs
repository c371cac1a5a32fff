//! A build script where there was none.

use super::build_script;
use crate::facts::Fact;
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// A version has a build script, and the one before had none.
    ///
    /// ## What it does
    /// Compares with the version before. It is *medium* where the script starts programs or hides
    /// something, and *high* where it uses the network.
    ///
    /// ## Why is this bad?
    /// From now on, building is enough to run code of this package. Several malicious crates began with
    /// a harmless version.
    ///
    /// ## Example
    /// `1.0.1` has `build.rs`, and nothing else has changed.
    ///
    /// ## How to fix it
    /// Say in the changelog why it is needed.
    FirstBuildScript "first-build-script" Malice High Medium Stable
}

impl FirstBuildScript {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let Some(previous) = subject.previous else {
            return;
        };
        let Some(path) = build_script(subject.package) else {
            return;
        };
        if build_script(previous).is_some() {
            return;
        }
        let scope = subject.facts().in_unit(Unit::BuildScript);
        let (severity, confidence) =
            if scope.any(&[Fact::Network, Fact::NetworkCommand, Fact::HiddenText]) {
                (Severity::High, Confidence::High)
            } else if scope.has(Fact::Process) {
                (Severity::Medium, Confidence::Medium)
            } else {
                (Severity::Low, Confidence::Medium)
            };
        let mut places = vec![whole_file(&path, "the build script")];
        places.extend(scope.places(
            subject,
            &[
                Fact::Network,
                Fact::NetworkCommand,
                Fact::HiddenText,
                Fact::Process,
            ],
        ));
        let message = format!("there is a build script, and {} had none", previous.version);
        findings.rated(&Self::RULE, severity, confidence, message, places);
    }
}

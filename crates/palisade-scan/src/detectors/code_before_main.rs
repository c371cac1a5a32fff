//! Code that nobody calls.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// Code that runs before `main` uses the network, other programs or credentials.
    ///
    /// ## What it does
    /// Looks for functions that run when a program starts or a library is loaded (`#[ctor]`, the
    /// sections that linkers keep for this) and follows what they call.
    ///
    /// ## Why is this bad?
    /// Whoever links the crate runs it, without calling anything: a carrier of December 2025 started
    /// its payload this way. Registries and loggers initialise themselves like this, which is no finding.
    ///
    /// ## Example
    /// ```rust
    /// #[ctor::ctor]
    /// fn init() { payload::start(); }
    /// ```
    ///
    /// ## How to fix it
    /// Let the program call an initialiser.
    CodeBeforeMain "code-before-main" Malice High High Stable
}

const EFFECTS: [Fact; 10] = [
    Fact::Network,
    Fact::PipeToShell,
    Fact::NetworkCommand,
    Fact::Process,
    Fact::LoadCode,
    Fact::CredentialPath,
    Fact::HiddenText,
    Fact::Persistence,
    Fact::EnvironmentDump,
    Fact::EmbeddedProgram,
];

impl CodeBeforeMain {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &Scope<'_>| scope.any(&EFFECTS);
        for scope in subject.facts().constructors(condition) {
            let effects: Vec<Fact> = EFFECTS
                .into_iter()
                .filter(|&fact| scope.has(fact))
                .collect();
            let confidence = if effects.len() > 1 {
                Confidence::High
            } else {
                Confidence::Medium
            };
            let message = format!("what runs before `main` {}", effects[0].phrase());
            let severity = match effects[..] {
                [Fact::EnvironmentDump | Fact::CredentialPath] => Severity::Medium,
                // A program that replaces itself ends what is left of it.
                [Fact::Process] if subject.says(&["replace", "executable", "executables"]) => {
                    Severity::Medium
                }
                _ => Severity::High,
            };
            findings
                .rated(
                    &Self::RULE,
                    severity,
                    confidence,
                    message,
                    scope.places(subject, &effects),
                )
                .reached_as(&scope);
        }
    }
}

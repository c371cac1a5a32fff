//! A version that is much larger than the one before.

use crate::rule::detector;
use crate::subject::{Findings, Subject, whole_file};
use crate::{Confidence, Severity};

detector! {
    /// A patch release is several times as large as the version before.
    ///
    /// ## What it does
    /// Compares the sizes of all files. Releases that change the major or minor version are left out.
    ///
    /// ## Why is this bad?
    /// Something was added that a patch does not need: a program, a payload, a directory that should
    /// not have been shipped.
    ///
    /// ## Example
    /// `1.0.1` has four megabytes, `1.0.0` had forty kilobytes.
    ///
    /// ## How to fix it
    /// List what belongs into the package in `include`.
    SizeJump "size-jump" Malice Low Low Stable
}

const TIMES: u64 = 5;
const BYTES: u64 = 200 << 10;

impl SizeJump {
    pub(crate) fn detect(subject: &Subject<'_>, findings: &mut Findings) {
        let Some(previous) = subject.previous else {
            return;
        };
        let package = subject.package;
        let (now, before) = (package.tree.file_bytes(), previous.tree.file_bytes());
        let patch = (package.version.major, package.version.minor)
            == (previous.version.major, previous.version.minor);
        if !patch || now < before.saturating_mul(TIMES) || now - before < BYTES {
            return;
        }
        let new = package
            .tree
            .files()
            .filter(|(path, _)| !previous.tree.contains(path))
            .max_by_key(|(_, bytes)| bytes.len());
        let places =
            new.map(|(path, bytes)| whole_file(path, format!("{} bytes, new", bytes.len())));
        let message = format!(
            "its files have {now} bytes, and those of {} had {before}",
            previous.version
        );
        findings.rated(
            &Self::RULE,
            Severity::Low,
            Confidence::Low,
            message,
            places.into_iter().collect(),
        );
    }
}

//! Whole files of credentials.

use crate::subject::{Findings, whole_file};
use crate::{Category, Confidence, Lifecycle, Rule, Severity};

/// The rule for all of them.
pub(super) const RULE: Rule = Rule {
    id: "secret-credential-file",
    category: Category::Secret,
    severity: Severity::High,
    confidence: Confidence::Medium,
    lifecycle: Lifecycle::Stable,
    documentation: "A file that holds credentials or a repository's inside is part of the package.

## What it does
Looks for files that no package needs: `.env`, tokens of cargo, npm, PyPI and netrc, SSH keys, key stores, the inside of a `.git` directory.

## Why is this bad?
They are there by accident, and everything that is published is copied within minutes.

## Example
`.env` in the list of `cargo package --list`.

## How to fix it
Revoke what is in it, then publish a version without it. `include` in `Cargo.toml` lists what is shipped.
",
};

pub(super) fn look(path: &str, bytes: &[u8], findings: &mut Findings) {
    let lower = path.to_ascii_lowercase();
    let file = lower.rsplit('/').next().unwrap_or_default();
    let text = || std::str::from_utf8(bytes).unwrap_or_default();
    let holds = |word: &str| {
        text().lines().any(|line| {
            let line = line.trim();
            let value = line
                .split_once(['=', ':'])
                .map(|(_, value)| value.trim().trim_matches(['"', '\'']));
            line.to_ascii_lowercase().contains(word)
                && value
                    .is_some_and(|value| value.len() >= 8 && !super::checks::is_placeholder(value))
        })
    };
    let what = if lower.starts_with(".git/")
        && matches!(file, "config" | "head" | "index" | "credentials")
    {
        "the inside of a git repository"
    } else if file == "credentials.toml" && lower.contains(".cargo/") && holds("token") {
        "tokens of cargo"
    } else if file == ".npmrc" && (holds("_authtoken") || holds("_password")) {
        "tokens of npm"
    } else if file == ".pypirc" && holds("password") {
        "a password of PyPI"
    } else if matches!(file, ".netrc" | "_netrc") && text().contains("password ") {
        "passwords for machines"
    } else if matches!(file, ".env" | ".env.local" | ".env.production")
        && ["key", "token", "secret", "password"]
            .iter()
            .any(|word| holds(word))
    {
        "secret settings"
    } else if lower.ends_with(".aws/credentials") && holds("aws_secret_access_key") {
        "credentials of AWS"
    } else if file == ".git-credentials" && text().contains("://") {
        "passwords of git"
    } else {
        return;
    };
    let sample = super::class_of(path, &[], 0) == super::PathClass::Sample;
    let severity = if sample {
        Severity::Low
    } else {
        Severity::High
    };
    let message = format!("it ships a file with {what}");
    findings.rated(
        &RULE,
        severity,
        Confidence::Medium,
        message,
        vec![whole_file(path, what)],
    );
}

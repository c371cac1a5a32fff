//! `cargo xtask demo`: from a bare clone to three verdicts.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{process, setup};

/// The three verdicts that the bundled project must show.
const EXPECTED: [&str; 3] = ["reached", "not-reached", "unknown"];

/// Builds the binary, checks the bundled project, and verifies that every kind
/// of verdict came out.
///
/// # Errors
///
/// When something cannot be built or run, or a verdict is missing.
pub(crate) fn run() -> Result<()> {
    let root = process::workspace_root();
    let manifest = root.join("demo/project/Cargo.toml");
    let database = root.join("demo/advisory-db");

    setup::std_source()?;
    process::run(process::cargo().args(["build", "--release", "--package", "palisade"]))?;
    // Fetching only downloads; none of the project's code runs.
    process::run(process::cargo().args([
        "fetch",
        "--locked",
        "--manifest-path",
        manifest.as_str(),
    ]))?;

    let binary = palisade_binary();
    let check = |extra: &[&str]| {
        let mut command = process::command(&binary);
        command.args(["check", "--manifest-path", manifest.as_str()]);
        command.args(["--db", database.as_str()]).args(extra);
        command
    };

    let mut shown = check(&[]);
    println!("\n$ palisade check --manifest-path demo/project/Cargo.toml --db demo/advisory-db\n");
    let status = shown
        .status()
        .with_context(|| format!("cannot start `{}`", process::describe(&shown)))?;
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("`{}` failed ({status})", process::describe(&shown));
    }

    let json = process::output_if(&mut check(&["--format", "json"]), |code| {
        matches!(code, Some(0 | 1))
    })?;
    let verdicts = verdicts(&json)?;
    let missing: Vec<&str> = EXPECTED
        .into_iter()
        .filter(|expected| !verdicts.iter().any(|(_, verdict)| verdict == expected))
        .collect();
    if !missing.is_empty() {
        bail!(
            "the demo shows no verdict {}; it found {verdicts:?}",
            missing.join(", ")
        );
    }

    println!("\nWhat to look at:");
    for (id, verdict) in &verdicts {
        let meaning = match verdict.as_str() {
            "reached" => "follow its call path from `main` to the vulnerable function",
            "not-reached" => "in the lockfile and in the build, but nothing leads to it",
            _ => "its reason names what could not be followed, instead of guessing",
        };
        println!("  {id}: {verdict}: {meaning}");
    }
    println!("The project is demo/project, the advisories are in demo/advisory-db.");
    Ok(())
}

/// Where `cargo build --release` puts the binary.
pub(crate) fn palisade_binary() -> camino::Utf8PathBuf {
    process::target_dir().join("release/palisade")
}

/// Id and verdict of each finding.
fn verdicts(json: &str) -> Result<Vec<(String, String)>> {
    #[derive(Deserialize)]
    struct Report {
        findings: Vec<Finding>,
    }
    #[derive(Deserialize)]
    struct Finding {
        id: String,
        verdict: String,
    }
    let report: Report =
        serde_json::from_str(json).context("`palisade check --format json` printed no report")?;
    Ok(report
        .findings
        .into_iter()
        .map(|finding| (finding.id, finding.verdict))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that the demo reads the documented JSON, and refuses anything
    /// else.
    #[test]
    fn reads_verdicts_from_the_report() {
        let json = r#"{"schema":1,"findings":[
            {"id":"RUSTSEC-2024-0001","verdict":"reached","package":"a"}]}"#;
        let expected = ("RUSTSEC-2024-0001".to_owned(), "reached".to_owned());
        assert_eq!(verdicts(json).unwrap(), [expected]);
        assert!(verdicts("{}").is_err());
    }
}

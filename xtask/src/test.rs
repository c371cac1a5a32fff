//! `cargo xtask test`: everything that continuous integration checks.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{fuzz, process, setup};

/// What to run beyond the core.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also run what takes long: thorough property tests, fuzzing and an
    /// accuracy set
    #[arg(long)]
    full: bool,
}

/// Cases per property in the core run, and in the full one.
const PROPERTY_CASES: (&str, &str) = ("256", "20000");

/// Seconds per fuzz target in the full run.
const FUZZ_SECONDS: u32 = 60;

/// How one step went.
enum Outcome {
    Passed,
    Failed(String),
    Skipped(&'static str),
}

struct Step {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// Test counts, summed over all test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Runs every step even when an earlier one fails, then says how each went.
///
/// # Errors
///
/// When a step failed or no test ran.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = Vec::new();
    // Everything below reads the standard library's source.
    setup::run()?;

    step(&mut steps, "formatting", || {
        passed(process::run(
            process::cargo().args(["fmt", "--all", "--check"]),
        ))
    });
    step(&mut steps, "lints", || {
        passed(process::run(
            process::cargo()
                .args(["clippy", "--release", "--workspace", "--all-targets"])
                .args(["--locked", "--", "-D", "warnings"]),
        ))
    });
    step(&mut steps, "documentation", || {
        passed(process::run(
            process::cargo()
                .args(["doc", "--release", "--workspace", "--no-deps", "--locked"])
                .arg("--document-private-items")
                .env("RUSTDOCFLAGS", "-D warnings"),
        ))
    });
    step(&mut steps, "dependency policy", || policy(args.full));
    if args.full {
        step(&mut steps, "accuracy", || {
            passed(process::run(
                process::command(std::env::current_exe()?)
                    .args(["accuracy", "--target", "ripgrep", "--target", "bore-cli"]),
            ))
        });
        step(&mut steps, "fuzzing", || {
            passed(fuzz::run(&fuzz::Args {
                targets: Vec::new(),
                seconds: FUZZ_SECONDS,
            }))
        });
    }

    // Last, so that the results are the last thing on the screen.
    let mut counts = Counts::default();
    step(&mut steps, "tests", || {
        let cases = if args.full {
            PROPERTY_CASES.1
        } else {
            PROPERTY_CASES.0
        };
        passed(process::run_observed(
            process::cargo()
                .args([
                    "test",
                    "--release",
                    "--workspace",
                    "--locked",
                    "--no-fail-fast",
                ])
                .env("PROPTEST_CASES", cases)
                .envs(args.full.then_some(("PALISADE_FULL", "1"))),
            |line| counts.add(line),
        ))
    });
    if args.full {
        // The gateway's tests once more, over the other database.
        step(&mut steps, "gateway on PostgreSQL", || {
            passed(process::run_observed(
                process::cargo()
                    .args(["test", "--release", "--workspace", "--locked"])
                    .args(["--test", "gateway"])
                    .env("PALISADE_TEST_BACKEND", "postgres"),
                |line| counts.add(line),
            ))
        });
    }

    println!("\nSummary");
    for step in &steps {
        let (word, detail) = match &step.outcome {
            Outcome::Passed => ("ok", ""),
            Outcome::Skipped(why) => ("skipped", *why),
            Outcome::Failed(error) => ("FAILED", error.as_str()),
        };
        let seconds = step.took.as_secs();
        println!("  {:<18} {word:<8} {seconds:>5} s  {detail}", step.name);
    }
    println!(
        "{} passed, {} failed, {} skipped",
        counts.passed, counts.failed, counts.ignored
    );
    let failed: Vec<&str> = steps
        .iter()
        .filter(|step| matches!(step.outcome, Outcome::Failed(_)))
        .map(|step| step.name)
        .collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    if counts.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

/// `cargo deny`, when it is there; it takes minutes to compile, so only the
/// full run installs it.
fn policy(full: bool) -> Result<Outcome> {
    let installed = process::output(process::cargo().args(["deny", "--version"])).is_ok();
    if !installed {
        if !full {
            return Ok(Outcome::Skipped(
                "cargo-deny is not installed: `cargo install cargo-deny --locked`",
            ));
        }
        process::run(process::cargo().args(["install", "cargo-deny", "--locked"]))?;
    }
    // The advisories check fetches a database; it runs where the network is
    // known to be there.
    passed(process::run(process::cargo().args([
        "deny", "--locked", "check", "licenses", "bans", "sources",
    ])))
}

fn step(steps: &mut Vec<Step>, name: &'static str, run: impl FnOnce() -> Result<Outcome>) {
    eprintln!("\n== {name} ==");
    let start = Instant::now();
    let outcome = run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        Outcome::Failed(format!("{error}"))
    });
    steps.push(Step {
        name,
        outcome,
        took: start.elapsed(),
    });
}

fn passed(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Passed)
}

impl Counts {
    /// Adds one `test result: …` line; other lines count nothing.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        for part in result.split([';', '.']) {
            let Some((number, word)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the closing figures, which a run with no test must not pass.
    #[test]
    fn sums_result_lines() {
        let mut counts = Counts::default();
        counts.add("running 4 tests");
        counts.add(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s",
        );
        counts.add(
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s",
        );
        let expected = Counts {
            passed: 4,
            failed: 2,
            ignored: 1,
        };
        assert_eq!(counts, expected);
    }
}

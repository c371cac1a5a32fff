//! `cargo xtask bench`: Palisade beside a clean `cargo check`, in one run.
//!
//! Times of different runs or machines say little, so each round measures
//! both, one after the other, and the ratio is the median of the rounds'
//! ratios. What is measured is a check whose answer is *not reached* (it can
//! stop nowhere early) and the whole call graph.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::accuracy::targets::{self, Set, Target};
use crate::process::{self, Usage};
use crate::{demo, setup};

/// Threads for cargo and for Palisade.
const THREADS: &str = "2";
/// Longest run when no advisory matches.
const NOTHING_GOAL: Duration = Duration::from_millis(300);
/// Longest second run on an unchanged project.
const AGAIN_GOAL: Duration = Duration::from_secs(1);
/// A package that all targets contain, and a function of it that none of them
/// reaches: that of RUSTSEC-2026-0190.
const UNREACHED: (&str, &str) = ("anyhow", "anyhow::Error::downcast_mut");
/// Most memory on any target, in bytes.
const MEMORY_GOAL: u64 = 5 << 29;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Measure this application (may be repeated); ripgrep and all
    /// asynchronous ones when none is named
    #[arg(long, value_name = "NAME")]
    target: Vec<String>,
    /// Rounds per application
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// Use this binary instead of building one
    #[arg(long, value_name = "FILE")]
    palisade: Option<Utf8PathBuf>,
}

/// One round on one target.
struct Round {
    /// A clean `cargo check`.
    cargo: Duration,
    /// `palisade check` for an advisory whose function is not reached.
    check: Usage,
    /// The same again.
    again: Duration,
    /// `palisade check` when no advisory matches.
    nothing: Duration,
    /// `palisade callgraph`.
    graph: Usage,
}

/// Measures and prints the table.
///
/// # Errors
///
/// When something cannot be built or run, or a goal is missed.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.rounds == 0 {
        bail!("--rounds needs at least 1");
    }
    let selected: Vec<&Target> = if args.target.is_empty() {
        targets::TARGETS
            .iter()
            .filter(|target| target.set == Set::Async || target.name == "ripgrep")
            .collect()
    } else {
        targets::select(Set::All, &args.target, false)?
    };
    setup::std_source()?;
    let palisade = match &args.palisade {
        Some(binary) => binary
            .canonicalize_utf8()
            .with_context(|| format!("cannot find {binary}"))?,
        None => {
            process::run(process::cargo().args(["build", "--release", "--package", "palisade"]))?;
            demo::palisade_binary()
        }
    };

    let mut results = Vec::new();
    for target in selected {
        let source = target.source()?;
        // Downloads are no part of either side.
        process::output(
            process::cargo()
                .args(["fetch", "--locked"])
                .current_dir(&source),
        )?;
        let mut rounds = Vec::new();
        for number in 1..=args.rounds {
            eprintln!("{}: round {number} of {}", target.name, args.rounds);
            rounds.push(measure(&palisade, target, &source)?);
        }
        results.push((target, rounds));
    }
    report(&results)
}

fn measure(palisade: &Utf8Path, target: &Target, source: &Utf8Path) -> Result<Round> {
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let scratch = Utf8Path::from_path(scratch.path()).context("a path is not UTF-8")?;
    let manifest = source.join("Cargo.toml");

    let cargo = process::measure(
        process::cargo()
            .args([
                "check",
                "--quiet",
                "--locked",
                "--offline",
                "--jobs",
                THREADS,
            ])
            .args(["--bin", target.bin])
            .current_dir(source)
            .env("CARGO_TARGET_DIR", scratch.join("target"))
            .stderr(Stdio::null()),
    )?;

    let start = |arguments: &[&str]| {
        let mut command = process::command(palisade);
        command
            .args(arguments)
            .args(["--bin", target.bin, "--threads", THREADS])
            // A cache of its own, empty at first.
            .env("XDG_CACHE_HOME", scratch.join("cache"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let check = |database: &Utf8Path| {
        let database = database.as_str();
        start(&[
            "check",
            "--manifest-path",
            manifest.as_str(),
            "--db",
            database,
        ])
    };
    let unreached = scratch.join("advisory-db");
    write_advisory(&unreached)?;
    // Another exit code than "nothing reached" would be another question.
    let cold = process::measure(&mut check(&unreached))?;
    let again = process::measure(&mut check(&unreached))?;
    // No advisory of the demo's concerns these applications.
    let nothing = process::workspace_root().join("demo/advisory-db");
    let nothing = process::measure_if(&mut check(&nothing), |code| matches!(code, Some(0 | 1)))?;
    let graph = process::measure(&mut start(&[
        "callgraph",
        source.as_str(),
        "--format",
        "jsonl",
    ]))?;
    Ok(Round {
        cargo: cargo.took,
        check: cold,
        again: again.took,
        nothing: nothing.took,
        graph,
    })
}

/// A database whose only advisory names [`UNREACHED`].
fn write_advisory(directory: &Utf8Path) -> Result<()> {
    let (package, function) = UNREACHED;
    let package_dir = directory.join("crates").join(package);
    std::fs::create_dir_all(&package_dir)?;
    let advisory = format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-2000-0001\"\npackage = \"{package}\"\n\
         date = \"2000-01-01\"\n\n[versions]\npatched = []\n\n\
         [affected.functions]\n\"{function}\" = [\"*\"]\n```\n\n# Not a real one\n\nFor timing.\n"
    );
    std::fs::write(package_dir.join("RUSTSEC-2000-0001.md"), advisory)?;
    Ok(())
}

/// Prints medians, and fails when a goal is missed.
fn report(results: &[(&Target, Vec<Round>)]) -> Result<()> {
    println!("\nSpeed on {THREADS} threads, medians in seconds (goals in brackets)");
    println!(
        "{:<18} {:>11} {:>8} {:>12} {:>12} {:>12} {:>12} {:>10} {:>6} {:>6}",
        "target",
        "cargo check",
        "check",
        "ratio",
        "peak MiB",
        "second run",
        "no advisory",
        "callgraph",
        "ratio",
        "MiB"
    );
    let mut missed = Vec::new();
    for (target, rounds) in results {
        let ratio_goal = if target.set == Set::Async { 0.5 } else { 1.5 };
        let median_of =
            |read: &dyn Fn(&Round) -> f64| median(rounds.iter().map(read).collect::<Vec<f64>>());
        let seconds = |read: fn(&Round) -> Duration| median_of(&|round| read(round).as_secs_f64());
        let ratio = |read: fn(&Round) -> Duration| {
            median_of(&|round| read(round).as_secs_f64() / round.cargo.as_secs_f64())
        };
        let peak = |read: fn(&Round) -> &Usage| {
            rounds
                .iter()
                .filter_map(|round| read(round).peak_memory)
                .max()
        };
        let mebibytes =
            |bytes: Option<u64>| bytes.map_or_else(|| "?".to_owned(), |it| (it >> 20).to_string());
        let check_ratio = ratio(|round| round.check.took);
        let check_peak = peak(|round| &round.check);
        let again = seconds(|round| round.again);
        let nothing = seconds(|round| round.nothing);
        println!(
            "{:<18} {:>11.1} {:>8.1} {:>12} {:>12} {:>12} {:>12} {:>10.1} {:>6.2} {:>6}",
            target.name,
            seconds(|round| round.cargo),
            seconds(|round| round.check.took),
            format!("{check_ratio:.2} ({ratio_goal})"),
            format!("{} ({})", mebibytes(check_peak), MEMORY_GOAL >> 20),
            format!("{again:.2} ({})", AGAIN_GOAL.as_secs_f64()),
            format!("{nothing:.2} ({})", NOTHING_GOAL.as_secs_f64()),
            seconds(|round| round.graph.took),
            ratio(|round| round.graph.took),
            mebibytes(peak(|round| &round.graph)),
        );
        for (what, met) in [
            ("ratio", check_ratio <= ratio_goal),
            ("second run", again <= AGAIN_GOAL.as_secs_f64()),
            ("no advisory", nothing <= NOTHING_GOAL.as_secs_f64()),
            (
                "memory",
                check_peak.is_none_or(|bytes| bytes <= MEMORY_GOAL),
            ),
        ] {
            if !met {
                missed.push(format!("{} {what}", target.name));
            }
        }
    }
    if !missed.is_empty() {
        bail!("above the goal: {}", missed.join("; "));
    }
    Ok(())
}

/// The middle value; of an even number, the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the one piece of arithmetic that all figures go through.
    #[test]
    fn median_of_odd_and_even() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }
}

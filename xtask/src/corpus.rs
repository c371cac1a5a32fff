//! Makes fragments of what cargo has fetched, and measures it.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;
use serde_json::Value;

use crate::process;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// At most so many crate versions, spread evenly over cargo's cache
    #[arg(long, default_value_t = 600, value_name = "N")]
    sample: usize,
    /// Where to keep the fragments; what is there already is not measured
    /// [default: a directory that is removed afterwards]
    #[arg(long, value_name = "DIR")]
    dir: Option<Utf8PathBuf>,
    /// Worker processes
    #[arg(long, default_value_t = 2, value_name = "N")]
    workers: usize,
    /// Write the table to docs/corpus.md instead of the terminal
    #[arg(long)]
    write: bool,
}

/// Most reasons that the table lists.
const REASONS: usize = 30;

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--package", "palisade"]);
    process::run(&mut cargo)?;
    let scratch = tempfile::tempdir().context("cannot make a directory")?;
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => Utf8PathBuf::from_path_buf(scratch.path().join("fragments"))
            .map_err(|path| anyhow::anyhow!("`{}` is not UTF-8", path.display()))?,
    };
    let mut palisade = process::command(process::target_dir().join("release/palisade"));
    palisade
        .args([
            "ecosystem",
            "build",
            dir.as_str(),
            "--cargo-cache",
            "--format",
            "json",
        ])
        .args(["--sample", &args.sample.to_string()])
        .args(["--workers", &args.workers.to_string()])
        .stderr(std::process::Stdio::inherit());
    let output = palisade.output().context("cannot start palisade")?;
    if !output.status.success() {
        bail!("palisade ecosystem build ended with {}", output.status);
    }
    let found: Value = serde_json::from_slice(&output.stdout).context("the summary is not JSON")?;
    let table = table(&found, args);
    if args.write {
        let file = process::workspace_root().join("docs/corpus.md");
        std::fs::write(&file, table).with_context(|| format!("cannot write {file}"))?;
        println!("wrote {file}");
    } else {
        println!("{table}");
    }
    Ok(())
}

fn table(found: &Value, args: &Args) -> String {
    let number = |key: &str| found[key].as_f64().unwrap_or_default();
    let list = |key: &str| found[key].as_array().map_or(&[][..], Vec::as_slice);
    let (incomplete, failed) = (list("incomplete"), list("failed"));
    let made = number("made");
    let all = made + incomplete.len() as f64 + failed.len() as f64;
    let timing = |key: &str| found["timing"][key].as_f64().unwrap_or_default();
    let calls = number("calls");
    let sites = (calls + number("unresolved_calls")).max(1.0);
    let mut text = String::from(
        "# Fragments of a real corpus\n\
         Made by `cargo xtask corpus --write` over the crate versions in cargo's cache on one machine, spread evenly, and the standard library's crates.\n\
         Processor time and memory are those of the workers; a job's time is shared evenly among its crate versions.\n\n\
         | what | measured |\n|---|---|\n",
    );
    let rows = [
        ("crate versions", format!("{all:.0}")),
        (
            "made",
            format!("{made:.0} ({:.1} %)", 100.0 * made / all.max(1.0)),
        ),
        (
            "call sites that name a callee",
            format!("{:.2} % of {sites:.0}", 100.0 * calls / sites),
        ),
        ("lines of source", format!("{:.0}", number("lines"))),
        ("functions", format!("{:.0}", number("functions"))),
        (
            "panics of the analysis library",
            format!("{:.0}", number("panics")),
        ),
        (
            "processor seconds per crate version, median",
            format!("{:.2}", timing("cpu_seconds_median")),
        ),
        (
            "processor seconds per crate version, mean",
            format!("{:.2}", timing("cpu_seconds_mean")),
        ),
        (
            "memory of a worker at most",
            format!("{:.0} MB", timing("peak_memory") / 1_048_576.0),
        ),
        (
            "time on the clock",
            format!("{:.0} s with {} workers", timing("seconds"), args.workers),
        ),
        (
            "bytes per 1,000 lines, median",
            format!("{:.0}", number("median_bytes_per_1000_lines")),
        ),
        ("bytes of all fragments", format!("{:.0}", number("bytes"))),
    ];
    for (what, measured) in rows {
        // Writing into a string does not fail.
        let _ = writeln!(text, "| {what} | {measured} |");
    }
    for (title, reasons) in [("Incomplete", incomplete), ("Failed", failed)] {
        if reasons.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n## {title}\n| crate version | why |\n|---|---|");
        for reason in reasons.iter().take(REASONS) {
            let field = |key: &str| reason[key].as_str().unwrap_or_default();
            let why = field("reason").replace('|', "\\|");
            let _ = writeln!(
                text,
                "| {} {} | {why} |",
                field("package"),
                field("version")
            );
        }
        if reasons.len() > REASONS {
            let _ = writeln!(text, "| and {} more | |", reasons.len() - REASONS);
        }
    }
    text
}

//! `cargo xtask bench-graph`: the ecosystem's tables at the size of a whole
//! registry.
//!
//! A synthetic ecosystem is written through the product's own writer, and then
//! asked through the real command, as a user would: what is timed is a whole
//! process, from its start to its last line of output.

mod generate;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use palisade_tables::{BuildLimits, Tables, Writer};

use crate::process::{self, Usage};
use generate::{Generator, Size};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How large the ecosystem is, in hundredths of a whole registry (may be
    /// repeated)
    #[arg(long, value_name = "PERCENT", default_values_t = [1.0])]
    percent: Vec<f64>,
    /// Where to keep the tables; those that are there already are used again
    /// [default: a directory that is removed afterwards]
    #[arg(long, value_name = "DIR")]
    dir: Option<Utf8PathBuf>,
    /// A graph of real fragments, of which 1,000 are merged
    #[arg(long, value_name = "DIR")]
    fragments: Option<Utf8PathBuf>,
    /// Use this binary instead of building one
    #[arg(long, value_name = "FILE")]
    palisade: Option<Utf8PathBuf>,
    /// Write nothing but the tables
    #[arg(long)]
    only_generate: bool,
}

/// The bars of the measurements.
const BYTES_PER_CALL: f64 = 12.0;
const DIRECT: Duration = Duration::from_millis(10);
const TRANSITIVE: Duration = Duration::from_secs(10);
const MEMORY: u64 = 4 << 30;
const MERGE: Duration = Duration::from_secs(60);
/// Fragments that are merged.
const MERGED: usize = 1_000;
/// Runs of the direct question, of which the median counts.
const RUNS: usize = 21;

/// What was measured at one size.
struct Row {
    percent: f64,
    crates: u32,
    functions: u32,
    calls: u64,
    segments: usize,
    /// Bytes forwards, backwards, and of everything.
    bytes: (u64, u64, u64),
    wrote: Option<Duration>,
    direct: Duration,
    direct_memory: Option<u64>,
    transitive: Usage,
    callers: u64,
    merge: Option<(usize, Usage)>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let palisade = match &args.palisade {
        Some(binary) => binary
            .canonicalize_utf8()
            .with_context(|| format!("cannot find {binary}"))?,
        None if args.only_generate => Utf8PathBuf::new(),
        None => {
            process::run(process::cargo().args(["build", "--release", "--package", "palisade"]))?;
            process::target_dir().join("release/palisade")
        }
    };
    let scratch = tempfile::tempdir().context("cannot make a directory")?;
    let scratch = Utf8Path::from_path(scratch.path()).context("a path is not UTF-8")?;
    let mut rows = Vec::new();
    for &percent in &args.percent {
        let below = args.dir.as_deref().unwrap_or(scratch);
        let dir = below.join(format!("registry-{percent}"));
        let wrote = generate(&dir, percent)?;
        if args.only_generate {
            continue;
        }
        rows.push(measure(&palisade, &dir, percent, wrote, args)?);
    }
    let (table, missed) = table(&rows);
    println!("{table}");
    match missed.is_empty() {
        true => Ok(()),
        false => bail!("missed: {}", missed.join("; ")),
    }
}

/// Writes the tables, if they are not there.
fn generate(dir: &Utf8Path, percent: f64) -> Result<Option<Duration>> {
    let size = Size::FULL.percent(percent);
    let tables = dir.join("tables");
    if !Tables::open(&tables)?.is_empty() {
        return Ok(None);
    }
    let started = Instant::now();
    let mut done = 0_u32;
    let mut said = Instant::now();
    let mut batches = Generator::new(size).inspect(|_| {
        done += 1;
        if said.elapsed() > Duration::from_secs(20) {
            said = Instant::now();
            let rate = f64::from(done) / started.elapsed().as_secs_f64();
            let left = f64::from(size.crates.saturating_sub(done)) / rate;
            eprintln!("{done} of {} crates, about {left:.0} s left", size.crates);
        }
    });
    let mut writer = Writer::open(&tables, BuildLimits::default(), || {})?;
    writer.append(&mut batches)?;
    eprintln!(
        "wrote {percent} % in {:.0} s",
        started.elapsed().as_secs_f64()
    );
    Ok(Some(started.elapsed()))
}

fn measure(
    palisade: &Utf8Path,
    dir: &Utf8Path,
    percent: f64,
    wrote: Option<Duration>,
    args: &Args,
) -> Result<Row> {
    let ask = |function: &str, more: &[&str]| {
        let mut command = process::command(palisade);
        command
            .args(["ecosystem", "callers", function, "--graph", dir.as_str()])
            .args(["--format", "json"])
            .args(more);
        command
    };
    // A function of a library that many depend on, with callers in the
    // hundreds: what a person asks about.
    let common = format!("{}::{}", generate::library(40), generate::function(9));
    // One of the most called functions of the standard library.
    let hot = format!("{}::{}", generate::library(1), generate::function(3));
    let mut direct = Vec::new();
    let mut direct_memory = None;
    for _ in 0..RUNS {
        let usage = process::measure(ask(&common, &[]).stdout(Stdio::null()))?;
        direct.push(usage.took);
        direct_memory = usage.peak_memory;
    }
    direct.sort_unstable();
    let answer = process::output(&mut ask(&hot, &["--transitive", "--limit", "10"]))?;
    let answer: serde_json::Value = serde_json::from_str(&answer).context("it is not JSON")?;
    let callers = answer["total"].as_u64().unwrap_or_default();
    let transitive =
        process::measure(ask(&hot, &["--transitive", "--limit", "10"]).stdout(Stdio::null()))?;
    let tables = Tables::open(&dir.join("tables"))?;
    let counts = tables.counts();
    let (forward, backward) = tables.adjacency();
    let (size, segments) = (tables.size(), tables.segments());
    drop(tables);
    let merge = match &args.fragments {
        None => None,
        Some(fragments) => Some(merge(palisade, dir, fragments)?),
    };
    Ok(Row {
        percent,
        crates: counts.crates,
        functions: counts.nodes,
        calls: counts.calls,
        segments,
        bytes: (forward, backward, size),
        wrote,
        direct: direct[direct.len() / 2],
        direct_memory,
        transitive,
        callers,
        merge,
    })
}

/// Copies real fragments beside the tables, each as often as it takes, and
/// merges them by the real command.
fn merge(palisade: &Utf8Path, dir: &Utf8Path, from: &Utf8Path) -> Result<(usize, Usage)> {
    let mut files = BTreeSet::new();
    for entry in walkdir::WalkDir::new(from.join("fragments")) {
        let entry = entry.context("cannot list the fragments")?;
        if entry.path().extension().is_some_and(|it| it == "palf") {
            files.insert(entry.into_path());
        }
    }
    if files.is_empty() {
        bail!("there are no fragments in {from}");
    }
    let to = dir.join("fragments/bench");
    let _ = std::fs::remove_dir_all(&to);
    std::fs::create_dir_all(&to).with_context(|| format!("cannot make {to}"))?;
    for (number, file) in files.iter().cycle().take(MERGED).enumerate() {
        let copy = to.join(format!("{number}.palf"));
        std::fs::copy(file, &copy).with_context(|| format!("cannot write {copy}"))?;
    }
    let usage = process::measure(
        process::command(palisade)
            .args(["ecosystem", "update", dir.as_str(), "--only-fragments"])
            .stdout(Stdio::null()),
    )?;
    Ok((MERGED, usage))
}

fn table(rows: &[Row]) -> (String, Vec<String>) {
    let mut text = String::from("| what | bar |");
    let mut missed = Vec::new();
    for row in rows {
        let _ = write!(text, " {} % |", row.percent);
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(rows.len()));
    let mut line = |what: &str, bar: &str, cell: &dyn Fn(&Row) -> String| {
        let _ = write!(text, "\n| {what} | {bar} |");
        for row in rows {
            let _ = write!(text, " {} |", cell(row));
        }
    };
    let memory = |bytes: Option<u64>| {
        bytes.map_or("not measured".to_owned(), |it| format!("{} MB", it >> 20))
    };
    let millions = |count: f64| format!("{:.2} million", count / 1e6);
    line("crate versions", "", &|row| row.crates.to_string());
    line("functions", "", &|row| millions(row.functions.into()));
    line("calls", "", &|row| millions(row.calls as f64));
    line("segments", "", &|row| row.segments.to_string());
    line("bytes per call, forwards and backwards", "12", &|row| {
        let (forward, backward) = (row.bytes.0 as f64, row.bytes.1 as f64);
        let calls = row.calls as f64;
        format!(
            "{:.2} ({:.2} + {:.2})",
            (forward + backward) / calls,
            forward / calls,
            backward / calls
        )
    });
    line("all files", "", &|row| format!("{} MB", row.bytes.2 >> 20));
    line("writing everything", "", &|row| {
        row.wrote.map_or("not measured".to_owned(), |it| {
            format!("{:.0} s", it.as_secs_f64())
        })
    });
    line("direct callers, warm, median", "10 ms", &|row| {
        format!("{:.1} ms", row.direct.as_secs_f64() * 1e3)
    });
    line("direct callers, memory", "4096 MB", &|row| {
        memory(row.direct_memory)
    });
    line(
        "callers of a hot function at any distance",
        "10 s",
        &|row| format!("{:.2} s", row.transitive.took.as_secs_f64()),
    );
    line("so many of them", "", &|row| millions(row.callers as f64));
    line("the same, memory", "4096 MB", &|row| {
        memory(row.transitive.peak_memory)
    });
    line("merging 1,000 fragments", "60 s", &|row| match &row.merge {
        None => "not measured".to_owned(),
        Some((_, usage)) => format!(
            "{:.1} s, {}",
            usage.took.as_secs_f64(),
            memory(usage.peak_memory)
        ),
    });
    for row in rows {
        let percent = row.percent;
        let per_call = (row.bytes.0 + row.bytes.1) as f64 / row.calls.max(1) as f64;
        let over = [
            (per_call > BYTES_PER_CALL, "bytes per call"),
            (row.direct > DIRECT, "direct callers"),
            (row.transitive.took > TRANSITIVE, "callers at any distance"),
            (
                row.transitive.peak_memory.is_some_and(|it| it > MEMORY),
                "memory",
            ),
            (
                row.merge
                    .as_ref()
                    .is_some_and(|(_, usage)| usage.took > MERGE),
                "merging",
            ),
        ];
        for (_, what) in over.iter().filter(|(over, _)| *over) {
            missed.push(format!("{what} at {percent} %"));
        }
    }
    (text, missed)
}

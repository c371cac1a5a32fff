//! `cargo xtask evaluate-scan`: what `palisade scan` says about crates that
//! are honest and about look-alikes of those that were not, and how fast.
//!
//! The honest ones are whatever cargo has fetched on this machine: popular
//! crates in many versions, which makes false positives rarer than on new
//! ones. The look-alikes were written beside the detectors, so that their
//! recall is an upper bound. Speed is measured beside a plain reading of the
//! same archives in the same run.

#[path = "../../crates/palisade-scan/tests/scan/fixture.rs"]
mod fixture;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::demo::palisade_binary;
use crate::process::{self, workspace_root};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// cargo's home, whose archives are scanned [default: that of this user]
    #[arg(long, value_name = "DIR")]
    cargo_home: Option<Utf8PathBuf>,
    /// Use this binary instead of building one
    #[arg(long, value_name = "FILE")]
    palisade: Option<Utf8PathBuf>,
    /// How many archives to time
    #[arg(long, value_name = "N", default_value_t = 600)]
    timed: usize,
    /// Rounds of timing
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
}

#[derive(Deserialize)]
struct Scan {
    targets: Vec<Target>,
    failed: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    version: String,
    risk: u8,
    followed_calls: bool,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    detector: String,
    category: String,
    severity: String,
    confidence: String,
    file: Option<String>,
    message: String,
}

impl Finding {
    fn is_high(&self) -> bool {
        matches!(self.severity.as_str(), "high" | "critical")
    }
}

/// Measures and prints the tables of `docs/evaluation.md`.
///
/// # Errors
///
/// Something cannot be built or run.
pub(crate) fn run(args: &Args) -> Result<()> {
    let binary = match &args.palisade {
        Some(binary) => binary.clone(),
        None => {
            process::run(process::cargo().args(["build", "--release", "--package", "palisade"]))?;
            palisade_binary()
        }
    };
    let home = match &args.cargo_home {
        Some(home) => home.clone(),
        None => {
            let home = std::env::home_dir().context("there is no home directory")?;
            let home = Utf8PathBuf::from_path_buf(home.join(".cargo"));
            home.map_err(|home| anyhow::anyhow!("{} is not UTF-8", home.display()))?
        }
    };
    let archives = archives(&home)?;
    honest(&binary, &home)?;
    println!("\n## Look-alikes of malicious crates\n");
    println!("Written beside the detectors:\n");
    look_alikes(&binary, "crates/palisade-scan/tests/malice")?;
    println!("\nWritten from reports alone, unseen by the detectors' authors:\n");
    look_alikes(&binary, "crates/palisade-scan/tests/malice-held-out")?;
    speed(&binary, &archives, args)
}

/// Every `.crate` file that cargo has fetched, in order.
fn archives(home: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    let root = home.join("registry/cache");
    for registry in root
        .read_dir_utf8()
        .with_context(|| format!("cannot list {root}"))?
    {
        for entry in registry?.path().read_dir_utf8()? {
            let path = entry?.into_path();
            if path.extension() == Some("crate") {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.is_empty() {
        bail!("{root} holds no crates; run `cargo fetch` somewhere");
    }
    Ok(found)
}

fn scan(binary: &Utf8Path, home: &Utf8Path, arguments: &[&str]) -> Result<Scan> {
    let mut command = process::command(binary);
    command
        .env("CARGO_HOME", home)
        .args(["scan", "--format", "json"])
        .args(arguments);
    let text = process::output_if(&mut command, |code| matches!(code, Some(0 | 1 | 4)))?;
    serde_json::from_str(&text).context("the scan's JSON is not as documented")
}

/// What is found in honest crates.
fn honest(binary: &Utf8Path, home: &Utf8Path) -> Result<()> {
    let scan = scan(binary, home, &["--all-fetched"])?;
    let all = scan.targets.len();
    let names: BTreeSet<&str> = scan
        .targets
        .iter()
        .map(|target| target.name.as_str())
        .collect();
    println!("\n## Honest crates\n");
    println!(
        "{all} versions of {} crates; {} could not be read.\n",
        names.len(),
        scan.failed.len()
    );
    let followed = scan.targets.iter().filter(|target| target.followed_calls);
    let followed = followed.count();
    println!(
        "Calls were followed in {followed} versions ({:.1} %).\n",
        percent(followed, all)
    );
    let mut table: BTreeMap<(&str, &str), [usize; 4]> = BTreeMap::new();
    for target in &scan.targets {
        let mut worst: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for finding in &target.findings {
            let severity = ["low", "medium", "high", "critical"]
                .iter()
                .position(|severity| *severity == finding.severity)
                .unwrap_or(0);
            let known = worst
                .entry((&finding.category, &finding.detector))
                .or_default();
            *known = (*known).max(severity);
        }
        for (detector, severity) in worst {
            table.entry(detector).or_default()[severity] += 1;
        }
    }
    println!("| detector | category | critical | high | medium | low |\n|---|---|---|---|---|---|");
    for ((category, detector), [low, medium, high, critical]) in &table {
        println!("| `{detector}` | {category} | {critical} | {high} | {medium} | {low} |");
    }
    println!(
        "\nVersions by their worst finding of each detector; detectors without any are left out.\n"
    );
    let is_malice =
        |finding: &&Finding| finding.category != "secret" && finding.category != "hygiene";
    let accused: Vec<&Target> = scan
        .targets
        .iter()
        .filter(|target| {
            target
                .findings
                .iter()
                .filter(is_malice)
                .any(Finding::is_high)
        })
        .collect();
    println!(
        "High findings that are no secrets are on {} versions.\n",
        accused.len()
    );
    for target in accused {
        for finding in target
            .findings
            .iter()
            .filter(is_malice)
            .filter(|finding| finding.is_high())
        {
            println!(
                "- {} {}, risk {}: `{}`, {} confidence: {} ({})",
                target.name,
                target.version,
                target.risk,
                finding.detector,
                finding.confidence,
                finding.message,
                finding.file.as_deref().unwrap_or("the package")
            );
        }
    }
    let live: Vec<&Target> = scan
        .targets
        .iter()
        .filter(|target| {
            target
                .findings
                .iter()
                .any(|finding| finding.category == "secret" && finding.is_high())
        })
        .collect();
    let live_names: BTreeSet<&str> = live.iter().map(|target| target.name.as_str()).collect();
    println!(
        "\nSecrets that look live are on {} versions ({:.2} %) of {} crates.",
        live.len(),
        percent(live.len(), all),
        live_names.len()
    );
    for name in live_names {
        println!("- {name}");
    }
    Ok(())
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// What is found in look-alikes of malicious crates.
fn look_alikes(binary: &Utf8Path, directory: &str) -> Result<()> {
    let directory = workspace_root().join(directory);
    let mut files: Vec<Utf8PathBuf> = Vec::new();
    for entry in directory.read_dir_utf8()? {
        files.push(entry?.into_path());
    }
    files.sort();
    let mut clusters: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut missed = Vec::new();
    for file in files {
        let markdown =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        for fixture in fixture::read(&markdown) {
            let home = tempfile::tempdir()?;
            let dump = fixture.write(home.path());
            let path =
                Utf8Path::from_path(home.path()).context("a temporary directory is not UTF-8")?;
            let target = format!("{}@{}", fixture.name(), fixture.version());
            let mut arguments = vec![target.as_str()];
            let dump = dump.map(|dump| dump.to_string_lossy().into_owned());
            if let Some(dump) = &dump {
                arguments.extend(["--dump", dump]);
            }
            let scan = scan(binary, path, &arguments)?;
            let findings: Vec<&Finding> = scan
                .targets
                .iter()
                .flat_map(|target| &target.findings)
                .collect();
            let high = findings.iter().any(|finding| {
                let enough = finding.is_high()
                    || (fixture.is_name_or_dependency() && finding.severity == "medium");
                enough && !["secret", "hygiene"].contains(&finding.category.as_str())
            });
            let expected = !fixture.finds.is_empty()
                && fixture.finds.iter().all(|(detector, severity)| {
                    findings.iter().any(|finding| {
                        finding.detector == *detector && finding.severity == *severity
                    })
                });
            let (found, all) = clusters.entry(fixture.mechanism().to_owned()).or_default();
            *all += 1;
            if high || expected {
                *found += 1;
            } else {
                missed.push(fixture.title.clone());
            }
        }
    }
    println!("| mechanism | found | of |\n|---|---|---|");
    for (mechanism, (found, all)) in &clusters {
        println!("| {mechanism} | {found} | {all} |");
    }
    let found: usize = clusters.values().map(|(found, _)| found).sum();
    let all: usize = clusters.values().map(|(_, all)| all).sum();
    println!("| **all** | **{found}** | **{all}** |");
    if !missed.is_empty() {
        println!("\nMissed: {}", missed.join("; "));
    }
    Ok(())
}

/// One thread, beside a plain reading of the same archives.
fn speed(binary: &Utf8Path, archives: &[Utf8PathBuf], args: &Args) -> Result<()> {
    // Evenly over the alphabet, which is no order of size.
    let step = (archives.len() / args.timed.max(1)).max(1);
    let chosen: Vec<&Utf8PathBuf> = archives.iter().step_by(step).take(args.timed).collect();
    let mut rounds = Vec::new();
    let (mut packed, mut unpacked) = (0, 0);
    for _ in 0..args.rounds.max(1) {
        let start = Instant::now();
        (packed, unpacked) = (0, 0);
        for path in &chosen {
            let bytes = std::fs::read(path).with_context(|| format!("cannot read {path}"))?;
            packed += bytes.len();
            unpacked += read_plainly(&bytes);
        }
        let plain = start.elapsed();
        let mut command = process::command(binary);
        command
            .args(["scan", "--format", "json", "--threads", "1"])
            .args(&chosen);
        command.stdout(Stdio::null());
        let usage = process::measure_if(&mut command, |code| matches!(code, Some(0 | 1 | 4)))?;
        rounds.push((usage.took, plain, usage.peak_memory));
    }
    rounds.sort_by_key(|(took, ..)| *took);
    let (took, plain, _) = rounds[rounds.len() / 2];
    let memory = rounds.iter().filter_map(|(_, _, memory)| *memory).max();
    let rate = |time: Duration| chosen.len() as f64 / time.as_secs_f64();
    println!("\n## Speed\n");
    println!(
        "{} archives, {:.0} MB packed, {:.0} MB unpacked, one thread, median of {} rounds.\n",
        chosen.len(),
        packed as f64 / 1e6,
        unpacked as f64 / 1e6,
        rounds.len()
    );
    println!("| | time | crates per second | MB per second, unpacked |\n|---|---|---|---|");
    for (what, time) in [("gunzip and tar alone", plain), ("`palisade scan`", took)] {
        println!(
            "| {what} | {:.1} s | {:.0} | {:.0} |",
            time.as_secs_f64(),
            rate(time),
            unpacked as f64 / 1e6 / time.as_secs_f64()
        );
    }
    println!("\nRatio {:.1}", took.as_secs_f64() / plain.as_secs_f64());
    if let Some(memory) = memory {
        println!("Peak memory {:.0} MB", memory as f64 / 1e6);
    }
    Ok(())
}

/// How many bytes come out of an archive; damaged ones come out in part.
fn read_plainly(bytes: &[u8]) -> usize {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let mut all = 0;
    let mut buffer = Vec::new();
    for entry in archive.entries().into_iter().flatten() {
        let Ok(mut entry) = entry else { break };
        buffer.clear();
        match entry.read_to_end(&mut buffer) {
            Ok(read) => all += read,
            Err(_) => break,
        }
    }
    all
}

//! `cargo xtask bench-gateway`: the gateway beside nginx, which serves the same
//! index files, under the same generator.
//!
//! Everything is on this machine's loopback interface and shares its cores, so
//! that only ratios within one run mean something.

mod open_loop;
mod place;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use camino::Utf8PathBuf;

use crate::process;
use place::{Gateway, Nginx, Place};

/// How long to measure, and how many files there are.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Rounds, of which the median counts
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Index files
    #[arg(long, default_value_t = 300)]
    crates: usize,
    /// Measure this binary, instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<Utf8PathBuf>,
}

/// Connections of the generator.
const CONNECTIONS: u32 = 32;

/// What is promised.
const RATIO: f64 = 0.5;
const P99: Duration = Duration::from_millis(10);
const MEMORY: u64 = 150 << 20;
const SOON: Duration = Duration::from_secs(1);

/// Measures, prints a table, and fails when a promise is not kept.
///
/// # Errors
/// A program is missing or fails, or a promise is not kept.
pub(crate) fn run(args: &Args) -> Result<()> {
    for (program, package) in [("nginx", "nginx-light"), ("wrk", "wrk")] {
        let mut found = process::command(program);
        let found = found.arg("-v").output();
        ensure!(
            found.is_ok(),
            "`{program}` is missing; install Debian's package `{package}`"
        );
    }
    let binary = match &args.binary {
        Some(binary) => binary.clone(),
        None => {
            process::run(
                process::cargo()
                    .args(["build", "--release", "--workspace", "--locked"])
                    .args(["--bin", "palisade"]),
            )?;
            process::target_dir().join("release/palisade")
        }
    };
    let place = Place::make(args.crates)?;
    let nginx = Nginx::start(&place)?;
    let gateway = Gateway::start(binary, &place, &nginx)?;
    place.warm(&gateway)?;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=args.rounds {
        // In turn, so that what else happens on the machine meets both.
        let nginx = saturate(&place, &nginx.address(), args.seconds)?;
        let gateway = saturate(&place, &gateway.address, args.seconds)?;
        println!("round {round}: nginx {nginx:.0}/s, gateway {gateway:.0}/s");
        theirs.push(nginx);
        ours.push(gateway);
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    let ratio = ours / theirs;

    let rate = ours / 2.0;
    let latencies = open_loop::run(
        &gateway.address,
        &place.paths,
        rate,
        Duration::from_secs(u64::from(args.seconds)),
    )?;
    let memory = gateway.peak_memory()?;
    let revocation = gateway.revocation(&place)?;
    let hold = gateway.hold(&place)?;

    let kept = |kept: bool| if kept { "yes" } else { "NO" };
    let rows = [
        (
            "index requests at saturation, of nginx's",
            format!("{ratio:.2}x"),
            format!(">= {RATIO}x"),
            ratio >= RATIO,
        ),
        (
            "99th percentile at half of that, open loop",
            format!("{:.1} ms", millis(latencies.p99)),
            format!("<= {:.0} ms", millis(P99)),
            latencies.p99 <= P99,
        ),
        (
            "peak memory",
            format!("{} MiB", memory >> 20),
            format!("<= {} MiB", MEMORY >> 20),
            memory <= MEMORY,
        ),
        (
            "a revoked token is refused after",
            format!("{:.0} ms", millis(revocation)),
            format!("<= {:.0} ms", millis(SOON)),
            revocation <= SOON,
        ),
        (
            "a rejected version is refused after",
            format!("{:.0} ms", millis(hold)),
            format!("<= {:.0} ms", millis(SOON)),
            hold <= SOON,
        ),
    ];
    println!("\n| what | measured | promised | kept |\n|---|---|---|---|");
    for (what, measured, promised, is_kept) in &rows {
        println!("| {what} | {measured} | {promised} | {} |", kept(*is_kept));
    }
    println!(
        "\n{} index files, {CONNECTIONS} connections, nginx {theirs:.0}/s, gateway {ours:.0}/s; \
         open loop at {:.0}/s: median {:.2} ms, {} requests, {} failed",
        place.paths.len(),
        latencies.rate,
        millis(latencies.median),
        latencies.count,
        latencies.failed,
    );
    if rows.iter().any(|row| !row.3) || latencies.failed != 0 {
        bail!("a promise is not kept");
    }
    Ok(())
}

/// Requests per second with every connection busy all the time.
fn saturate(place: &Place, address: &str, seconds: u32) -> Result<f64> {
    let mut command = process::command("wrk");
    command
        .args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
        .arg(format!("--duration={seconds}s"))
        .arg("--script")
        .arg(&place.script)
        .arg(format!("http://{address}"));
    let said = process::output(&mut command)?;
    // wrk counts them only when there are some.
    if let Some(line) = said.lines().find(|line| line.contains("Non-2xx")) {
        bail!("not every answer was good: {}", line.trim());
    }
    let line = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("Requests/sec:"))
        .context("wrk says no rate")?;
    Ok(line.trim().parse()?)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Waits for something that a command has brought about; how long that took.
fn until(what: &str, done: impl Fn() -> Result<bool>) -> Result<Duration> {
    let begin = Instant::now();
    while !done()? {
        ensure!(begin.elapsed() < 20 * SOON, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(begin.elapsed())
}

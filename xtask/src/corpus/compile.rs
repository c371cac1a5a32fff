//! What cargo itself makes of a part of the corpus.
//!
//! This **builds** the crates: it runs their build scripts and macros, as
//! anybody who uses them does.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use camino::Utf8Path;

use super::closure::Corpus;
use crate::process;

/// After this long a crate version counts as one that does not build.
const PATIENCE: Duration = Duration::from_secs(300);

/// Checks `most` versions with cargo, each in a package of its own that
/// depends on nothing else, from an empty build directory.
///
/// # Errors
/// A file cannot be written, or cargo not be started.
pub(super) fn measure(corpus: &Corpus, most: usize, scratch: &Utf8Path) -> Result<String> {
    let step = corpus.versions.len().div_ceil(most).max(1);
    let (mut built, mut count) = (0, 0);
    let mut times = Vec::new();
    let mut failures = String::new();
    for (name, version) in corpus.versions.iter().step_by(step) {
        let dir = scratch.join(format!("compile-{count}"));
        std::fs::create_dir_all(dir.join("src"))?;
        std::fs::create_dir_all(dir.join(".cargo"))?;
        std::fs::write(dir.join("src/lib.rs"), "")?;
        let exact = format!("={}.{}.{}", version.major, version.minor, version.patch);
        std::fs::write(
            dir.join("Cargo.toml"),
            format!(
                "[package]\nname = \"palisade-compile\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
                 [workspace]\n[dependencies]\n{name} = \"{exact}\"\n"
            ),
        )?;
        let registry = &corpus.registry;
        std::fs::write(
            dir.join(".cargo/config.toml"),
            format!(
                "[source.crates-io]\nreplace-with = \"corpus\"\n\
                 [source.corpus]\nlocal-registry = \"{registry}\"\n"
            ),
        )?;
        let (before, start) = (children(), Instant::now());
        let mut child = process::cargo()
            .args(["check", "--quiet", "--offline"])
            .current_dir(&dir)
            .env("CARGO_TARGET_DIR", dir.join("target"))
            .stderr(std::process::Stdio::null())
            .spawn()
            .context("cannot start cargo")?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if start.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        times.push(children().saturating_sub(before).as_secs_f64());
        count += 1;
        if status.is_some_and(|status| status.success()) {
            built += 1;
        } else {
            writeln!(failures, "| {name} {version} |")?;
        }
        std::fs::remove_dir_all(&dir)?;
    }
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    let mut text = format!(
        "\n## What cargo builds\n\
         {count} of these versions, spread evenly, each built by `cargo check` from an empty directory with its dependencies:\n\n\
         | what | measured |\n|---|---|\n\
         | built | {built} ({:.1} %) |\n\
         | processor seconds, median | {median:.2} |\n\
         | processor seconds, mean | {mean:.2} |\n",
        100.0 * f64::from(built) / f64::from(count.max(1)),
    );
    if !failures.is_empty() {
        write!(text, "\n| not built |\n|---|\n{failures}")?;
    }
    Ok(text)
}

/// The processor time of all children that have ended, theirs included.
fn children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the program's name in parentheses; the times of the
    // children are the 16th and 17th field, in hundredths of a second.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let times = fields.split_ascii_whitespace().skip(13).take(2);
    let ticks: u64 = times.filter_map(|time| time.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

//! What was made, what was not, and why.

use anyhow::{Context, Result};
use palisade_graph::{Key, Quality, Shortfall};
use serde::Serialize;

use crate::cli::WhyFormat;
use crate::output;

/// Counts of fragments.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    /// Fragments that count as made.
    made: usize,
    /// Fragments that were there already; only `build` knows.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) kept: usize,
    /// Fragments that are there but do not count, with the reason.
    incomplete: Vec<Reason>,
    /// Crate versions without a fragment, with the reason.
    failed: Vec<Reason>,
    /// Functions with a body.
    functions: u64,
    /// Call sites that name a callee.
    calls: u64,
    /// Call sites that do not.
    unresolved_calls: u64,
    /// Places that could not be followed.
    blind_spots: u64,
    /// Bodies on which the analysis library panicked.
    panics: u64,
    /// Lines of source.
    lines: u64,
    /// Bytes of all files.
    bytes: u64,
    /// Bytes for 1,000 lines, of the fragment in the middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    median_bytes_per_1000_lines: Option<f64>,
    #[serde(skip)]
    densities: Vec<f64>,
    /// What it took; only `build` knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timing: Option<Timing>,
}

/// What it took.
#[derive(Debug, Default, Serialize)]
pub(super) struct Timing {
    /// On the clock.
    pub(super) seconds: f64,
    /// Processor seconds of each fragment: its share of its job.
    #[serde(skip)]
    pub(super) cpu: Vec<f64>,
    /// Of the fragment in the middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_seconds_median: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_seconds_mean: Option<f64>,
    /// Until it was known what to make: resolution, and reading manifests.
    pub(super) planning_seconds: f64,
    /// The most memory that a worker has had in use, in bytes.
    pub(super) peak_memory: u64,
}

#[derive(Debug, Serialize)]
struct Reason {
    package: String,
    version: String,
    reason: String,
}

/// How many reasons are printed for people; programs get all.
const SHOWN: usize = 20;

/// Below this many lines the size says more about the format than the crate.
const TINY: u64 = 50;

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Summary {
    pub(super) fn add(
        &mut self,
        key: &Key,
        quality: Quality,
        shortfall: Option<&Shortfall>,
        bytes: u64,
    ) {
        match shortfall {
            None => self.made += 1,
            Some(shortfall) => self.incomplete.push(reason(key, &shortfall.to_string())),
        }
        self.functions += quality.functions;
        self.calls += quality.resolved;
        self.unresolved_calls += quality.unresolved;
        self.blind_spots += quality.blind_spots;
        self.panics += quality.panics;
        self.lines += quality.lines;
        self.bytes += bytes;
        if quality.lines >= TINY {
            self.densities
                .push(bytes as f64 * 1000.0 / quality.lines as f64);
        }
    }

    pub(super) fn fail(&mut self, key: &Key, why: &str) {
        self.failed.push(reason(key, why));
    }

    pub(super) fn done(&self) -> usize {
        self.made + self.incomplete.len() + self.failed.len()
    }

    pub(super) fn print(mut self, format: WhyFormat) -> Result<()> {
        self.median_bytes_per_1000_lines = middle(&mut self.densities);
        if let Some(timing) = &mut self.timing {
            timing.cpu_seconds_median = middle(&mut timing.cpu);
            let all = timing.cpu.iter().sum::<f64>();
            let mean = all / timing.cpu.len().max(1) as f64;
            timing.cpu_seconds_mean = timing.cpu_seconds_median.map(|_| mean);
        }
        output::to_stdout(|out| match format {
            WhyFormat::Json => {
                serde_json::to_writer_pretty(&mut *out, &self)?;
                writeln!(out)
            }
            WhyFormat::Text => self.text(out),
        })
        .context("cannot write the summary")
    }

    fn text(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let all = self.done();
        writeln!(out, "made:        {} of {all} crate versions", self.made)?;
        if self.kept > 0 {
            writeln!(out, "kept:        {} were there already", self.kept)?;
        }
        writeln!(out, "incomplete:  {}", self.incomplete.len())?;
        writeln!(out, "failed:      {}", self.failed.len())?;
        writeln!(out, "functions:   {}", self.functions)?;
        let calls = self.calls + self.unresolved_calls;
        let share = 100.0 * self.calls as f64 / calls.max(1) as f64;
        writeln!(out, "call sites:  {calls}, {share:.2} % name a callee")?;
        writeln!(
            out,
            "blind spots: {}, {} panics",
            self.blind_spots, self.panics
        )?;
        writeln!(
            out,
            "size:        {} bytes for {} lines",
            self.bytes, self.lines
        )?;
        if let Some(median) = self.median_bytes_per_1000_lines {
            writeln!(
                out,
                "             {median:.0} bytes for 1,000 lines at the median"
            )?;
        }
        if let Some(timing) = &self.timing {
            writeln!(out, "time:        {:.1} s", timing.seconds)?;
            if let (Some(median), Some(mean)) = (timing.cpu_seconds_median, timing.cpu_seconds_mean)
            {
                writeln!(
                    out,
                    "processor:   {median:.2} s a crate version at the median, {mean:.2} s on average"
                )?;
            }
            if timing.peak_memory > 0 {
                writeln!(
                    out,
                    "memory:      {} MB at most in a worker",
                    timing.peak_memory >> 20
                )?;
            }
        }
        for (what, reasons) in [("incomplete", &self.incomplete), ("failed", &self.failed)] {
            for reason in reasons.iter().take(SHOWN) {
                writeln!(
                    out,
                    "{what}: {} {}: {}",
                    reason.package, reason.version, reason.reason
                )?;
            }
            if reasons.len() > SHOWN {
                writeln!(
                    out,
                    "{what}: and {} more, see --format json",
                    reasons.len() - SHOWN
                )?;
            }
        }
        Ok(())
    }
}

fn reason(key: &Key, reason: &str) -> Reason {
    Reason {
        package: key.package.clone(),
        version: key.version.clone(),
        reason: reason.to_owned(),
    }
}

/// The one in the middle.
fn middle(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

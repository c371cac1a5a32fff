//! What was made, as a page.

use std::fmt::Write;

use serde_json::Value;

use super::closure::Corpus;

/// Most reasons that the table lists.
const REASONS: usize = 40;

/// The page about the fragments.
pub(super) fn fragments(found: &Value, corpus: &Corpus, workers: usize) -> String {
    let number = |key: &str| found[key].as_f64().unwrap_or_default();
    let list = |key: &str| found[key].as_array().map_or(&[][..], Vec::as_slice);
    let (incomplete, failed) = (list("incomplete"), list("failed"));
    let made = number("made");
    let all = made + incomplete.len() as f64 + failed.len() as f64;
    let timing = |key: &str| found["timing"][key].as_f64().unwrap_or_default();
    let calls = number("calls");
    let sites = (calls + number("unresolved_calls")).max(1.0);
    let standard = all - corpus.versions.len() as f64;
    let mut text = format!(
        "# Fragments of a real corpus\n\
         Everything in the lockfiles of {} published applications, old and new ({}): {} crate versions, each read with its default features, and {standard:.0} crates of the standard library.\n\
         `cargo xtask corpus --write` fetches them with cargo, makes their fragments from the archives, and writes this page.\n\n\
         Processor time and memory are those of the workers. A crate version's time is what its own bodies took and an even share of what its job took as a whole: loading, and what its crates have in common.\n\n\
         | what | measured |\n|---|---|\n",
        corpus.applications.len(),
        corpus.applications.join(", "),
        corpus.versions.len(),
    );
    let rows = [
        ("crate versions", format!("{all:.0}")),
        (
            "made",
            format!("{made:.0} ({:.2} %)", 100.0 * made / all.max(1.0)),
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
            "processor seconds of the planning, per crate version",
            format!("{:.3}", timing("planning_seconds") / all.max(1.0)),
        ),
        (
            "time on the clock",
            format!("{:.0} s with {} workers", timing("seconds"), workers),
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

//! Names that look like other names, measured over many.

use camino::Utf8Path;
use palisade_scan::{Input, NameCorpus, Scanner, ScannerOptions, Severity};

use crate::fixture::{pack, write_dump};

/// Names that imitators choose.
const POPULAR: &[&str] = &[
    "serde",
    "serde_json",
    "tokio",
    "rand",
    "libc",
    "syn",
    "quote",
    "proc-macro2",
    "log",
    "regex",
    "tracing",
    "clap",
    "anyhow",
    "thiserror",
    "reqwest",
    "hyper",
    "bytes",
    "bitflags",
    "time",
    "chrono",
    "uuid",
    "itertools",
    "rayon",
    "futures",
    "lazy_static",
    "env_logger",
    "once_cell",
];

/// The crates of `names` that a scan takes for imitations, where each is new
/// and `popular` are there already.
fn flagged(popular: &[&str], names: &[String]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let dump = dir.path().join("dump");
    let known: Vec<String> = popular
        .iter()
        .map(|name| format!("{name} 5000000 2016-01-01 owner-of-{name}"))
        .collect();
    write_dump(&dump, &known);
    let scanner = Scanner::new(ScannerOptions {
        names: Some(NameCorpus::open(Utf8Path::from_path(&dump).unwrap()).unwrap()),
        ..ScannerOptions::default()
    });
    let is_flagged = |name: &&String| {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n");
        let files = [
            ("Cargo.toml".to_owned(), manifest),
            ("src/lib.rs".to_owned(), String::new()),
        ];
        let path = dir.path().join(format!("{name}-0.1.0.crate"));
        std::fs::write(&path, pack(name, "0.1.0", &files.into_iter().collect())).unwrap();
        let input = Input::Archive(Utf8Path::from_path(&path).unwrap().to_owned());
        let report = scanner.scan(&input).unwrap();
        report.findings.iter().any(|finding| {
            finding.detector == "name-look-alike" && finding.severity >= Severity::Medium
        })
    };
    names.iter().filter(is_flagged).cloned().collect()
}

/// Guards that new, honest names pass: at most one in a hundred is flagged.
#[test]
fn honest_names_pass() {
    let first = [
        "solar", "river", "pixel", "queue", "ledger", "matrix", "signal", "packet", "orbit",
        "forest", "cipher", "kernel", "vector", "lattice", "harbor", "meadow", "serde", "tokio",
        "tracing", "regex",
    ];
    let second = [
        "parser", "router", "store", "viewer", "engine", "bridge", "macros", "types", "rpc", "kit",
    ];
    let names: Vec<String> = first
        .iter()
        .flat_map(|one| second.iter().map(move |two| format!("{one}-{two}")))
        .collect();
    let flagged = flagged(POPULAR, &names);
    assert!(flagged.len() * 100 <= names.len(), "{flagged:?}");
}

/// Guards what historical imitations look like. `PALISADE_TYPOSQUAT_PAIRS`
/// names a file of pairs (imitation, target, year, separated by tabs) that is
/// not part of the project; without it there is nothing to measure.
#[test]
fn historical_imitations_are_found() {
    let Some(path) = std::env::var_os("PALISADE_TYPOSQUAT_PAIRS") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let pairs: Vec<(&str, &str)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, rest)| (name, rest.split('\t').next().unwrap_or_default()))
        .collect();
    let targets: Vec<&str> = pairs.iter().map(|(_, target)| *target).collect();
    let names: Vec<String> = pairs.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found = flagged(&targets, &names);
    let missed: Vec<&String> = names.iter().filter(|name| !found.contains(name)).collect();
    println!(
        "{} of {} imitations found, missed {missed:?}",
        found.len(),
        names.len()
    );
    assert!(found.len() + 2 >= names.len(), "{missed:?}");
}

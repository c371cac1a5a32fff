//! The scanner through its public door: archives in, reports out.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

mod detectors;
mod documentation;
mod fixture;
mod hostile;
mod malice;
mod names;
mod provenance;
mod secrets;

use camino::Utf8Path;
use fixture::Fixture;
use palisade_index::CargoCache;
use palisade_scan::{
    Advisories, Inputs, NameCorpus, Report, Scanner, ScannerOptions, Surroundings,
};

/// Scans a fixture as cargo would have fetched it.
fn scan(fixture: &Fixture) -> Report {
    let home = tempfile::tempdir().unwrap();
    let dump = fixture.write(home.path());
    let caches = CargoCache::all(Utf8Path::from_path(home.path()).unwrap()).unwrap();
    let mut inputs = Inputs::default();
    let target = format!("{}@{}", fixture.name(), fixture.version());
    inputs.add(&target, &caches).unwrap();
    let names = dump.map(|dump| NameCorpus::open(Utf8Path::from_path(&dump).unwrap()).unwrap());
    let database = Utf8Path::from_path(home.path()).unwrap().join("db");
    let advisories = database
        .is_dir()
        .then(|| Advisories::open(&database).unwrap());
    let scanner = Scanner::new(ScannerOptions {
        names,
        caches,
        surroundings: Surroundings {
            advisories,
            at: fixture.labels.get("at").map(|at| at.parse().unwrap()),
            ..Surroundings::default()
        },
        ..ScannerOptions::default()
    });
    scanner.scan(&inputs.inputs[0]).unwrap()
}

/// What a report says, one finding a line.
fn shown(report: &Report) -> String {
    let lines = report.findings.iter().map(|finding| {
        let place = finding.places.first();
        let place = place
            .map(|place| format!("{}:{}", place.file, place.line))
            .unwrap_or_default();
        format!(
            "{} {} {} {place} {}\n",
            finding.detector,
            finding.severity.as_str(),
            finding.confidence.as_str(),
            finding.message
        )
    });
    lines.collect()
}

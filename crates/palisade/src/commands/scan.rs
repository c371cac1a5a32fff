//! `palisade scan`, and what the commands about packages share.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::tz::TimeZone;
use palisade_check::Config;
use palisade_index::{CargoCache, Registry};
use palisade_scan::{
    Inputs, NameCorpus, Outcome, Report, Scanner, ScannerOptions, Severity, Suppression,
    Surroundings, suppress,
};

use super::{around, cargo_home, now};
use crate::cli::{PackageArgs, ScanArgs, ScanFormat};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;
use crate::progress::Reporter;
use crate::report::scan::{ScanView, json, sarif, store, text};
use crate::report::text::printable;

pub(crate) fn run(args: &ScanArgs) -> Result<Exit> {
    let directory = args
        .config
        .clone()
        .unwrap_or_else(|| Utf8PathBuf::from("."));
    let config = Config::load(&directory)?;
    let scanned = scan(&args.packages)?;
    let mut reports = scanned.reports;
    let suppressions = suppressions(&config);
    let today = now()?.to_zoned(TimeZone::UTC).date();
    let warnings = suppress(&mut reports, &suppressions, today);
    for warning in &warnings {
        output::warn(&printable(warning));
    }
    if let Some(directory) = &args.store {
        store::keep(directory, &reports)?;
    }
    let view = ScanView {
        reports: &reports,
        failed: &scanned.failed,
        missing: &scanned.missing,
        warnings: &warnings,
        show: args.show,
    };
    output::to_stdout(|out| match args.format {
        ScanFormat::Text => text::render(&view, out),
        ScanFormat::Json => json::render(&view, out),
        ScanFormat::Sarif => sarif::render(&view, out),
    })
    .context("cannot write the report")?;
    Ok(exit(
        &reports,
        args.fail_on,
        !scanned.failed.is_empty() || !scanned.missing.is_empty(),
    ))
}

/// What the exit code says about these reports.
pub(super) fn exit(reports: &[Report], fail_on: Severity, not_scanned: bool) -> Exit {
    let found = reports
        .iter()
        .flat_map(|report| &report.findings)
        .any(|finding| finding.suppressed.is_none() && finding.severity >= fail_on);
    if found {
        Exit::Found
    } else if reports.is_empty() {
        Exit::Error
    } else if not_scanned || reports.iter().any(|report| !report.complete) {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

/// What became of the packages.
pub(super) struct Scanned {
    pub(super) reports: Vec<Report>,
    /// Packages that could not be scanned, and why.
    pub(super) failed: Vec<(String, String)>,
    /// Packages of a lockfile that cargo has not fetched.
    pub(super) missing: Vec<String>,
}

pub(super) fn scan(args: &PackageArgs) -> Result<Scanned> {
    scan_with(args, Inputs::default(), None, |_| {})
}

/// Scans what the arguments name and `inputs`, after `choose` has left out
/// what is not wanted. Dependencies are looked up in `registry` too.
pub(super) fn scan_with(
    args: &PackageArgs,
    mut inputs: Inputs,
    registry: Option<Arc<dyn Registry>>,
    choose: impl FnOnce(&mut Inputs),
) -> Result<Scanned> {
    let caches = caches()?;
    if args.all_fetched {
        inputs.add_all_fetched(&caches)?;
    }
    for target in &args.targets {
        inputs.add(target, &caches)?;
    }
    if inputs.inputs.is_empty() && inputs.missing.is_empty() {
        return Err(Usage {
            message: "there is nothing to scan".to_owned(),
            hint: "name a `.crate` file, a directory, a `Cargo.lock` or `name@version`".to_owned(),
        }
        .into());
    }
    choose(&mut inputs);
    let surroundings = Surroundings {
        registry,
        ..around::surroundings(&args.around)?
    };
    let scanner = scanner(args.dump.as_deref(), caches, surroundings)?;
    let threads = args
        .threads
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let progress = Reporter::new();
    let all = inputs.inputs.len();
    let outcomes = scanner.scan_all(&inputs.inputs, threads, |done| {
        progress.count("scanning", done, all)
    });
    progress.finish();
    let mut scanned = Scanned {
        reports: Vec::new(),
        failed: Vec::new(),
        missing: inputs.missing,
    };
    let mut provenance = around::provenance(&args.around)?;
    let mut reach = around::Reach::open(&args.around)?;
    for (input, Outcome { target, result }) in inputs.inputs.iter().zip(outcomes) {
        match result {
            Ok(mut report) => {
                if let Some(provenance) = &mut provenance {
                    provenance.add(&scanner, input, &mut report);
                }
                if let Some(reach) = &mut reach {
                    reach.decide(&mut report);
                }
                scanned.reports.push(report);
            }
            Err(error) => {
                let error = anyhow::Error::from(error);
                scanned.failed.push((target, format!("{error:#}")));
            }
        }
    }
    Ok(scanned)
}

pub(super) fn scanner(
    names: Option<&Utf8Path>,
    caches: Vec<CargoCache>,
    surroundings: Surroundings,
) -> Result<Scanner> {
    let names = names.map(NameCorpus::open).transpose()?;
    for problem in names.iter().flat_map(|names| &names.problems) {
        output::warn(&printable(&format!("the database dump: {problem}")));
    }
    Ok(Scanner::new(ScannerOptions {
        names,
        caches,
        surroundings,
        ..ScannerOptions::default()
    }))
}

/// What cargo has fetched; nothing where cargo was never used.
pub(super) fn caches() -> Result<Vec<CargoCache>> {
    match cargo_home() {
        Some(home) if home.join("registry/index").is_dir() => Ok(CargoCache::all(&home)?),
        _ => Ok(Vec::new()),
    }
}

fn suppressions(config: &Config) -> Vec<Suppression> {
    let file = config
        .file
        .as_deref()
        .map_or("palisade.toml", Utf8Path::as_str);
    let entries = config.suppressions.iter().cloned();
    entries
        .map(|entry| Suppression {
            place: format!("{file}:{}", entry.line),
            detector: entry.detector,
            package: entry.package,
            file: entry.file,
            reason: entry.reason,
            expires: entry.expires,
        })
        .collect()
}

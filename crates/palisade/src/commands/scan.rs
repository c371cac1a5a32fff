//! `palisade scan`, and what the commands about packages share.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::tz::TimeZone;
use palisade_check::Config;
use palisade_index::{CargoCache, Registry};
use palisade_sandbox::WorkerCommand;
use palisade_scan::{
    Input, Inputs, NameCorpus, Outcome, Report, ScanError, Scanner, ScannerOptions, Severity,
    Suppression, Surroundings, Workers, WorkersOptions, suppress,
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
    Ok(exit(&reports, args.fail_on, scanned.unscanned))
}

/// What was not scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unscanned {
    /// Nothing: everything has its report.
    Nothing,
    /// Some cannot be read or has not been fetched.
    Unreadable,
    /// Some was begun, and was too much for its worker.
    CutShort,
}

/// What the exit code says about these reports.
pub(super) fn exit(reports: &[Report], fail_on: Severity, unscanned: Unscanned) -> Exit {
    let found = reports
        .iter()
        .flat_map(|report| &report.findings)
        .any(|finding| finding.suppressed.is_none() && finding.severity >= fail_on);
    if found {
        Exit::Found
    } else if reports.is_empty() && unscanned != Unscanned::CutShort {
        Exit::Error
    } else if unscanned != Unscanned::Nothing || reports.iter().any(|report| !report.complete) {
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
    /// The worst of what was not scanned.
    pub(super) unscanned: Unscanned,
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
    let workers = args
        .threads
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let workers = start_workers(workers, args.dump.as_deref(), &inputs.inputs)?;
    let progress = Reporter::new();
    let all = inputs.inputs.len();
    let outcomes = workers.scan_all(&scanner, &inputs.inputs, |done| {
        progress.count("scanning", done, all)
    });
    progress.finish();
    let mut scanned = Scanned {
        reports: Vec::new(),
        failed: Vec::new(),
        unscanned: match inputs.missing.is_empty() {
            true => Unscanned::Nothing,
            false => Unscanned::Unreadable,
        },
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
            // Without workers there is no scan at all.
            Err(error @ ScanError::Sandbox(_)) => return Err(error.into()),
            Err(error) => {
                scanned.unscanned = scanned.unscanned.max(match error.is_cut_short() {
                    true => Unscanned::CutShort,
                    false => Unscanned::Unreadable,
                });
                let error = anyhow::Error::from(error);
                scanned.failed.push((target, format!("{error:#}")));
            }
        }
    }
    Ok(scanned)
}

/// Worker processes that scan packages; the registry's data that `names` says
/// is theirs to read, and so are the directories among the inputs.
pub(super) fn start_workers(
    workers: usize,
    names: Option<&Utf8Path>,
    inputs: &[Input],
) -> Result<Workers> {
    let command = WorkerCommand::this_executable(crate::SCAN_WORKER)?;
    let mut options = WorkersOptions::new(workers, command);
    let absolute = |path: &Utf8Path| {
        camino::absolute_utf8(path).with_context(|| format!("cannot find `{path}`"))
    };
    options.data.names = names.map(absolute).transpose()?;
    for input in inputs {
        if let Input::Directory(path) = input {
            options.directories.push(absolute(path)?);
        }
    }
    Ok(Workers::start(options)?)
}

/// Reads packages for the workers, and knows what is around them.
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

//! `palisade report`.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use camino::Utf8Path;
use palisade_index::{LocalRegistry, Registry};
use palisade_scan::audit::{Audit, AuditOptions};
use palisade_scan::{Input, Inputs};
use semver::Version;

use super::now;
use super::scan::scan_with;
use crate::cli::{EcosystemReportArgs, ReportArgs, ReportCommand};
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;
use crate::report::ecosystem::html;
use crate::report::scan::store;
use crate::report::text::printable;

pub(crate) fn run(args: &ReportArgs) -> Result<Exit> {
    match &args.command {
        ReportCommand::Ecosystem(args) => ecosystem(args),
    }
}

fn ecosystem(args: &EcosystemReportArgs) -> Result<Exit> {
    let mut inputs = Inputs::default();
    let mut registry: Option<Arc<dyn Registry>> = None;
    if let Some(directory) = &args.registry {
        let local = LocalRegistry::open(directory)?;
        inputs.inputs.extend(archives(directory)?);
        registry = Some(Arc::new(local));
    }
    let scanned = scan_with(&args.packages, inputs, registry, |inputs| {
        if args.newest {
            newest(&mut inputs.inputs);
        }
    })?;
    if scanned.reports.is_empty() {
        return Err(Usage {
            message: "no package could be scanned".to_owned(),
            hint: "`palisade scan` says why".to_owned(),
        }
        .into());
    }
    if let Some(directory) = &args.store {
        store::keep(directory, &scanned.reports)?;
    }
    let audit = Audit::of(
        &scanned.reports,
        AuditOptions {
            title: args
                .title
                .clone()
                .unwrap_or_else(|| "Audit of a crate registry".to_owned()),
            made: now()?.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            method: method(args),
            failed: scanned.failed,
        },
    );
    if let Some(file) = &args.html {
        std::fs::write(file, html(&audit)).with_context(|| format!("cannot write `{file}`"))?;
    }
    let json = serde_json::to_string_pretty(&audit).context("the figures cannot be written")?;
    match &args.json {
        Some(file) => {
            std::fs::write(file, json + "\n").with_context(|| format!("cannot write `{file}`"))?
        }
        // Whoever names no file gets the figures.
        None if args.html.is_none() => {
            output::to_stdout(|out| writeln!(out, "{json}")).context("cannot write the figures")?
        }
        None => {}
    }
    for file in args.html.iter().chain(&args.json) {
        output::to_stderr(&printable(&format!("wrote {file}")));
        output::to_stderr("\n");
    }
    Ok(
        match audit.failed.is_empty() && audit.corpus.incomplete == 0 {
            true => Exit::Clean,
            false => Exit::Incomplete,
        },
    )
}

/// The `.crate` files of a directory, in order.
fn archives(directory: &Utf8Path) -> Result<Vec<Input>> {
    let failed = || format!("cannot list `{directory}`");
    let mut paths = Vec::new();
    for entry in directory.read_dir_utf8().with_context(failed)? {
        let path = entry.with_context(failed)?.into_path();
        if path.extension() == Some("crate") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.into_iter().map(Input::Archive).collect())
}

/// Leaves the newest version of each crate; inputs that do not say which
/// version they are stay.
fn newest(inputs: &mut Vec<Input>) {
    let named = |input: &Input| -> Option<(String, Version)> {
        match input {
            Input::Cached { name, version } => Some((name.clone(), version.clone())),
            Input::Archive(path) => {
                let stem = path.file_stem()?;
                stem.match_indices('-').find_map(|(at, _)| {
                    let version = stem[at + 1..].parse().ok()?;
                    Some((stem[..at].to_owned(), version))
                })
            }
            _ => None,
        }
    };
    let mut best: BTreeMap<String, Version> = BTreeMap::new();
    for (name, version) in inputs.iter().filter_map(named) {
        let known = best.entry(name).or_insert_with(|| version.clone());
        let key = |version: &Version| (version.pre.is_empty(), version.clone());
        if key(&version) > key(known) {
            *known = version;
        }
    }
    inputs.retain(|input| {
        named(input).is_none_or(|(name, version)| best.get(&name) == Some(&version))
    });
}

/// How the survey was made, a sentence each.
fn method(args: &EcosystemReportArgs) -> Vec<String> {
    let packages = &args.packages;
    let around = &packages.around;
    let mut method = vec![
        format!(
            "Palisade {} scanned each package from its archive, as data; nothing was built or run.",
            env!("CARGO_PKG_VERSION")
        ),
        "Unsafe blocks, impls and functions are counted in libraries, programs and procedural macros, tests left out; lines are those of the same files.".to_owned(),
        "A capability is what code of the package names, with imports resolved; whether it is reached was not asked.".to_owned(),
        "Hygiene is the weighted mean of the checks that could be decided; docs/detectors.md documents every detector.".to_owned(),
    ];
    method.push(match &packages.dump {
        Some(_) => "Names, owners and publishers come from the registry's database dump.".to_owned(),
        None => "There was no database dump: names that look alike, owners and publishers were not judged.".to_owned(),
    });
    method.push(match (&around.repository, &around.repositories) {
        (None, None) => "Packages were not compared with their repositories.".to_owned(),
        _ => "Packages were compared with clones of their repositories, file by file, what cargo changes taken into account.".to_owned(),
    });
    method.push(match &around.graph {
        Some(_) => {
            "Whether vulnerable functions are reached was asked of the call graph's fragments."
                .to_owned()
        }
        None => "Whether vulnerable functions are reached was not asked (`--graph`).".to_owned(),
    });
    if packages.all_fetched {
        method.push("The corpus is what cargo has fetched on one machine: crates that others depend on, better kept than most.".to_owned());
    }
    if args.newest {
        method.push("Only the newest version of each crate was scanned, so that trends show when these were published.".to_owned());
    }
    method
}

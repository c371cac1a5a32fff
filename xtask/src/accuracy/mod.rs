//! `cargo xtask accuracy`: is what Palisade reaches what the linker keeps?
//!
//! Published applications are built without optimisation and with version 0
//! symbol names. An unoptimised build inlines nothing but what asks for it,
//! and the linker drops the sections that nothing refers to, so the symbols of
//! the executable are very nearly the functions that the program can call.
//! Both sides are reduced to (crate, self type, trait, name) and compared as
//! sets.

mod advisories;
mod asked;
mod compare;
mod coverage;
mod linker;
mod mangling;
mod reached;
mod report;
mod table;
pub(crate) mod targets;

use std::fmt;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use self::targets::{Set, Target};
use crate::{demo, process, setup};

/// What to measure, and how to show it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which kind of application to measure
    #[arg(long, value_enum, default_value = "all")]
    set: Set,
    /// Measure this application alone (may be repeated)
    #[arg(long, value_name = "NAME", conflicts_with = "set")]
    target: Vec<String>,
    /// Let Palisade expand macros for real
    #[arg(long)]
    expand_macros: bool,
    /// Also check the applications against this advisory database, older
    /// releases with known vulnerabilities included, and judge the verdicts
    #[arg(long, value_name = "DIR", conflicts_with = "callgraph")]
    advisories: Option<Utf8PathBuf>,
    /// Also run the applications' own commands, instrumented, and compare what
    /// they executed
    #[arg(long)]
    executed: bool,
    /// Show the N largest groups of missing and of extra functions
    #[arg(long, value_name = "N", default_value_t = 0)]
    misses: usize,
    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<Utf8PathBuf>,
    /// Use this binary instead of building one
    #[arg(long, value_name = "FILE")]
    palisade: Option<Utf8PathBuf>,
    /// Read the call graph from a file instead of running Palisade; needs one
    /// --target
    #[arg(long, value_name = "FILE", requires = "target")]
    callgraph: Option<Utf8PathBuf>,
    /// Only fetch and build the applications
    #[arg(long)]
    build_only: bool,
}

/// A function as both sides name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
struct Function {
    /// The library name of the crate.
    #[serde(rename = "crate")]
    krate: String,
    /// Last path segment of the self type, `?` for types that are not
    /// nominal.
    self_type: Option<String>,
    /// Last path segment of the trait.
    #[serde(rename = "trait")]
    trait_name: Option<String>,
    /// The function's own name.
    name: String,
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.self_type, &self.trait_name) {
            (Some(ty), Some(name)) => write!(f, "{}: <{ty} as {name}>::{}", self.krate, self.name),
            (Some(ty), None) => write!(f, "{}: {ty}::{}", self.krate, self.name),
            (None, _) => write!(f, "{}: {}", self.krate, self.name),
        }
    }
}

/// The name under which both sides know a self type. The standard library's
/// source may be of another version than its compiled form, and the atomic
/// integers became aliases of one generic type in between.
fn settled(self_type: String) -> String {
    const ATOMICS: [&str; 12] = [
        "AtomicBool",
        "AtomicI8",
        "AtomicI16",
        "AtomicI32",
        "AtomicI64",
        "AtomicIsize",
        "AtomicPtr",
        "AtomicU8",
        "AtomicU16",
        "AtomicU32",
        "AtomicU64",
        "AtomicUsize",
    ];
    match ATOMICS.contains(&self_type.as_str()) {
        true => "Atomic".to_owned(),
        false => self_type,
    }
}

impl From<mangling::Symbol> for Function {
    fn from(symbol: mangling::Symbol) -> Self {
        Function {
            krate: symbol.krate.name,
            self_type: symbol.self_type.map(settled),
            trait_name: symbol.trait_name,
            name: symbol.name,
        }
    }
}

/// Builds the targets, runs Palisade on each and prints the tables.
///
/// # Errors
///
/// When something cannot be built or run, or a goal is missed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let selected = targets::select(args.set, &args.target, args.advisories.is_some())?;
    if args.build_only {
        for target in selected {
            eprintln!("building {} {}", target.name, target.version);
            let built = target.build()?;
            println!("{}", built.executable);
        }
        return Ok(());
    }
    if args.callgraph.is_some() && selected.len() != 1 {
        bail!("--callgraph needs exactly one --target");
    }
    let palisade = palisade_binary(args)?;
    let database = match &args.advisories {
        Some(directory) => Some(
            directory
                .canonicalize_utf8()
                .with_context(|| format!("cannot find {directory}"))?,
        ),
        None => None,
    };
    let sysroot = linker::sysroot_crates(&targets::host_triple()?)?;

    let mut results = Vec::new();
    let mut judged = Vec::new();
    let mut measure = |target: &'static Target| -> Result<()> {
        eprintln!("measuring {} {}", target.name, target.version);
        let reports = targets::cache_dir().join("report").join(target.name);
        std::fs::create_dir_all(&reports).with_context(|| format!("cannot create {reports}"))?;
        let symbols = linker::read(&target.build()?, &sysroot)?;
        if let Some(database) = &database {
            let verdicts =
                advisories::judge(&palisade, target, database, args.expand_macros, &symbols)?;
            judged.push((target, verdicts));
        }
        if target.set == Set::Advised {
            return Ok(());
        }
        let graph = match &args.callgraph {
            Some(file) => reached::read(file)?,
            None => reached::run(
                &palisade,
                target,
                args.expand_macros,
                &reports.join("callgraph.jsonl"),
            )?,
        };
        let mut comparison = compare::compare(&symbols, &graph);
        if args.callgraph.is_none() {
            let verdicts =
                asked::ask(&palisade, target, args.expand_macros, &comparison, &symbols)?;
            comparison.settle(&verdicts);
        }
        if args.executed {
            let executed = coverage::executed(target, &sysroot)?;
            comparison.compare_executed(executed, &graph);
        }
        comparison.write_lists(&reports)?;
        if args.misses > 0 {
            table::print_groups(target, &comparison, args.misses);
        }
        results.push((target, comparison));
        Ok(())
    };
    // One that cannot be built must not cost the others.
    let mut failed = Vec::new();
    for target in selected {
        if let Err(error) = measure(target) {
            eprintln!("error: {error:#}");
            failed.push(target.name);
        }
    }

    table::print_linker(&results, args.expand_macros);
    table::print_verdicts(&results);
    if args.executed {
        table::print_executed(&results);
    }
    let mut missed = table::missed_goals(&results, args.expand_macros);
    if database.is_some() {
        missed.extend(advisories::print(&judged));
    }
    println!(
        "lists of functions: {}",
        targets::cache_dir().join("report")
    );
    if let Some(file) = &args.json {
        write_json(file, &results, &judged)?;
    }
    missed.extend(failed.iter().map(|name| format!("{name} not measured")));
    if !missed.is_empty() {
        bail!("goals not met: {}", missed.join("; "));
    }
    Ok(())
}

/// The binary to measure: the one that was named, else a fresh build.
fn palisade_binary(args: &Args) -> Result<Utf8PathBuf> {
    if let Some(binary) = &args.palisade {
        return binary
            .canonicalize_utf8()
            .with_context(|| format!("cannot find {binary}"));
    }
    if args.callgraph.is_none() {
        setup::std_source()?;
        process::run(process::cargo().args(["build", "--release", "--package", "palisade"]))?;
    }
    Ok(demo::palisade_binary())
}

fn write_json(
    file: &Utf8Path,
    results: &[(&Target, compare::Comparison)],
    judged: &[(&Target, Vec<advisories::Judged>)],
) -> Result<()> {
    let figures = results.iter().map(|(target, comparison)| {
        serde_json::json!({
            "name": target.name,
            "version": target.version,
            "figures": comparison.figures,
        })
    });
    let verdicts = judged.iter().map(|(target, verdicts)| {
        serde_json::json!({
            "name": target.name,
            "version": target.version,
            "verdicts": verdicts,
        })
    });
    let text = serde_json::to_string_pretty(&serde_json::json!({
        "linker": figures.collect::<Vec<_>>(),
        "advisories": verdicts.collect::<Vec<_>>(),
    }))?;
    std::fs::write(file, text + "\n").with_context(|| format!("cannot write {file}"))
}

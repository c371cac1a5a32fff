//! `palisade ecosystem build`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use palisade_graph::{Failed, Made, MakeOptions, Progress, RegistryOptions, Store, Work, make};
use palisade_index::{CargoCache, Lockfile};
use palisade_project::{LoadOptions, Plan};
use palisade_sandbox::WorkerCommand;
use semver::Version;

use super::summary::Summary;
use crate::cli::BuildArgs;
use crate::commands::cargo_home;
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(args: &BuildArgs) -> Result<Exit> {
    let dir = camino::absolute_utf8(&args.dir).context("cannot tell the working directory")?;
    let store = Store::new(&dir);
    let _lock = store.lock(|| output::warn(&format!("waiting for another process on `{dir}`")))?;
    let work = plan(args, &dir)?;
    for diagnostic in &work.plan.diagnostics {
        output::warn(&format!("{}: {}", diagnostic.file, diagnostic.message));
    }
    let workers = args
        .workers
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let worker = WorkerCommand::this_executable(crate::WORKER)?;
    let options = MakeOptions {
        again: args.again,
        ..MakeOptions::new(workers, worker)
    };
    let reporter = Reporter::new();
    make(&work, &store, &options, &reporter)?;
    super::update::refresh(&dir)?;
    let summary = reporter.finish();
    summary.print(args.format)?;
    Ok(Exit::Clean)
}

fn plan(args: &BuildArgs, dir: &Utf8Path) -> Result<Work> {
    let options = LoadOptions {
        path: dir.to_owned(),
        offline: args.offline,
        ..LoadOptions::default()
    };
    if let Some(lockfile) = &args.from_lock {
        let lockfile = camino::absolute_utf8(lockfile).context("cannot tell the directory")?;
        let manifest = lockfile.with_file_name("Cargo.toml");
        if manifest.is_file() {
            let plan = palisade_project::load(&LoadOptions {
                path: manifest,
                workspace: true,
                ..options
            })?;
            return Ok(Work::of_program(plan));
        }
        let packages = Lockfile::open(&lockfile)?;
        let versions: Vec<(String, Version)> = packages
            .published()
            .map(|package| (package.name.clone(), package.version.clone()))
            .collect();
        return registry(palisade_project::base(&options)?, &versions, &versions);
    }
    if !args.cargo_cache {
        return Err(Usage {
            message: "nothing is named to make fragments of".to_owned(),
            hint: "give --from-lock Cargo.lock or --cargo-cache".to_owned(),
        }
        .into());
    }
    let fetched = cache()?.archives()?;
    let mut wanted: Vec<(String, Version)> = fetched
        .iter()
        .filter(|(name, version)| {
            let exact = format!("{name}@{version}");
            args.only.is_empty() || args.only.iter().any(|only| only == name || *only == exact)
        })
        .cloned()
        .collect();
    if wanted.is_empty() {
        return Err(Usage {
            message: "cargo has fetched no such version".to_owned(),
            hint: "run `cargo fetch` in a project that needs it".to_owned(),
        }
        .into());
    }
    if let Some(most) = args.sample {
        let step = wanted.len().div_ceil(most.get());
        wanted = wanted.into_iter().step_by(step).collect();
    }
    registry(palisade_project::base(&options)?, &wanted, &fetched)
}

fn registry(
    base: Plan,
    wanted: &[(String, Version)],
    prefer: &[(String, Version)],
) -> Result<Work> {
    let mut preferred: BTreeMap<String, Vec<Version>> = BTreeMap::new();
    for (name, version) in prefer {
        preferred
            .entry(name.clone())
            .or_default()
            .push(version.clone());
    }
    let options = RegistryOptions {
        prefer: preferred,
        limits: Default::default(),
    };
    let sysroot = Work::of_sysroot(base.clone());
    let mut work = Work::of_registry(base, &cache()?, wanted, &options);
    // The standard library's crates stand first in both plans.
    work.pieces.extend(sysroot.pieces);
    Ok(work)
}

/// What cargo has fetched from the first registry that it knows.
fn cache() -> Result<CargoCache> {
    let home = cargo_home().unwrap_or_else(|| Utf8PathBuf::from(".cargo"));
    let mut caches = CargoCache::all(&home)?;
    if caches.is_empty() {
        return Err(Usage {
            message: format!("cargo has fetched nothing into `{home}`"),
            hint: "run `cargo fetch` in some project first".to_owned(),
        }
        .into());
    }
    // The one with most archives; others are companies' own.
    caches.sort_by_key(|cache| cache.archives().map_or(0, |archives| archives.len()));
    Ok(caches.remove(caches.len() - 1))
}

/// Says now and then how far it is.
struct Reporter {
    started: Instant,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    wanted: usize,
    next: Duration,
    summary: Summary,
}

/// Between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(10);

impl Reporter {
    fn new() -> Reporter {
        Reporter {
            started: Instant::now(),
            state: RefCell::default(),
        }
    }

    fn finish(self) -> Summary {
        let mut state = self.state.into_inner();
        let timing = state.summary.timing.get_or_insert_default();
        timing.seconds = self.started.elapsed().as_secs_f64();
        state.summary
    }

    fn tick(&self, state: &mut State) {
        let elapsed = self.started.elapsed();
        if elapsed < state.next {
            return;
        }
        state.next = elapsed + INTERVAL;
        let done = state.summary.done();
        let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
        let left = state.wanted.saturating_sub(done) as f64 / rate.max(0.001);
        output::to_stderr(&format!(
            "{done} of {} crate versions, {rate:.1} a second, about {left:.0} s left\n",
            state.wanted
        ));
    }
}

impl Progress for Reporter {
    fn start(&self, wanted: usize, kept: usize) {
        let mut state = self.state.borrow_mut();
        state.wanted = wanted;
        state.next = self.started.elapsed() + INTERVAL;
        state.summary.kept = kept;
    }

    fn made(&self, made: &Made) {
        let mut state = self.state.borrow_mut();
        state
            .summary
            .add(&made.key, made.quality, made.shortfall.as_ref(), made.bytes);
        let timing = state.summary.timing.get_or_insert_default();
        timing.cpu.extend(made.cpu.map(|cpu| cpu.as_secs_f64()));
        timing.peak_memory = timing.peak_memory.max(made.memory);
        self.tick(&mut state);
    }

    fn failed(&self, failed: &Failed) {
        let mut state = self.state.borrow_mut();
        state.summary.fail(&failed.key, &failed.reason);
        self.tick(&mut state);
    }
}

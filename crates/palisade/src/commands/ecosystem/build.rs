//! `palisade ecosystem build`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use palisade_graph::{Failed, Made, MakeOptions, Progress, RegistryOptions, Store, Work, make};
use palisade_index::{
    Archives, CargoCache, HttpOptions, LocalRegistry, Lockfile, Registry as _, SparseRegistry,
};
use palisade_project::LoadOptions;
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
    let reporter = Reporter::new();
    let work = plan(args, &dir)?;
    reporter.planned();
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
    let source = Source::open(args, dir)?;
    let lockfile = args.from_lock.as_deref().map(camino::absolute_utf8);
    let lockfile = lockfile.transpose().context("cannot tell the directory")?;
    let Some(lockfile) = lockfile else {
        let source = source.ok_or_else(|| Usage {
            message: "nothing is named to make fragments of".to_owned(),
            hint: "give --from-lock Cargo.lock, --cargo-cache, --registry ADDRESS or \
                   --registry-dir DIR"
                .to_owned(),
        })?;
        let (wanted, prefer) = source.wanted(args)?;
        return registry(&options, &source, wanted, &prefer);
    };
    let manifest = lockfile.with_file_name("Cargo.toml");
    if source.is_none() && manifest.is_file() {
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
    let source = match source {
        Some(source) => source,
        None => Source::Cargo(cache()?),
    };
    let wanted = spread(versions.clone(), args.sample);
    registry(&options, &source, wanted, &versions)
}

/// At most so many, spread evenly.
fn spread<T>(list: Vec<T>, most: Option<NonZeroUsize>) -> Vec<T> {
    let step = most.map_or(1, |most| list.len().div_ceil(most.get()).max(1));
    list.into_iter().step_by(step).collect()
}

/// Where published versions come from.
enum Source {
    Cargo(CargoCache),
    Directory(LocalRegistry),
    Sparse(Box<SparseRegistry>),
}

/// Names and versions.
type Versions = Vec<(String, Version)>;

impl Source {
    fn open(args: &BuildArgs, dir: &Utf8Path) -> Result<Option<Source>> {
        if args.source.cargo_cache {
            return Ok(Some(Source::Cargo(cache()?)));
        }
        if let Some(directory) = &args.source.registry_dir {
            let directory =
                camino::absolute_utf8(directory).context("cannot tell the directory")?;
            return Ok(Some(Source::Directory(LocalRegistry::open(&directory)?)));
        }
        let Some(address) = &args.source.registry else {
            return Ok(None);
        };
        let options = HttpOptions {
            offline: args.offline,
            ..HttpOptions::default()
        };
        let cache = dir.join("registry");
        Ok(Some(Source::Sparse(Box::new(SparseRegistry::open(
            address, &cache, options,
        )?))))
    }

    fn archives(&self) -> &dyn Archives {
        match self {
            Source::Cargo(cache) => cache,
            Source::Directory(directory) => directory,
            Source::Sparse(registry) => &**registry,
        }
    }

    /// What to make fragments of, and what to prefer among what fits.
    fn wanted(&self, args: &BuildArgs) -> Result<(Versions, Versions)> {
        let there = match self {
            Source::Cargo(cache) => cache.archives()?,
            Source::Directory(directory) => directory.archives()?,
            Source::Sparse(registry) => {
                return Ok((
                    spread(asked(registry, &args.only)?, args.sample),
                    Vec::new(),
                ));
            }
        };
        let named = |(name, version): &&(String, Version)| {
            let exact = format!("{name}@{version}");
            args.only.is_empty() || args.only.iter().any(|only| only == name || *only == exact)
        };
        let wanted: Versions = there.iter().filter(named).cloned().collect();
        if wanted.is_empty() {
            return Err(Usage {
                message: "there is no archive of such a version".to_owned(),
                hint: match self {
                    Source::Cargo(_) => "run `cargo fetch` in a project that needs it",
                    _ => "archives are called `name-version.crate`",
                }
                .to_owned(),
            }
            .into());
        }
        Ok((spread(wanted, args.sample), there))
    }
}

/// The versions of a registry that are asked for by name. It has no list of
/// all.
fn asked(registry: &SparseRegistry, only: &[String]) -> Result<Versions> {
    if only.is_empty() {
        return Err(Usage {
            message: "a registry over the sparse protocol does not list its crates".to_owned(),
            hint: "name some, as `name` or `name@version`, or give --from-lock Cargo.lock"
                .to_owned(),
        }
        .into());
    }
    let mut found = Vec::new();
    for only in only {
        let (name, wanted) = match only.split_once('@') {
            Some((name, version)) => {
                let wanted = Version::parse(version)
                    .with_context(|| format!("`{version}` is not a version"))?;
                (name, Some(wanted))
            }
            None => (only.as_str(), None),
        };
        let file = registry.index_file(name)?;
        let versions = file.iter().flat_map(|file| &file.versions);
        let known = found.len();
        found.extend(
            versions
                .filter(|version| match &wanted {
                    Some(wanted) => version.version == *wanted,
                    None => !version.yanked,
                })
                .map(|version| (version.name.clone(), version.version.clone())),
        );
        if found.len() == known {
            return Err(Usage {
                message: format!("{} has no `{only}`", registry.address()),
                hint: "check the name and the version; without a version, those that were \
                       not yanked are meant"
                    .to_owned(),
            }
            .into());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn registry(
    options: &LoadOptions,
    source: &Source,
    wanted: Versions,
    prefer: &[(String, Version)],
) -> Result<Work> {
    let base = palisade_project::base(options)?;
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
    let mut work = Work::of_registry(base, source.archives(), &wanted, &options)?;
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

    /// It is known what to make.
    fn planned(&self) {
        let mut state = self.state.borrow_mut();
        let timing = state.summary.timing.get_or_insert_default();
        timing.planning_seconds = self.started.elapsed().as_secs_f64();
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

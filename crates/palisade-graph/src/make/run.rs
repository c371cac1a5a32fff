//! Making fragments, in worker processes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use camino::Utf8PathBuf;
use palisade_project::Plan;
use palisade_sandbox::{Limits, Outcome, Pool, PoolOptions, SandboxError, Verdict, WorkerCommand};

use super::batch::{BatchLimits, batches};
use super::wire::Job;
use super::work::{Piece, Work, is_sysroot};
use super::worker;
use crate::store::{FailureRecord, Stage};
use crate::{ENGINE, Fragment, Key, Origin, Quality, ReadLimits, Shortfall, Store, StoreError};

/// How to make fragments.
#[derive(Clone, Debug)]
pub struct MakeOptions {
    /// Worker processes.
    pub workers: usize,
    /// Make again what is there already, or what failed before.
    pub again: bool,
    /// Most fragments in one job.
    pub batch: usize,
    /// Most crates that are loaded for one job.
    pub batch_crates: usize,
    /// What one job may use.
    pub limits: Limits,
    /// How the executable knows that it is a worker.
    pub worker: WorkerCommand,
}

impl MakeOptions {
    /// Sensible ones, for this many workers.
    pub fn new(workers: usize, worker: WorkerCommand) -> MakeOptions {
        MakeOptions {
            workers,
            again: false,
            batch: 24,
            batch_crates: 220,
            limits: Limits {
                // The analysis runs on a stack of 1 GiB, which counts as
                // memory though hardly any of it is ever touched.
                memory: (2560 + 1024) << 20,
                cpu: Duration::from_secs(300),
                wall: Duration::from_secs(900),
                output: 256 << 20,
                ..Limits::default()
            },
            worker,
        }
    }
}

/// A fragment that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// What it is kept under.
    pub key: Key,
    /// How much was understood.
    pub quality: Quality,
    /// Why it does not count as made, if it does not.
    pub shortfall: Option<Shortfall>,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// The processor time that it took, with its share of what its job took as
    /// a whole, where that is known.
    pub cpu: Option<Duration>,
    /// The most memory that the worker has had in use so far, in bytes; 0
    /// where that is not known.
    pub memory: u64,
}

/// A crate version without a fragment.
#[derive(Clone, Debug)]
pub struct Failed {
    /// What it would be kept under.
    pub key: Key,
    /// Why there is none.
    pub reason: String,
}

/// Whoever waits.
pub trait Progress {
    /// The number of fragments that are to be made and of those that are there
    /// already.
    fn start(&self, wanted: usize, kept: usize);
    /// One more is made.
    fn made(&self, made: &Made);
    /// One more cannot be made.
    fn failed(&self, failed: &Failed);
}

/// Why making fragments came to a stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No worker can be started.
    #[error("no worker process can be started")]
    Sandbox(#[from] SandboxError),
}

/// Makes the fragments of some work that are not in the store yet.
///
/// A job that breaks its worker is tried again in halves, so that the crate to
/// blame costs only itself. Killed at any moment, the next call
/// goes on with what is missing.
///
/// # Errors
/// The store cannot be used, or no worker be started. What is wrong with one
/// crate is a [`Failed`] instead.
pub fn make(
    work: &Work,
    store: &Store,
    options: &MakeOptions,
    progress: &dyn Progress,
) -> Result<(), MakeError> {
    if let Some(program) = &work.program {
        store.write_program(program)?;
    }
    let wanted = wanted(work, store, options)?;
    let kept = work.pieces.len() - wanted.len();
    progress.start(wanted.len() + work.unplanned.len(), kept);
    for (key, reason) in &work.unplanned {
        fail(store, progress, key.clone(), reason.clone(), Stage::Plan)?;
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let mut pool = Pool::start(
        options.worker.clone(),
        PoolOptions {
            workers: options.workers,
            limits: options.limits.clone(),
            readable: readable(&work.plan),
            ..PoolOptions::default()
        },
    )?;
    let limits = BatchLimits {
        pieces: options.batch.max(1),
        units: options.batch_crates,
    };
    let mut jobs = batches(&work.plan, &work.pieces, wanted, &limits);
    while !jobs.is_empty() {
        let mut halves: Vec<Vec<usize>> = Vec::new();
        let encoded = jobs.iter().map(|batch| {
            let pieces = batch.iter().map(|&piece| &work.pieces[piece]);
            serde_json::to_vec(&Job::new(&work.plan, pieces)).unwrap_or_default()
        });
        for outcome in pool.run_bytes(encoded) {
            let batch = &jobs[outcome.index];
            match answered(outcome, batch, work) {
                Ok(made) => {
                    for (made, bytes) in made {
                        store.write(&made.key, &bytes)?;
                        progress.made(&made);
                    }
                }
                Err(_) if batch.len() > 1 => {
                    let (left, right) = batch.split_at(batch.len() / 2);
                    halves.extend([left.to_vec(), right.to_vec()]);
                }
                Err(reason) => {
                    let key = work.pieces[batch[0]].key.clone();
                    fail(store, progress, key, reason, Stage::Make)?;
                }
            }
        }
        jobs = halves;
    }
    Ok(())
}

/// The pieces that are not there yet. Somebody's own source may have changed
/// since, so that is always read again.
fn wanted(work: &Work, store: &Store, options: &MakeOptions) -> Result<Vec<usize>, StoreError> {
    let mut wanted = Vec::new();
    for (index, piece) in work.pieces.iter().enumerate() {
        let again = options.again || piece.origin == Origin::Local;
        if again || !is_known(piece, store)? {
            wanted.push(index);
        }
    }
    Ok(wanted)
}

fn is_known(piece: &Piece, store: &Store) -> Result<bool, StoreError> {
    match store.read(&piece.key) {
        // With more of its dependencies there it can be made better.
        Ok(Some(fragment)) if fragment.engine == ENGINE => {
            return Ok(fragment.missing.len() <= piece.missing.len());
        }
        // What another engine made, or what is damaged, is made again.
        Ok(_) | Err(StoreError::Format { .. }) => {}
        Err(error) => return Err(error),
    }
    let failure = store.failure(&piece.key)?;
    Ok(failure.is_some_and(|failure| failure.engine == ENGINE && failure.stage == Stage::Make))
}

fn fail(
    store: &Store,
    progress: &dyn Progress,
    key: Key,
    reason: String,
    stage: Stage,
) -> Result<(), StoreError> {
    store.write_failure(&FailureRecord {
        key: key.clone(),
        engine: ENGINE.to_owned(),
        reason: reason.clone(),
        stage,
    })?;
    progress.failed(&Failed { key, reason });
    Ok(())
}

/// The fragments of a job's answer. A worker may have been taken over by what
/// it read, so it is believed nothing but what it was asked for.
fn answered(
    outcome: Outcome<Vec<u8>>,
    batch: &[usize],
    work: &Work,
) -> Result<Vec<(Made, Vec<u8>)>, String> {
    let answer = match outcome.verdict {
        Verdict::Done(answer) => answer,
        Verdict::Failed(failure) => return Err(failure.to_string()),
    };
    let garbled = || "the worker's answer is garbled".to_owned();
    let (memory, files) = worker::split(&answer, batch.len()).ok_or_else(garbled)?;
    // What the job took as a whole: loading, and what its crates share.
    let own: Duration = files.iter().map(|file| file.cpu).sum();
    let share = u32::try_from(batch.len()).unwrap_or(1);
    let shared = outcome.cpu.map(|cpu| cpu.saturating_sub(own) / share);
    let mut made = Vec::new();
    for (&piece, worker::Answered { cpu, bytes }) in batch.iter().zip(files) {
        let key = &work.pieces[piece].key;
        let fragment = Fragment::decode(bytes, &ReadLimits::default())
            .map_err(|error| format!("{}: {error}", garbled()))?;
        let same = fragment.package == key.package
            && fragment.version == key.version
            && fragment.features == key.features;
        if !same {
            return Err(garbled());
        }
        let shortfall = fragment.shortfall();
        made.push((
            Made {
                key: key.clone(),
                quality: fragment.quality(),
                shortfall,
                bytes: bytes.len() as u64,
                cpu: shared.map(|shared| shared + cpu),
                memory,
            },
            bytes.to_vec(),
        ));
    }
    Ok(made)
}

/// The directories that a worker has to read: stores of packages as a whole,
/// anybody's own source by itself.
fn readable(plan: &Plan) -> Vec<PathBuf> {
    let mut directories: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    for unit in &plan.units {
        let directory = &unit.package_dir;
        let name = format!("{}-{}", unit.package.name, unit.package.version);
        let in_store = directory
            .file_name()
            .is_some_and(|file| file == name || file.strip_suffix(".crate") == Some(name.as_str()));
        let directory = match directory.parent() {
            Some(store) if in_store && !is_sysroot(unit) => store.to_owned(),
            _ => directory.clone(),
        };
        if directory.is_dir() {
            directories.insert(directory);
        }
    }
    let directories = directories.into_iter().map(Utf8PathBuf::into_std_path_buf);
    // The worker opens them as its own, and only says in them what it needed.
    let itself = worker::ABOUT_ITSELF.iter().map(PathBuf::from);
    directories
        .chain(itself.filter(|file| file.is_file()))
        .collect()
}

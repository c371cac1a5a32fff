//! Scanning in worker processes, so that a package that breaks its scanner
//! costs only itself.

mod serve;
mod wire;

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use camino::Utf8PathBuf;
use palisade_sandbox::{
    Limits as WorkerLimits, Pool, PoolOptions, Reason, Report as Restrictions, SandboxError,
    Verdict, WorkerCommand,
};

use crate::scan::in_parallel;
use crate::{Diff, Input, Limits, Outcome, Report, Request, ScanError, Scanner};
use wire::{Answer, Task};

pub use serve::serve_worker;

/// What detectors ask beside the package, by where it lies. Workers may read
/// these places and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataPaths {
    /// The directory of a registry's database dump; see
    /// [`NameCorpus::open`](crate::NameCorpus::open).
    pub names: Option<Utf8PathBuf>,
}

impl DataPaths {
    fn readable(&self) -> impl Iterator<Item = PathBuf> {
        let names = self.names.iter();
        names.map(|path| path.clone().into_std_path_buf())
    }
}

/// How to scan in workers.
#[derive(Clone, Debug)]
pub struct WorkersOptions {
    /// How many packages are scanned at a time, each in a process of its own.
    pub workers: usize,
    /// How the executable knows that it is to call [`serve_worker`].
    pub command: WorkerCommand,
    /// What one package may use.
    pub limits: WorkerLimits,
    /// How much of it is looked at.
    pub scan: Limits,
    /// What detectors ask beside the package.
    pub data: DataPaths,
    /// Directories of packages that workers have to read themselves, by
    /// absolute path. Archives need none: their bytes are handed over.
    pub directories: Vec<Utf8PathBuf>,
}

impl WorkersOptions {
    /// Sensible ones.
    ///
    /// Of popular crates none needs more than 300 MB of memory or a few
    /// seconds; the archive format allows for 512 MiB of files, which are kept
    /// while they are looked at.
    pub fn new(workers: usize, command: WorkerCommand) -> WorkersOptions {
        WorkersOptions {
            workers,
            command,
            limits: WorkerLimits {
                memory: 1 << 30,
                cpu: Duration::from_secs(60),
                wall: Duration::from_secs(300),
                // An archive may have 128 MiB, and so may the version before.
                input: 320 << 20,
                output: 32 << 20,
                ..WorkerLimits::default()
            },
            scan: Limits::default(),
            data: DataPaths::default(),
            directories: Vec::new(),
        }
    }
}

/// How much more memory a worker gets that has to hold a database dump.
const DUMP_MEMORY: u64 = 2 << 30;

/// Restricted processes that scan packages: bytes in, reports out.
///
/// They can be asked from several threads at a time; whoever finds all of
/// them at work waits. Dropping this ends them.
///
/// A report comes from a process that has read a stranger's package. It is
/// believed about nothing but that package, and its texts are shown like a
/// stranger's.
#[derive(Debug)]
pub struct Workers {
    options: WorkersOptions,
    state: Mutex<State>,
    freed: Condvar,
    problems: Vec<String>,
}

#[derive(Debug)]
struct State {
    idle: Vec<Pool>,
    /// How many there are, idle or at work.
    all: usize,
    restrictions: Restrictions,
}

impl Workers {
    /// Starts the first worker, which opens the data that detectors ask, so
    /// that what cannot work is an error here; the others start when they are
    /// needed.
    ///
    /// # Errors
    /// No worker can be started, or the data cannot be read.
    pub fn start(mut options: WorkersOptions) -> Result<Workers, ScanError> {
        if options.data.names.is_some() {
            options.limits.memory = options.limits.memory.saturating_add(DUMP_MEMORY);
        }
        let first = pool(&options)?;
        let mut workers = Workers {
            state: Mutex::new(State {
                restrictions: first.report(),
                idle: vec![first],
                all: 1,
            }),
            options,
            freed: Condvar::new(),
            problems: Vec::new(),
        };
        if workers.options.data != DataPaths::default() {
            workers.problems = match workers.ask(Task::Open, &Request::nothing())? {
                Answer::Opened(problems) => problems,
                other => return Err(refused(other)),
            };
        }
        Ok(workers)
    }

    /// Parts of the data that could not be read.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What the workers are restricted to on this system.
    pub fn restrictions(&self) -> Restrictions {
        self.state().restrictions.clone()
    }

    /// Scans a package. `reader` says what its surroundings are, which no
    /// worker needs to know.
    ///
    /// # Errors
    /// It cannot be read, it was too much for its worker, or no worker starts.
    pub fn scan(&self, reader: &Scanner, request: &Request) -> Result<Report, ScanError> {
        match self.ask(Task::Scan, request)? {
            Answer::Report(mut report) => {
                reader.judge(&mut report);
                Ok(*report)
            }
            other => Err(refused(other)),
        }
    }

    /// Compares two packages: what changed that matters to a reviewer, and
    /// what the scan of the newer one says about it.
    ///
    /// # Errors
    /// As for [`Workers::scan`].
    pub fn compare(
        &self,
        reader: &Scanner,
        request: &Request,
    ) -> Result<(Diff, Report), ScanError> {
        match self.ask(Task::Compare, request)? {
            Answer::Diff(both) => {
                let (diff, mut report) = *both;
                reader.judge(&mut report);
                Ok((diff, report))
            }
            other => Err(refused(other)),
        }
    }

    /// Scans what inputs name, as many at a time as there are workers. The
    /// outcomes are in the order of the inputs; `done` is told how many there
    /// are so far. `reader` reads the inputs and knows their surroundings.
    pub fn scan_all(
        &self,
        reader: &Scanner,
        inputs: &[Input],
        done: impl Fn(usize) + Sync,
    ) -> Vec<Outcome> {
        in_parallel(inputs, self.options.workers, done, |input| {
            self.scan(reader, &reader.request(input)?)
        })
    }

    fn ask(&self, task: Task, request: &Request) -> Result<Answer, ScanError> {
        let job = wire::encode(task, request, &self.options);
        let mut pool = self.take()?;
        let outcome = pool.run_bytes([job]).next();
        self.put_back(pool);
        let target = &request.new.target;
        let answer = match outcome.map(|outcome| outcome.verdict) {
            Some(Verdict::Done(answer)) => answer,
            Some(Verdict::Failed(failure)) => {
                return Err(match failure.reason {
                    Reason::NotStarted { detail } => {
                        ScanError::Sandbox(SandboxError::NotReady { reason: detail })
                    }
                    reason => ScanError::Ended(reason.to_string()),
                });
            }
            None => return Err(ScanError::Ended("the worker gave no answer".to_owned())),
        };
        let mut answer: Answer = serde_json::from_slice(&answer).map_err(|error| {
            ScanError::Ended(format!("the worker's answer is garbled: {error}"))
        })?;
        // Whatever the package made of its worker, it speaks for itself alone.
        if let Answer::Report(report) = &mut answer {
            report.target.clone_from(target);
        }
        Ok(answer)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle worker, a new one where there may be more, or the next that is
    /// free.
    fn take(&self) -> Result<Pool, SandboxError> {
        let most = self.options.workers.max(1);
        let waited = self.freed.wait_while(self.state(), |state| {
            state.idle.is_empty() && state.all >= most
        });
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = state.idle.pop() {
            return Ok(pool);
        }
        state.all += 1;
        drop(state);
        pool(&self.options).inspect_err(|_| {
            self.state().all -= 1;
            self.freed.notify_one();
        })
    }

    fn put_back(&self, pool: Pool) {
        self.state().idle.push(pool);
        self.freed.notify_one();
    }
}

/// One worker, replaced when it breaks.
fn pool(options: &WorkersOptions) -> Result<Pool, SandboxError> {
    let directories = options.directories.iter();
    let directories = directories.map(|path| path.clone().into_std_path_buf());
    Pool::start(
        options.command.clone(),
        PoolOptions {
            workers: 1,
            limits: options.limits.clone(),
            readable: directories.chain(options.data.readable()).collect(),
            ..PoolOptions::default()
        },
    )
}

/// Why there is no report.
fn refused(answer: Answer) -> ScanError {
    match answer {
        Answer::Unreadable(reason) => ScanError::Unreadable(reason),
        Answer::Failed(reason) => ScanError::Ended(reason),
        Answer::Report(_) | Answer::Diff(_) | Answer::Opened(_) => {
            ScanError::Ended("the worker answers another question".to_owned())
        }
    }
}

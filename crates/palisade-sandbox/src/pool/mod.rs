//! A pool of workers.
//!
//! Each slot of the pool is a thread with at most one worker process. The
//! caller's thread feeds a short queue and takes the outcomes, so that jobs
//! are made only as fast as they are done; the slots know bytes only.

mod queue;
mod run;
mod slot;

use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::command::WorkerCommand;
use crate::error::SandboxError;
use crate::limits::Limits;
use crate::process::{Event, Process};
use crate::protocol::Hello;
use crate::report::{Protection, Report, Status};

use queue::Queue;
pub use run::{Canceller, InOrder, Run};
use slot::Slot;

/// How many workers there are, and what they may do.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// How many jobs run at a time, each in a process of its own; at least 1.
    pub workers: usize,
    /// What each of them may use.
    pub limits: Limits,
    /// Directories, or single files, that the workers may read, by absolute
    /// path; they must exist. Everything else stays closed where the system
    /// can enforce it.
    pub readable: Vec<PathBuf>,
    /// How often a job is given to another worker after its worker crashed or
    /// answered garbage. A job that ran out of memory or time, or panicked,
    /// would do so again and is never repeated.
    pub retries: u32,
    /// What must be in force for a worker to be given any job.
    pub require: Vec<Protection>,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            workers: thread::available_parallelism().map_or(1, usize::from),
            limits: Limits::default(),
            readable: Vec::new(),
            retries: 1,
            require: Vec::new(),
        }
    }
}

/// Workers that wait for jobs. Dropping the pool ends and reaps them all.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    slots: Vec<JoinHandle<()>>,
    wakers: Arc<[Sender<Event>]>,
}

/// What the slots and the pool's owner have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    command: WorkerCommand,
    hello: Hello,
    retries: u32,
    require: Vec<Protection>,
    report: Mutex<Report>,
    queue: Queue,
}

impl Shared {
    /// Refuses a worker that lacks what is required, and remembers what it
    /// lacks otherwise.
    fn admit(&self, report: &Report) -> Result<(), SandboxError> {
        required(&self.require, report)?;
        let mut known = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        known.weaken(report);
        Ok(())
    }
}

fn required(require: &[Protection], report: &Report) -> Result<(), SandboxError> {
    for &protection in require {
        match report.status(protection) {
            Status::InForce(_) => {}
            Status::Partly(reason) | Status::NotInForce(reason) => {
                return Err(SandboxError::Required {
                    protection,
                    reason: reason.clone(),
                });
            }
        }
    }
    Ok(())
}

impl Pool {
    /// Starts the first worker, so that a pool that cannot work is an error
    /// here; the others start with their first job.
    ///
    /// # Errors
    /// The limits make no sense, the worker does not get ready, or a required
    /// protection is not in force.
    pub fn start(command: WorkerCommand, options: PoolOptions) -> Result<Self, SandboxError> {
        options.limits.check()?;
        let hello = Hello {
            limits: options.limits,
            readable: options.readable,
        };
        let mut channels: Vec<_> = (0..options.workers.max(1))
            .map(|_| mpsc::channel())
            .collect();
        let (sender, receiver) = &channels[0];
        let first = Process::start(&command, &hello, 0, (sender, receiver), &|| false)?;
        required(&options.require, &first.report)?;

        let wakers = channels.iter().map(|(sender, _)| sender.clone()).collect();
        let mut pool = Self {
            shared: Arc::new(Shared {
                command,
                hello,
                retries: options.retries,
                require: options.require,
                report: Mutex::new(first.report.clone()),
                queue: Queue::new(channels.len()),
            }),
            slots: Vec::new(),
            wakers,
        };
        let mut first = Some(first);
        for (number, (sender, receiver)) in channels.drain(..).enumerate() {
            let slot = Slot::new(Arc::clone(&pool.shared), sender, receiver, first.take());
            let thread = thread::Builder::new()
                .name(format!("workers-{number}"))
                .spawn(move || slot.work())
                .map_err(|source| SandboxError::Thread { source })?;
            pool.slots.push(thread);
        }
        Ok(pool)
    }

    /// What the workers are restricted to: for each protection the weakest
    /// status that any worker has reported so far.
    pub fn report(&self) -> Report {
        let report = self.shared.report.lock();
        report.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives the jobs to the workers, as JSON, and yields the outcomes as they
    /// come. `jobs` is asked for the next one as fast as workers get free, on
    /// the thread that asks for outcomes. Dropping the iterator cancels what
    /// is still at work.
    pub fn run<J, T>(
        &mut self,
        jobs: impl IntoIterator<Item = J>,
    ) -> Run<'_, impl Iterator<Item = Result<Vec<u8>, String>>, T>
    where
        J: Serialize,
        T: DeserializeOwned,
    {
        let encoded = jobs
            .into_iter()
            .map(|job| serde_json::to_vec(&job).map_err(|error| error.to_string()));
        Run::new(self, encoded, |bytes| {
            serde_json::from_slice(&bytes).map_err(|error| error.to_string())
        })
    }

    /// [`Pool::run`] for jobs and answers that are bytes already.
    pub fn run_bytes(
        &mut self,
        jobs: impl IntoIterator<Item = Vec<u8>>,
    ) -> Run<'_, impl Iterator<Item = Result<Vec<u8>, String>>, Vec<u8>> {
        Run::new(self, jobs.into_iter().map(Ok), Ok)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.queue.close();
        for waker in self.wakers.iter() {
            waker.send(Event::Wake).ok();
        }
        for slot in self.slots.drain(..) {
            // A slot that panicked has ended its process while unwinding.
            slot.join().ok();
        }
    }
}

//! A sequence of jobs and its outcomes.

use std::collections::{BTreeMap, VecDeque};
use std::iter::Fuse;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use crate::process::Event;
use crate::verdict::{Failure, Outcome, Reason, Verdict};

use super::Pool;
use super::queue::{Job, Raw};

/// Turns an answer's bytes into an answer.
type Decode<T> = fn(Vec<u8>) -> Result<T, String>;

/// The outcomes of a sequence of jobs as they come. See [`Pool::run`].
#[derive(Debug)]
pub struct Run<'p, I: Iterator<Item = Result<Vec<u8>, String>>, T> {
    pool: &'p mut Pool,
    jobs: Fuse<I>,
    decode: Decode<T>,
    /// The number of jobs that were made so far.
    made: usize,
    /// Outcomes of jobs that no worker saw.
    refused: VecDeque<Outcome<T>>,
    outstanding: usize,
    sender: Sender<Raw>,
    results: Receiver<Raw>,
    canceller: Canceller,
}

impl<'p, I: Iterator<Item = Result<Vec<u8>, String>>, T> Run<'p, I, T> {
    pub(super) fn new(pool: &'p mut Pool, jobs: I, decode: Decode<T>) -> Self {
        let (sender, results) = mpsc::channel();
        let canceller = Canceller {
            cancelled: Arc::default(),
            wakers: Arc::clone(&pool.wakers),
        };
        Self {
            pool,
            jobs: jobs.fuse(),
            decode,
            made: 0,
            refused: VecDeque::new(),
            outstanding: 0,
            sender,
            results,
            canceller,
        }
    }

    /// The same outcomes in the order of the jobs. What is ready early waits
    /// in memory for what comes before it, so one slow job can hold back as
    /// many outcomes as the other workers make in the time that it may take.
    pub fn in_order(self) -> InOrder<'p, I, T> {
        InOrder {
            run: self,
            next: 0,
            early: BTreeMap::new(),
        }
    }

    /// Cancels the run from another thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Keeps the queue filled: one job in work and one waiting per worker.
    fn feed(&mut self) {
        let most = self.pool.wakers.len() * 2;
        while self.outstanding < most && !self.canceller.is_cancelled() {
            let Some(job) = self.jobs.next() else {
                return;
            };
            let index = self.made;
            self.made += 1;
            let limit = self.pool.shared.hello.limits.input;
            let reason = match job {
                Ok(bytes) if bytes.len() as u64 <= u64::from(limit) => {
                    self.outstanding += 1;
                    let cancelled = Arc::clone(&self.canceller.cancelled);
                    let job = Job::new(index, bytes, cancelled, self.sender.clone());
                    self.pool.shared.queue.push(job);
                    continue;
                }
                Ok(bytes) => Reason::InputTooLarge {
                    bytes: bytes.len() as u64,
                    limit: limit.into(),
                },
                Err(detail) => Reason::Encoding { detail },
            };
            self.refused.push_back(Outcome {
                index,
                verdict: failed(reason),
                attempts: 0,
                wall: Duration::ZERO,
                cpu: None,
            });
            // It is an outcome like any other: not too many at a time.
            return;
        }
    }
}

fn failed<T>(reason: Reason) -> Verdict<T> {
    Verdict::Failed(Failure {
        reason,
        stderr: String::new(),
    })
}

impl<I: Iterator<Item = Result<Vec<u8>, String>>, T> Iterator for Run<'_, I, T> {
    type Item = Outcome<T>;

    fn next(&mut self) -> Option<Outcome<T>> {
        self.feed();
        if let Some(refused) = self.refused.pop_front() {
            return Some(refused);
        }
        if self.outstanding == 0 {
            return None;
        }
        // Every job answers, at the latest when it is dropped.
        let raw = self.results.recv().ok()?;
        self.outstanding -= 1;
        let verdict = match raw.verdict {
            Verdict::Done(bytes) => match (self.decode)(bytes) {
                Ok(answer) => Verdict::Done(answer),
                Err(detail) => failed(Reason::Encoding { detail }),
            },
            Verdict::Failed(failure) => Verdict::Failed(failure),
        };
        Some(Outcome {
            index: raw.index,
            verdict,
            attempts: raw.attempts,
            wall: raw.wall,
            cpu: raw.cpu,
        })
    }
}

impl<I: Iterator<Item = Result<Vec<u8>, String>>, T> Drop for Run<'_, I, T> {
    fn drop(&mut self) {
        if self.outstanding > 0 {
            self.canceller.cancel();
        }
    }
}

/// The outcomes of a sequence of jobs in its order. See [`Run::in_order`].
#[derive(Debug)]
pub struct InOrder<'p, I: Iterator<Item = Result<Vec<u8>, String>>, T> {
    run: Run<'p, I, T>,
    next: usize,
    early: BTreeMap<usize, Outcome<T>>,
}

impl<I: Iterator<Item = Result<Vec<u8>, String>>, T> InOrder<'_, I, T> {
    /// Cancels the run from another thread.
    pub fn canceller(&self) -> Canceller {
        self.run.canceller()
    }
}

impl<I: Iterator<Item = Result<Vec<u8>, String>>, T> Iterator for InOrder<'_, I, T> {
    type Item = Outcome<T>;

    fn next(&mut self) -> Option<Outcome<T>> {
        loop {
            if let Some(outcome) = self.early.remove(&self.next) {
                self.next += 1;
                return Some(outcome);
            }
            let outcome = self.run.next()?;
            self.early.insert(outcome.index, outcome);
        }
    }
}

/// Cancels a run: workers at work on its jobs are ended, the jobs that were
/// taken get the verdict [`Reason::Cancelled`], and no more are taken.
#[derive(Debug, Clone)]
pub struct Canceller {
    cancelled: Arc<AtomicBool>,
    wakers: Arc<[Sender<Event>]>,
}

impl Canceller {
    /// Cancels the run; harmless when it is over.
    pub fn cancel(&self) {
        if self.cancelled.swap(true, Ordering::Relaxed) {
            return;
        }
        for waker in self.wakers.iter() {
            waker.send(Event::Wake).ok();
        }
    }

    /// Whether somebody did.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

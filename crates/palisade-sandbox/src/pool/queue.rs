//! Jobs on their way to a worker.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::verdict::{Failure, Outcome, Reason, Verdict};

/// An outcome whose answer is still encoded.
pub(super) type Raw = Outcome<Vec<u8>>;

/// A job that somebody waits for. It is answered exactly once: at the latest
/// when it is dropped.
#[derive(Debug)]
pub(super) struct Job {
    index: usize,
    pub(super) bytes: Vec<u8>,
    cancelled: Arc<AtomicBool>,
    results: Option<Sender<Raw>>,
}

impl Job {
    pub(super) fn new(
        index: usize,
        bytes: Vec<u8>,
        cancelled: Arc<AtomicBool>,
        results: Sender<Raw>,
    ) -> Self {
        Self {
            index,
            bytes,
            cancelled,
            results: Some(results),
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(super) fn answer(
        mut self,
        verdict: Verdict<Vec<u8>>,
        attempts: u32,
        wall: Duration,
        cpu: Option<Duration>,
    ) {
        self.tell(verdict, attempts, wall, cpu);
    }

    fn tell(
        &mut self,
        verdict: Verdict<Vec<u8>>,
        attempts: u32,
        wall: Duration,
        cpu: Option<Duration>,
    ) {
        if let Some(results) = self.results.take() {
            // Whoever dropped the run no longer wants to know.
            results
                .send(Outcome {
                    index: self.index,
                    verdict,
                    attempts,
                    wall,
                    cpu,
                })
                .ok();
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let failure = Failure {
            reason: Reason::Cancelled,
            stderr: String::new(),
        };
        self.tell(Verdict::Failed(failure), 0, Duration::ZERO, None);
    }
}

/// The queue that all slots take from.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    jobs: VecDeque<Job>,
    /// Slots that have not given up.
    living: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                living: slots,
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, job: Job) {
        self.state().jobs.push_back(job);
        self.changed.notify_one();
    }

    /// Waits for a job; `None` once the pool is gone.
    pub(super) fn take(&self) -> Option<Job> {
        let state = self.state();
        let waited = self
            .changed
            .wait_while(state, |state| state.jobs.is_empty() && !state.closed);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return None;
        }
        state.jobs.pop_front()
    }

    /// A slot cannot start workers any more. Its job goes to another one, or
    /// comes back when there is none: the last slot answers for all.
    pub(super) fn give_up(&self, job: Job) -> Option<Job> {
        let mut state = self.state();
        if state.living <= 1 {
            return Some(job);
        }
        state.living -= 1;
        state.jobs.push_front(job);
        drop(state);
        self.changed.notify_one();
        None
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Ends the slots and cancels what they have not begun.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let jobs = std::mem::take(&mut state.jobs);
        drop(state);
        drop(jobs);
        self.changed.notify_all();
    }
}

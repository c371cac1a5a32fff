//! One place in the pool: a thread that keeps one worker alive and gives it
//! one job after the other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use crate::error::SandboxError;
use crate::frame::{Frame, Kind};
use crate::process::{Event, Process, Silence, reason_of};
use crate::protocol;
use crate::verdict::{Clock, Failure, Reason, Verdict};

use super::Shared;
use super::queue::Job;

/// Starts in a row that may fail before a slot gives up.
const STARTS: u32 = 3;

pub(super) struct Slot {
    shared: Arc<Shared>,
    sender: Sender<Event>,
    events: Receiver<Event>,
    process: Option<Process>,
    /// Processes and jobs so far; they tell what is late from what is due.
    processes: u64,
    jobs: u64,
}

/// What an attempt came to.
struct Attempt {
    verdict: Verdict<Vec<u8>>,
    wall: Duration,
    cpu: Option<Duration>,
}

impl Slot {
    pub(super) fn new(
        shared: Arc<Shared>,
        sender: Sender<Event>,
        events: Receiver<Event>,
        process: Option<Process>,
    ) -> Self {
        Self {
            shared,
            sender,
            events,
            process,
            processes: 0,
            jobs: 0,
        }
    }

    /// Until the pool is gone.
    pub(super) fn work(mut self) {
        let mut given_up: Option<String> = None;
        while let Some(mut job) = self.shared.queue.take() {
            let mut attempts = 0;
            let attempt = loop {
                if self.is_unwanted(&job) {
                    break failed(Reason::Cancelled, String::new());
                }
                if given_up.is_none() {
                    given_up = self.ensure_process(&job).err().map(|e| e.to_string());
                }
                if let Some(detail) = &given_up {
                    if self.is_unwanted(&job) {
                        given_up = None;
                        continue;
                    }
                    match self.shared.queue.give_up(job) {
                        Some(last) => job = last,
                        None => return,
                    }
                    let detail = detail.clone();
                    break failed(Reason::NotStarted { detail }, String::new());
                }
                attempts += 1;
                let attempt = self.attempt(&job);
                let again = matches!(&attempt.verdict,
                    Verdict::Failed(failure) if failure.reason.may_pass());
                if !again || attempts > self.shared.retries {
                    break attempt;
                }
            };
            job.answer(attempt.verdict, attempts, attempt.wall, attempt.cpu);
        }
    }

    fn is_unwanted(&self, job: &Job) -> bool {
        job.is_cancelled() || self.shared.queue.is_closed()
    }

    /// A worker that lives. One that somebody ended between two jobs is
    /// replaced, and the next job knows nothing of it.
    fn ensure_process(&mut self, job: &Job) -> Result<(), SandboxError> {
        if self.process.as_mut().is_some_and(Process::is_alive) {
            return Ok(());
        }
        self.process = None;
        let mut failures = 0;
        loop {
            match self.start(job) {
                Ok(process) => {
                    self.process = Some(process);
                    return Ok(());
                }
                Err(error) => {
                    failures += 1;
                    if failures >= STARTS || self.is_unwanted(job) {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn start(&mut self, job: &Job) -> Result<Process, SandboxError> {
        self.processes += 1;
        let process = Process::start(
            &self.shared.command,
            &self.shared.hello,
            self.processes,
            (&self.sender, &self.events),
            &|| self.is_unwanted(job),
        )?;
        self.shared.admit(&process.report)?;
        Ok(process)
    }

    /// Gives the job to the worker once. A worker that did anything but answer
    /// is gone afterwards.
    fn attempt(&mut self, job: &Job) -> Attempt {
        let limits = &self.shared.hello.limits;
        let Some(mut process) = self.process.take() else {
            let detail = "there is no worker".to_owned();
            return failed(Reason::NotStarted { detail }, String::new());
        };
        self.jobs += 1;
        let frame = Frame {
            kind: Kind::Job,
            job: self.jobs,
            payload: job.bytes.clone(),
        };
        let begin = Instant::now();
        match frame.encode() {
            Ok(bytes) => process.give(bytes),
            Err(error) => {
                self.process = Some(process);
                let detail = error.to_string();
                return failed(Reason::Encoding { detail }, String::new());
            }
        }
        let received =
            process.receive(&self.events, begin + limits.wall, &|| self.is_unwanted(job));
        let wall = begin.elapsed();
        let mut cpu = None;
        // Either an answer, or a reason and whether the worker can go on.
        let (reason, goes_on) = match received {
            Ok(frame) if frame.job != self.jobs => {
                let detail = format!("it answers job {} instead of {}", frame.job, self.jobs);
                (Reason::Protocol { detail }, false)
            }
            Ok(frame) => match frame.kind {
                Kind::Answer => match protocol::split_answer(frame.payload) {
                    Some((used, body)) => {
                        self.process = Some(process);
                        return Attempt {
                            verdict: Verdict::Done(body),
                            wall,
                            cpu: used,
                        };
                    }
                    None => {
                        let detail = "the answer has no beginning".to_owned();
                        (Reason::Protocol { detail }, false)
                    }
                },
                Kind::Panic => {
                    let message = String::from_utf8_lossy(&frame.payload).into_owned();
                    (Reason::Panic { message }, false)
                }
                Kind::TooLarge => {
                    let bytes = frame.payload.first_chunk().copied();
                    let bytes = bytes.map_or(u64::MAX, u64::from_le_bytes);
                    let limit = limits.output.into();
                    (Reason::OutputTooLarge { bytes, limit }, true)
                }
                Kind::Encoding => {
                    let detail = String::from_utf8_lossy(&frame.payload).into_owned();
                    (Reason::Encoding { detail }, true)
                }
                kind => {
                    let detail = format!("it answers with a frame of kind {kind:?}");
                    (Reason::Protocol { detail }, false)
                }
            },
            Err(Silence::Timeout) => {
                let (clock, limit) = (Clock::Wall, limits.wall);
                (Reason::Time { clock, limit }, false)
            }
            Err(Silence::Cancelled) => (Reason::Cancelled, false),
            Err(Silence::Garbage(error)) => {
                let detail = error.to_string();
                (Reason::Protocol { detail }, false)
            }
            Err(Silence::Closed) => {
                let status = process.ended();
                let stderr = process.last_words();
                let reason = reason_of(status, &stderr, limits);
                if matches!(reason, Reason::Time { .. }) {
                    cpu = Some(limits.cpu);
                }
                return Attempt {
                    verdict: Verdict::Failed(Failure { reason, stderr }),
                    wall,
                    cpu,
                };
            }
        };
        let stderr = if goes_on {
            let words = process.words();
            self.process = Some(process);
            words
        } else {
            process.last_words()
        };
        Attempt {
            verdict: Verdict::Failed(Failure { reason, stderr }),
            wall,
            cpu,
        }
    }
}

fn failed(reason: Reason, stderr: String) -> Attempt {
    Attempt {
        verdict: Verdict::Failed(Failure { reason, stderr }),
        wall: Duration::ZERO,
        cpu: None,
    }
}

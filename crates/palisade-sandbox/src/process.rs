//! One worker process, seen from the parent.

use std::io::{Read, Write};
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::WorkerCommand;
use crate::error::SandboxError;
use crate::frame::{Frame, FrameError, Kind};
use crate::limits::Limits;
use crate::protocol::{self, Hello};
use crate::report::Report;
use crate::tail::Tail;
use crate::verdict::{Clock, Reason};

/// How long the parent waits for the last words of a worker, and for its end
/// once it has closed its output.
const PATIENCE: Duration = Duration::from_secs(1);

/// What wakes up whoever waits for a worker.
#[derive(Debug)]
pub(crate) enum Event {
    /// From the process of this number: a frame, the end, or garbage.
    Output(u64, Result<Option<Frame>, FrameError>),
    /// Something changed: look whether the job is still wanted.
    Wake,
}

/// A running worker. Dropping it ends the process and reaps it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// A thread of its own writes, so that a worker which reads nothing
    /// cannot stop the parent.
    input: Sender<Vec<u8>>,
    tail: Tail,
    /// Tells this process's events from those of its predecessors.
    number: u64,
    pub(crate) report: Report,
}

/// Why waiting ended without a frame.
#[derive(Debug)]
pub(crate) enum Silence {
    /// The time was over.
    Timeout,
    /// The caller no longer wants the answer.
    Cancelled,
    /// The worker closed its output.
    Closed,
    /// The worker wrote something else than a frame.
    Garbage(FrameError),
}

impl Process {
    /// Starts a worker and waits until it has restricted itself.
    pub(crate) fn start(
        command: &WorkerCommand,
        hello: &Hello,
        number: u64,
        events: (&Sender<Event>, &Receiver<Event>),
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Self, SandboxError> {
        let limits = &hello.limits;
        let payload = serde_json::to_vec(hello)
            .map_err(|error| not_ready(format!("its limits cannot be encoded: {error}"), ""))?;
        let greeting = Frame {
            kind: Kind::Hello,
            job: 0,
            payload,
        };
        let greeting = greeting
            .encode()
            .map_err(|error| not_ready(error.to_string(), ""))?;
        let mut child = command.spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // From here on, dropping ends the process.
        let (input, to_write) = mpsc::channel();
        let tail = Tail::new(limits.stderr);
        let mut process = Self {
            child,
            input,
            tail: tail.clone(),
            number,
            report: Report::new(|_| crate::report::Status::NotInForce("not yet".to_owned())),
        };
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(not_ready("it has no standard streams".to_owned(), ""));
        };
        let largest = limits
            .output
            .saturating_add(protocol::ANSWER_EXTRA)
            .max(protocol::GREETING);
        let sender = events.0.clone();
        spawn("worker-input", move || write_all(stdin, &to_write))?;
        spawn("worker-output", move || {
            read_all(stdout, largest, number, &sender);
        })?;
        spawn("worker-stderr", move || tail.follow(stderr))?;

        process.send(greeting);
        let deadline = Instant::now() + limits.start;
        let reason = match process.receive(events.1, deadline, cancelled) {
            Ok(frame) if frame.kind == Kind::Ready => {
                match serde_json::from_slice(&frame.payload) {
                    Ok(report) => {
                        process.report = report;
                        return Ok(process);
                    }
                    Err(error) => format!("its report cannot be read: {error}"),
                }
            }
            Ok(frame) if frame.kind == Kind::Refused => {
                String::from_utf8_lossy(&frame.payload).into_owned()
            }
            Ok(frame) => format!("it answers with a frame of kind {:?}", frame.kind),
            Err(Silence::Timeout) => format!("no answer within {:?}", limits.start),
            Err(Silence::Cancelled) => "cancelled".to_owned(),
            Err(Silence::Garbage(error)) => error.to_string(),
            Err(Silence::Closed) => match process.ended() {
                Some(status) => format!("it ended with {status}"),
                None => "it closed its output".to_owned(),
            },
        };
        Err(not_ready(reason, &process.last_words()))
    }

    /// Hands bytes to the worker; never blocks. A worker that is gone is
    /// noticed by the end of its output.
    fn send(&self, bytes: Vec<u8>) {
        self.input.send(bytes).ok();
    }

    /// Hands an encoded job to the worker, and forgets what it wrote to its
    /// standard error during earlier ones.
    pub(crate) fn give(&self, job: Vec<u8>) {
        self.tail.clear();
        self.send(job);
    }

    /// Whether the process still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the next frame of this process.
    pub(crate) fn receive(
        &self,
        events: &Receiver<Event>,
        deadline: Instant,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Frame, Silence> {
        loop {
            if cancelled() {
                return Err(Silence::Cancelled);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match events.recv_timeout(left) {
                Ok(Event::Output(number, output)) if number == self.number => {
                    return match output {
                        Ok(Some(frame)) => Ok(frame),
                        // A worker that dies within a frame has died above all.
                        Ok(None) | Err(FrameError::Truncated | FrameError::Io { .. }) => {
                            Err(Silence::Closed)
                        }
                        Err(garbage) => Err(Silence::Garbage(garbage)),
                    };
                }
                Ok(Event::Output(..) | Event::Wake) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(Silence::Timeout);
                }
            }
        }
    }

    /// The exit status of a worker that has closed its output; `None` when it
    /// lives on and had to be ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(1);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < deadline => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(50));
                }
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Ends the process and returns the end of its standard error.
    pub(crate) fn last_words(&mut self) -> String {
        self.end();
        self.tail.text(PATIENCE)
    }

    /// The end of the standard error of a worker that lives on.
    pub(crate) fn words(&self) -> String {
        self.tail.text(Duration::ZERO)
    }

    fn end(&mut self) {
        // Killing a process that has ended already is no failure to handle.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The reason behind a worker's end without an answer.
pub(crate) fn reason_of(status: Option<ExitStatus>, stderr: &str, limits: &Limits) -> Reason {
    let Some(status) = status else {
        return Reason::Protocol {
            detail: "it closed its output and lived on".to_owned(),
        };
    };
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        match status.signal() {
            Some(libc::SIGXCPU) => {
                return Reason::Time {
                    clock: Clock::Cpu,
                    limit: limits.cpu,
                };
            }
            Some(signal) => {
                if signal == libc::SIGABRT {
                    // The standard library says why it aborts, and says it
                    // last: an allocation that failed, or a panic that cannot
                    // unwind.
                    if line_starting(stderr, "memory allocation of ").is_some() {
                        return Reason::Memory {
                            limit: limits.memory,
                        };
                    }
                    if let Some(at) = stderr.rfind(" panicked at ") {
                        let message = stderr[at..].trim().to_owned();
                        return Reason::Panic { message };
                    }
                }
                return Reason::Crash { signal };
            }
            None => {}
        }
    }
    #[cfg(not(unix))]
    if line_starting(stderr, "memory allocation of ").is_some() {
        return Reason::Memory {
            limit: limits.memory,
        };
    }
    Reason::Exit {
        code: status.code(),
    }
}

/// The last line that starts so.
fn line_starting<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    text.lines().rev().find(|line| line.starts_with(start))
}

fn not_ready(mut reason: String, stderr: &str) -> SandboxError {
    let stderr = stderr.trim();
    if !stderr.is_empty() {
        reason.push_str("; it wrote: ");
        reason.push_str(stderr);
    }
    SandboxError::NotReady { reason }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), SandboxError> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(128 << 10)
        .spawn(body)
        .map(drop)
        .map_err(|source| SandboxError::Thread { source })
}

/// Ends with the process, which closes its end of the pipe, or when nothing
/// will be sent any more.
fn write_all(mut to: impl Write, from: &Receiver<Vec<u8>>) {
    while let Ok(bytes) = from.recv() {
        if to.write_all(&bytes).and_then(|()| to.flush()).is_err() {
            break;
        }
    }
}

/// Ends with the process's output, at the first garbage, or when nobody
/// listens any more.
fn read_all(mut from: impl Read, limit: u32, number: u64, to: &Sender<Event>) {
    loop {
        let output = Frame::read(&mut from, limit);
        let last = !matches!(output, Ok(Some(_)));
        if to.send(Event::Output(number, output)).is_err() || last {
            break;
        }
    }
}

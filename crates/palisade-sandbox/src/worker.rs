//! The worker's side.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::frame::{Frame, Kind};
use crate::limits::Limits;
use crate::protocol::{self, Hello};
use crate::restrict::{Meter, restrict};

/// Makes this process a worker: restricts it, then answers jobs until the
/// parent is gone. Jobs and answers travel as JSON.
///
/// Call it as the first thing in `main`, before any thread is started or file
/// is opened, when the process was started by a
/// [`WorkerCommand`](crate::WorkerCommand). Nothing but answers may be written
/// to the standard output; the standard error is kept for the job's failure.
/// `handler` runs on one thread, with the stack that the limits name, and may
/// keep state from job to job. When it panics, the parent is told and starts
/// another worker.
pub fn serve<J, T>(mut handler: impl FnMut(J) -> T + Send) -> ExitCode
where
    J: DeserializeOwned,
    T: Serialize,
{
    run(move |bytes| {
        let job = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        serde_json::to_vec(&handler(job)).map_err(|error| error.to_string())
    })
}

/// [`serve`] for jobs and answers that are bytes already.
pub fn serve_bytes(mut handler: impl FnMut(&[u8]) -> Vec<u8> + Send) -> ExitCode {
    run(move |bytes| Ok(handler(bytes)))
}

fn run(handler: impl FnMut(&[u8]) -> Result<Vec<u8>, String> + Send) -> ExitCode {
    let mut input = io::stdin().lock();
    let hello = match Frame::read(&mut input, protocol::GREETING) {
        Ok(Some(frame)) if frame.kind == Kind::Hello => {
            serde_json::from_slice::<Hello>(&frame.payload).map_err(|error| error.to_string())
        }
        // Somebody tried the argument by hand, or the parent is gone.
        _ => return ExitCode::from(2),
    };
    let started = hello.and_then(|hello| {
        let (meter, report) = restrict(&hello)?;
        let report = serde_json::to_vec(&report).map_err(|error| error.to_string())?;
        Ok((hello.limits, meter, report))
    });
    let (limits, meter, report) = match started {
        Ok(started) => started,
        Err(message) => {
            send(Kind::Refused, 0, message.into_bytes());
            return ExitCode::FAILURE;
        }
    };
    let largest = limits.input;
    thread::scope(|scope| {
        let (jobs, queue) = mpsc::channel();
        let stack = usize::try_from(limits.stack).unwrap_or(usize::MAX);
        let thread = thread::Builder::new()
            .name("job".to_owned())
            .stack_size(stack)
            .spawn_scoped(scope, move || work(&queue, handler, &limits, &meter));
        if let Err(error) = thread {
            let message = format!("the thread for the jobs does not start: {error}");
            send(Kind::Refused, 0, message.into_bytes());
            return ExitCode::FAILURE;
        }
        send(Kind::Ready, 0, report);
        while let Ok(Some(frame)) = Frame::read(&mut input, largest) {
            if jobs.send(frame).is_err() {
                break;
            }
        }
        // The parent is gone or no longer makes sense. A job that is still at
        // work has nobody to answer to and might never end.
        end()
    })
}

#[expect(
    clippy::exit,
    reason = "the only way to end a worker whose job does not return"
)]
fn end() -> ! {
    std::process::exit(0)
}

fn work(
    queue: &Receiver<Frame>,
    mut handler: impl FnMut(&[u8]) -> Result<Vec<u8>, String>,
    limits: &Limits,
    meter: &Meter,
) {
    while let Ok(frame) = queue.recv() {
        let before = meter.begin(limits);
        let answer = catch_unwind(AssertUnwindSafe(|| handler(&frame.payload)));
        let (kind, payload) = match answer {
            Ok(Ok(body)) if body.len() as u64 > u64::from(limits.output) => {
                (Kind::TooLarge, (body.len() as u64).to_le_bytes().into())
            }
            Ok(Ok(body)) => (Kind::Answer, protocol::answer(meter.since(before), &body)),
            Ok(Err(message)) => (Kind::Encoding, short(message)),
            Err(panic) => (Kind::Panic, short(message_of(panic.as_ref()))),
        };
        send(kind, frame.job, payload);
        if kind == Kind::Panic {
            // What the handler keeps may be broken now.
            break;
        }
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}

/// Cut to what a message may have.
fn short(message: String) -> Vec<u8> {
    let mut bytes = message.into_bytes();
    bytes.truncate(protocol::MESSAGE);
    bytes
}

/// A parent that is gone cannot be told so; the end of the input follows.
fn send(kind: Kind, job: u64, payload: Vec<u8>) {
    let frame = Frame { kind, job, payload };
    frame.write(&mut io::stdout().lock()).ok();
}

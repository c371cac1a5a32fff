//! The pool through its public door. This binary is its own worker, as the
//! product is; so it brings its own main function.

mod chores;
mod crashes;
mod frames;
mod lifetime;
mod restrictions;
mod throughput;

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use palisade_sandbox::{Limits, Pool, PoolOptions, Reason, Verdict, WorkerCommand};

use chores::Chore;

fn main() -> ExitCode {
    let role = std::env::args().nth(1).unwrap_or_default();
    if let Some(role) = role.strip_prefix("--as-") {
        return chores::play(role);
    }
    let tests = [
        crashes::tests(),
        frames::tests(),
        lifetime::tests(),
        restrictions::tests(),
        throughput::tests(),
    ];
    let tests = tests.into_iter().flatten();
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok::<(), Failed>(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// A name and what it runs; a failure is a panic.
type Test = (&'static str, fn());

/// Small limits, so that hitting them is quick.
fn limits() -> Limits {
    Limits {
        memory: 256 << 20,
        cpu: Duration::from_secs(20),
        wall: Duration::from_secs(30),
        stack: 4 << 20,
        output: 1 << 20,
        input: 16 << 20,
        ..Limits::default()
    }
}

fn options(workers: usize) -> PoolOptions {
    PoolOptions {
        workers,
        limits: limits(),
        retries: 0,
        ..PoolOptions::default()
    }
}

fn command(role: &str) -> WorkerCommand {
    WorkerCommand::this_executable(format!("--as-{role}")).expect("the executable is known")
}

fn pool(options: PoolOptions) -> Pool {
    Pool::start(command("worker"), options).expect("the pool starts")
}

/// The verdict over one chore, and that the same pool still works afterwards.
fn verdict(pool: &mut Pool, chore: Chore) -> Verdict<String> {
    let outcomes: Vec<_> = pool
        .run::<_, String>([chore, Chore::Echo("after".into())])
        .in_order()
        .collect();
    let [first, second] = <[_; 2]>::try_from(outcomes).expect("each job has an outcome");
    assert_eq!(second.verdict, Verdict::Done("after".to_owned()));
    first.verdict
}

fn reason(pool: &mut Pool, chore: Chore) -> Reason {
    match verdict(pool, chore) {
        Verdict::Failed(failure) => failure.reason,
        Verdict::Done(answer) => panic!("it should have failed, but answered {answer:?}"),
    }
}

/// Whether a process is there and not merely waiting to be reaped.
fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| {
        let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
        state.is_some_and(|state| !state.starts_with(['Z', 'X']))
    })
}

/// Waits up to ten seconds.
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("not within ten seconds: {what}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the system's own tool, on a process of this test"
)]
fn kill(pid: u32) {
    let status = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .expect("`kill` runs");
    assert!(status.success());
}

//! A job that breaks its worker costs only itself, and the verdict says how.

use std::time::{Duration, Instant};

use palisade_sandbox::{Clock, Limits, Pool, PoolOptions, Reason, SandboxError, Verdict};

use crate::chores::Chore;
use crate::{Test, command, limits, options, pool, reason, verdict};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("memory_ends_with_a_verdict", memory),
        ("processor_time_ends_with_a_verdict", processor_time),
        ("time_on_the_clock_ends_with_a_verdict", wall_time),
        ("each_job_has_its_own_processor_time", time_is_per_job),
        ("signals_and_exits_are_told_apart", signals),
        ("a_panic_carries_its_message", panics),
        ("a_stack_overflow_is_a_crash", overflow),
        ("stray_output_is_a_protocol_failure", stray_output),
        ("the_end_of_the_standard_error_is_kept", stderr),
        ("sizes_are_limited", sizes),
        ("garbled_answers_are_failures", garbled),
        ("a_deaf_worker_does_not_block", deaf),
        ("what_is_no_worker_is_an_error_at_once", no_worker),
        ("senseless_limits_are_refused", senseless),
        ("crashes_are_repeated_as_configured", repeated),
    ]
}

fn memory() {
    let mut pool = pool(options(1));
    let limit = limits().memory;
    assert_eq!(reason(&mut pool, Chore::Allocate), Reason::Memory { limit });
}

fn processor_time() {
    let limit = Duration::from_secs(1);
    let mut options = options(1);
    options.limits.cpu = limit;
    let mut pool = pool(options);
    let clock = Clock::Cpu;
    assert_eq!(
        reason(&mut pool, Chore::Spin),
        Reason::Time { clock, limit }
    );
}

fn wall_time() {
    let limit = Duration::from_millis(300);
    let mut options = options(1);
    options.limits.wall = limit;
    let mut pool = pool(options);
    let clock = Clock::Wall;
    for chore in [Chore::Sleep(Duration::from_secs(1000)), Chore::Spin] {
        let begin = Instant::now();
        assert_eq!(reason(&mut pool, chore), Reason::Time { clock, limit });
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
}

/// Guards that the kernel's limit, which is for a process, moves with the
/// jobs: together they take longer than one may.
fn time_is_per_job() {
    let mut options = options(1);
    options.limits.cpu = Duration::from_secs(1);
    let mut pool = pool(options);
    let burn = Chore::Burn(Duration::from_millis(600));
    for outcome in pool.run::<_, String>(vec![burn; 4]) {
        assert_eq!(outcome.verdict, Verdict::Done("burnt".to_owned()));
        let cpu = outcome.cpu.expect("Linux tells");
        assert!(cpu > Duration::from_millis(50), "{cpu:?}");
        assert!(cpu <= Duration::from_millis(900), "{cpu:?}");
    }
}

fn signals() {
    let mut pool = pool(options(1));
    assert_eq!(reason(&mut pool, Chore::Abort), Reason::Crash { signal: 6 });
    assert_eq!(
        reason(&mut pool, Chore::Exit(7)),
        Reason::Exit { code: Some(7) }
    );
    assert_eq!(
        reason(&mut pool, Chore::Exit(0)),
        Reason::Exit { code: Some(0) }
    );
}

fn panics() {
    let mut pool = pool(options(1));
    let message = "this job panics".to_owned();
    assert_eq!(reason(&mut pool, Chore::Panic), Reason::Panic { message });
    // One that cannot be caught.
    let twice = reason(&mut pool, Chore::PanicTwice);
    assert!(matches!(twice, Reason::Panic { .. }), "{twice:?}");
}

fn overflow() {
    let mut pool = pool(options(1));
    let Verdict::Failed(failure) = verdict(&mut pool, Chore::Overflow) else {
        panic!("the stack should have overflowed");
    };
    assert_eq!(failure.reason, Reason::Crash { signal: 6 });
    assert!(failure.stderr.contains("overflowed its stack"));
}

fn stray_output() {
    let mut pool = pool(options(1));
    let stray = reason(&mut pool, Chore::Print("hello, terminal".into()));
    assert!(matches!(stray, Reason::Protocol { .. }), "{stray:?}");
}

fn stderr() {
    let mut options = options(1);
    options.limits.stderr = 2000;
    let mut pool = pool(options);
    let long = format!("first{}\u{1b}[31mlast", "-".repeat(100_000));
    let Verdict::Failed(failure) = verdict(&mut pool, Chore::Complain(long)) else {
        panic!("it panics");
    };
    assert!(failure.stderr.len() <= 2000 + 10);
    assert!(failure.stderr.contains("\u{fffd}[31mlast"), "{failure:?}");
    assert!(!failure.stderr.contains("first"));
    // What one job wrote is not another one's.
    let Verdict::Failed(failure) = verdict(&mut pool, Chore::Panic) else {
        panic!("it panics");
    };
    assert!(!failure.stderr.contains("last"), "{failure:?}");
}

fn sizes() {
    let mut pool = pool(options(1));
    let Limits { input, output, .. } = limits();
    let large = reason(&mut pool, Chore::Large(output as usize));
    let limit = output.into();
    let bytes = limit + 2;
    assert_eq!(large, Reason::OutputTooLarge { bytes, limit });
    let large = reason(&mut pool, Chore::Echo("x".repeat(input as usize)));
    assert!(matches!(large, Reason::InputTooLarge { .. }), "{large:?}");
    // The largest that are allowed.
    let most = output as usize - 2;
    let done = verdict(&mut pool, Chore::Large(most)).done();
    assert_eq!(done.map(|text| text.len()), Some(most));
}

fn garbled() {
    for (role, expected) in [
        ("torn", "the worker ended with exit code 0"),
        ("torn-header", "the worker ended with exit code 0"),
        ("torn-abort", "the worker died of signal 6"),
        ("closed", "the worker ended with exit code 0"),
        ("other-job", "garbled: it answers job "),
        ("short", "garbled: the answer has no beginning"),
        ("greedy", "garbled: a frame of 4294967295 bytes"),
        ("endless", "garbled: something else than a frame"),
    ] {
        let mut pool = Pool::start(command(role), options(1)).expect("the pool starts");
        let outcomes: Vec<_> = pool.run_bytes([vec![1], vec![2]]).collect();
        assert_eq!(outcomes.len(), 2);
        for outcome in outcomes {
            let failure = outcome.verdict.failure().expect("no answer makes sense");
            let text = failure.to_string();
            assert!(text.contains(expected), "{role}: {text}");
        }
    }
}

/// Guards against a parent that waits for room in a pipe.
fn deaf() {
    let mut options = options(1);
    options.limits.wall = Duration::from_millis(500);
    let mut pool = Pool::start(command("deaf"), options).expect("the pool starts");
    let begin = Instant::now();
    for outcome in pool.run_bytes([vec![0; 8 << 20]]) {
        let failure = outcome.verdict.failure().expect("nobody reads").clone();
        assert!(matches!(failure.reason, Reason::Time { .. }), "{failure:?}");
    }
    assert!(begin.elapsed() < Duration::from_secs(20));
}

fn no_worker() {
    for (role, expected) in [
        ("stranger", "something else than a frame"),
        ("failing", "the reason of all this"),
        ("mute", "no answer within"),
    ] {
        let mut options = options(1);
        options.limits.start = Duration::from_secs(2);
        let Err(error) = Pool::start(command(role), options) else {
            panic!("{role} is no worker");
        };
        let text = error.to_string();
        assert!(text.contains(expected), "{role}: {text}");
    }
}

fn senseless() {
    let start = |change: fn(&mut Limits)| {
        let mut options: PoolOptions = options(1);
        change(&mut options.limits);
        Pool::start(command("worker"), options).err()
    };
    for change in [
        (|limits| limits.memory = 1) as fn(&mut Limits),
        |limits| limits.stack = limits.memory,
        |limits| limits.wall = Duration::ZERO,
        |limits| limits.open_files = 2,
    ] {
        let error = start(change);
        assert!(
            matches!(error, Some(SandboxError::Limits { .. })),
            "{error:?}"
        );
    }
}

fn repeated() {
    let mut options = options(1);
    options.retries = 2;
    let mut pool = pool(options);
    for (chore, expected) in [(Chore::Abort, 3), (Chore::Panic, 1), (Chore::Allocate, 1)] {
        for outcome in pool.run::<_, String>([chore.clone()]) {
            assert!(outcome.verdict.failure().is_some());
            assert_eq!(outcome.attempts, expected, "{chore:?}");
        }
    }
}

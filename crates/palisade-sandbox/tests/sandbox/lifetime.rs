//! Nobody outlives whoever waits for them, and nobody waits for the dead.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use palisade_sandbox::{Pool, Reason, Verdict};

use crate::chores::Chore;
use crate::{Test, eventually, is_running, kill, options, pool};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("killed_from_outside_is_a_crash", killed),
        ("killed_from_outside_is_repeated", killed_and_repeated),
        ("killed_between_jobs_is_not_noticed", killed_while_idle),
        ("dropping_the_pool_leaves_no_process", dropped_pool),
        ("dropping_a_run_ends_its_jobs", dropped_run),
        ("a_run_can_be_cancelled_from_outside", cancelled),
        ("workers_end_with_their_parent", orphaned),
    ]
}

/// The number of the pool's only worker.
fn pid(pool: &mut Pool) -> u32 {
    let mut run = pool.run::<_, String>([Chore::Pid]);
    let outcome = run.next().expect("there is a job");
    let pid = outcome.verdict.done().expect("the worker answers");
    pid.parse().expect("it is a number")
}

fn endless() -> Chore {
    Chore::Sleep(Duration::from_secs(1000))
}

fn killed() {
    let mut pool = pool(options(1));
    let pid = pid(&mut pool);
    let killer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        kill(pid);
    });
    let begin = Instant::now();
    for outcome in pool.run::<_, String>([endless()]) {
        let failure = outcome.verdict.failure().expect("it was killed");
        assert_eq!(failure.reason, Reason::Crash { signal: 9 });
        assert_eq!(outcome.attempts, 1);
    }
    assert!(begin.elapsed() < Duration::from_secs(20));
    killer.join().expect("it killed");
}

fn killed_and_repeated() {
    let mut options = options(1);
    options.retries = 1;
    let mut pool = pool(options);
    let pid = pid(&mut pool);
    let killer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        kill(pid);
    });
    for outcome in pool.run::<_, String>([Chore::Sleep(Duration::from_secs(1))]) {
        assert_eq!(outcome.verdict, Verdict::Done("slept".to_owned()));
        assert_eq!(outcome.attempts, 2);
    }
    killer.join().expect("it killed");
}

fn killed_while_idle() {
    let mut pool = pool(options(1));
    let old = pid(&mut pool);
    kill(old);
    // Its first thread ends before its last one, and only then is it dead.
    eventually("the worker is dead", || {
        let threads = std::fs::read_dir(format!("/proc/{old}/task"));
        !is_running(old) && threads.map_or(0, Iterator::count) <= 1
    });
    assert_ne!(pid(&mut pool), old);
}

fn dropped_pool() {
    let mut pool = pool(options(1));
    let pid = pid(&mut pool);
    assert!(is_running(pid));
    drop(pool);
    // Not even a zombie.
    let path = format!("/proc/{pid}");
    assert!(!std::path::Path::new(&path).exists());
}

/// Guards that the next run does not wait for the last one's jobs.
fn dropped_run() {
    let mut pool = pool(options(1));
    let begin = Instant::now();
    let mut run = pool.run::<_, String>([Chore::Echo("first".into()), endless(), endless()]);
    assert!(run.next().is_some());
    // Time for the second job to be at work, though nothing depends on it.
    thread::sleep(Duration::from_millis(300));
    drop(run);
    pid(&mut pool);
    assert!(begin.elapsed() < Duration::from_secs(20));
}

fn cancelled() {
    let mut pool = pool(options(2));
    let run = pool.run::<_, String>(std::iter::repeat_with(endless));
    let canceller = run.canceller();
    let later = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        canceller.cancel();
    });
    let begin = Instant::now();
    let mut count = 0;
    for outcome in run {
        let failure = outcome.verdict.failure().expect("it cannot be done");
        assert_eq!(failure.reason, Reason::Cancelled);
        count += 1;
    }
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert!((2..=4).contains(&count), "{count}");
    later.join().expect("it cancelled");
}

/// The worker is in the middle of a job when its parent is killed, which
/// leaves the parent no chance to do anything about it.
#[expect(
    clippy::disallowed_methods,
    reason = "the process is this test itself in another part"
)]
fn orphaned() {
    let own = std::env::current_exe().expect("the executable is known");
    let mut parent = Command::new(own)
        .arg("--as-parent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the test starts again");
    let mut line = String::new();
    let output = parent.stdout.take().expect("it is piped");
    BufReader::new(output)
        .read_line(&mut line)
        .expect("the parent writes");
    let worker: u32 = line.trim().parse().expect("it is a number");
    thread::sleep(Duration::from_millis(300));
    assert!(is_running(worker));
    parent.kill().expect("it runs");
    parent.wait().expect("it ends");
    eventually("the worker ends", || !is_running(worker));
}

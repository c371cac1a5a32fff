//! Many jobs.

use std::collections::BTreeSet;

use palisade_sandbox::{Pool, Verdict};

use crate::chores::Chore;
use crate::{Test, command, options, pool};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("a_thousand_jobs_come_back_in_order", in_order),
        ("a_thousand_jobs_come_back_each_once", streaming),
        ("bad_jobs_among_good_ones_cost_only_themselves", mixed),
        ("jobs_are_made_as_they_are_done", lazily),
        ("bytes_travel_as_they_are", bytes),
    ]
}

fn in_order() {
    let mut pool = pool(options(2));
    let jobs = (0..1000).map(|n| Chore::Echo(format!("job {n}")));
    let mut count = 0;
    for (n, outcome) in pool.run::<_, String>(jobs).in_order().enumerate() {
        assert_eq!(outcome.index, n);
        assert_eq!(outcome.verdict, Verdict::Done(format!("job {n}")));
        count += 1;
    }
    assert_eq!(count, 1000);
}

fn streaming() {
    let mut pool = pool(options(2));
    let jobs = (0..1000).map(|n| Chore::Echo(n.to_string()));
    let seen: Vec<_> = pool
        .run::<_, String>(jobs)
        .map(|outcome| {
            let text = outcome.verdict.done().expect("it is harmless");
            assert_eq!(text, outcome.index.to_string());
            outcome.index
        })
        .collect();
    assert_eq!(seen.len(), 1000);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 1000);
}

fn mixed() {
    let mut pool = pool(options(2));
    let jobs = (0..60).map(|n| match n % 10 {
        3 => Chore::Abort,
        5 => Chore::Panic,
        7 => Chore::Exit(1),
        _ => Chore::Echo(n.to_string()),
    });
    for outcome in pool.run::<_, String>(jobs).in_order() {
        let bad = matches!(outcome.index % 10, 3 | 5 | 7);
        assert_eq!(outcome.verdict.failure().is_some(), bad, "{outcome:?}");
    }
}

/// Guards that a registry of archives is not in memory at once.
fn lazily() {
    let mut pool = pool(options(2));
    let made = std::cell::Cell::new(0);
    let jobs = (0..1000).map(|n| {
        made.set(made.get() + 1);
        Chore::Echo(n.to_string())
    });
    for (done, outcome) in pool.run::<_, String>(jobs).enumerate() {
        assert!(outcome.verdict.done().is_some());
        assert!(made.get() <= done + 4, "{} for {done}", made.get());
    }
}

fn bytes() {
    let mut pool = Pool::start(command("bytes"), options(2)).expect("the pool starts");
    let jobs = [vec![], vec![0, 255, 10], vec![7; 1 << 20]];
    let outcomes = pool.run_bytes(jobs.clone()).in_order();
    for (mut job, outcome) in jobs.into_iter().zip(outcomes) {
        job.reverse();
        assert_eq!(outcome.verdict, Verdict::Done(job));
    }
}

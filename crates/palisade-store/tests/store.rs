//! The store through its own door, on both databases.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

#[path = "support/postgres.rs"]
#[expect(dead_code, reason = "other tests stop the server")]
mod postgres;

use std::sync::Mutex;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use palisade_model::Checksum;
use palisade_store::{
    Actor, Cause, Decision, Location, NewVersion, Origin, State, Store, StoreError, Version,
};
use proptest::prelude::*;
use sqlx::Executor as _;

/// Where a test keeps its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Sqlite,
    Postgres,
}

/// Each test on both databases.
macro_rules! on_both {
    ($($(#[$meta:meta])* $name:ident)+) => {
        mod sqlite {
            $($(#[$meta])* #[test] fn $name() { super::$name(super::On::Sqlite); })+
        }
        mod on_postgres {
            $($(#[$meta])* #[test] fn $name() { super::$name(super::On::Postgres); })+
        }
    };
}

on_both! {
    nothing_becomes_public_by_itself
    a_decision_is_about_what_was_seen
    tampering_is_found
    a_backup_is_whole
    changes_queue
    a_damaged_copy_is_refused
    a_job_is_done_once
    a_job_outlives_its_worker
    owners_are_told
}

struct Desk {
    dir: tempfile::TempDir,
    store: Store,
    server: Option<postgres::Database>,
}

/// An empty database; `None` where there is no server.
fn place(
    on: On,
    dir: &tempfile::TempDir,
    name: &str,
) -> Option<(Location, Option<postgres::Database>)> {
    match on {
        On::Sqlite => Some((Location::File(path(dir, name)), None)),
        On::Postgres => {
            let database = postgres::Database::new()?;
            Some((Location::Server(database.url.clone()), Some(database)))
        }
    }
}

impl Desk {
    async fn new(on: On) -> Option<Desk> {
        // Characters that mean something in an address.
        let dir = tempfile::Builder::new()
            .prefix("a b?c#d%41")
            .tempdir()
            .unwrap();
        let (location, server) = place(on, &dir, "state.db")?;
        let store = Store::open(location).await.unwrap();
        let mut tx = store.begin(&Actor::policy(), now()).await.unwrap();
        tx.add_crate("demo", "demo", Origin::Upstream)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Some(Desk { dir, store, server })
    }

    async fn add(&self, version: &str, state: State) {
        let new = NewVersion {
            version: version.to_owned(),
            identity: version.to_owned(),
            line: "{}".to_owned(),
            checksum: Checksum([7; 32]),
            published: now(),
            settled: false,
            yanked: false,
            decision: decision(state),
            publisher: None,
        };
        let mut tx = self.store.begin(&Actor::policy(), now()).await.unwrap();
        tx.add_versions("demo", &[new]).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn version(&self, version: &str) -> Version {
        let versions = self.store.versions("demo").await.unwrap();
        versions
            .into_iter()
            .find(|known| known.version == version)
            .unwrap()
    }

    async fn decide(&self, version: &str, state: State, cause: Cause) -> Result<(), StoreError> {
        let seen = self.version(version).await;
        let mut tx = self.store.begin(&Actor::policy(), now()).await.unwrap();
        tx.decide("demo", &seen, &decision(state), cause).await?;
        tx.commit().await
    }

    /// Changes the database behind the store's back.
    async fn tamper(&self, sql: &'static str) {
        if let Some(server) = &self.server {
            return server.tamper(sql);
        }
        let options =
            sqlx::sqlite::SqliteConnectOptions::new().filename(path(&self.dir, "state.db"));
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        pool.execute(sql).await.unwrap();
        pool.close().await;
    }
}

fn path(dir: &tempfile::TempDir, name: &str) -> Utf8PathBuf {
    Utf8PathBuf::from_path_buf(dir.path().join(name)).unwrap()
}

fn now() -> Timestamp {
    "2026-08-20T07:00:00Z".parse().unwrap()
}

fn decision(state: State) -> Decision {
    Decision {
        state,
        rule: Some("test".to_owned()),
        rules: vec!["test".to_owned()],
        reason: Some("because".to_owned()),
        until: (state == State::Held).then(now),
        observed: Vec::new(),
    }
}

/// One for all: connections belong to the runtime that made them.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: std::sync::LazyLock<tokio::runtime::Runtime> =
        std::sync::LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());
    RUNTIME.block_on(work)
}

fn states() -> impl Strategy<Value = State> {
    prop::sample::select(State::ALL.to_vec())
}

/// Guards the machine of states: whatever is asked for, a version that a person
/// refused comes back only by a person, what is kept back becomes public only
/// by a person or the policy that kept it back, and every change has one
/// record.
fn nothing_becomes_public_by_itself(on: On) {
    // One database for all cases, each with a version of its own.
    let Some(desk) = block_on(Desk::new(on)) else {
        return;
    };
    let number = Mutex::new(0);
    let first = prop::sample::select(vec![State::Allowed, State::Held, State::Quarantined]);
    let steps = prop::collection::vec((states(), prop::bool::ANY), 1..12);
    proptest!(ProptestConfig::with_cases(48), |(first in first, steps in steps)| {
        let name = {
            let mut number = number.lock().unwrap();
            *number += 1;
            format!("1.{number}.0")
        };
        block_on(async {
            desk.add(&name, first).await;
            for (to, person) in steps {
                let cause = if person { Cause::Person } else { Cause::Policy };
                let before = desk.version(&name).await;
                let head = desk.store.head().await.unwrap();
                let done = desk.decide(&name, to, cause).await;
                let after = desk.version(&name).await;
                let records = desk.store.head().await.unwrap() - head;
                prop_assert_eq!(records, i64::from(done.is_ok()));
                if done.is_err() {
                    prop_assert_eq!(&after, &before);
                } else {
                    prop_assert_eq!(after.state, to);
                    prop_assert_eq!(after.state_record, head + 1);
                }
                if matches!(before.state, State::Rejected | State::Released) && !person {
                    prop_assert!(done.is_err());
                }
                prop_assert_eq!(after.was_public, before.was_public || after.state.is_public());
            }
            Ok(())
        })?;
    });
    block_on(async {
        assert!(desk.store.verify(None).await.unwrap().problems.is_empty());
    });
}

/// Guards that two who decide at once do not both win.
fn a_decision_is_about_what_was_seen(on: On) {
    block_on(async {
        let Some(desk) = Desk::new(on).await else {
            return;
        };
        desk.add("1.0.0", State::Quarantined).await;
        let seen = desk.version("1.0.0").await;
        desk.decide("1.0.0", State::Rejected, Cause::Person)
            .await
            .unwrap();
        let mut tx = desk.store.begin(&Actor::policy(), now()).await.unwrap();
        let late = tx
            .decide("demo", &seen, &decision(State::Released), Cause::Person)
            .await;
        assert!(matches!(late, Err(StoreError::Raced { .. })), "{late:?}");
        drop(tx);
        assert_eq!(desk.version("1.0.0").await.state, State::Rejected);
        assert!(desk.store.verify(None).await.unwrap().problems.is_empty());
    });
}

/// Guards the chain of records against changes at the same moment, from one
/// process and from another: each waits for the one before.
fn changes_queue(on: On) {
    block_on(async {
        let Some(desk) = Desk::new(on).await else {
            return;
        };
        let location = match &desk.server {
            Some(server) => Location::Server(server.url.clone()),
            None => Location::File(path(&desk.dir, "state.db")),
        };
        let other = Store::open(location).await.unwrap();
        let mut tasks = Vec::new();
        for number in 0..40 {
            let store = [&desk.store, &other][number % 2].clone();
            tasks.push(tokio::spawn(async move {
                let mut tx = store.begin(&Actor::policy(), now()).await.unwrap();
                tx.set(&format!("key-{number}"), "value").await.unwrap();
                tx.commit().await.unwrap();
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        // What one has written, the other reads.
        assert_eq!(desk.store.head().await.unwrap(), 41);
        assert_eq!(other.head().await.unwrap(), 41);
        assert_eq!(
            other.setting("key-0").await.unwrap().as_deref(),
            Some("value")
        );
        assert!(other.verify(None).await.unwrap().problems.is_empty());
    });
}

/// Guards the audit log against whoever has the database: each kind of change
/// is found.
fn tampering_is_found(on: On) {
    let changes = [
        (
            "UPDATE audit SET detail = '{}' WHERE seq = 3",
            "record 3 was changed",
        ),
        (
            "UPDATE audit SET actor = 'user:eve' WHERE seq = 2",
            "record 2 was changed",
        ),
        (
            "DELETE FROM audit WHERE seq = 2",
            "records 2 to 2 are missing",
        ),
        (
            "DELETE FROM audit WHERE seq = 1",
            "records 1 to 1 are missing",
        ),
        (
            "UPDATE versions SET state = 'released' WHERE version = '1.0.0'",
            "is released by record 3, but record 3 made it rejected",
        ),
        ("DELETE FROM audit WHERE seq = 3", "is not in the log"),
        (
            "INSERT INTO versions SELECT crate, '6.6.6', '6.6.6', 9, line, checksum, published, first_seen, settled, yanked, yank_seen, yank_delayed, rewritten, missing_since, 'allowed', rule, reason, until, was_public, publisher, 1, rules FROM versions",
            "version demo 6.6.6 is allowed, and no record says why",
        ),
    ];
    for (sql, found) in changes {
        block_on(async {
            let Some(desk) = Desk::new(on).await else {
                return;
            };
            desk.add("1.0.0", State::Held).await;
            desk.decide("1.0.0", State::Rejected, Cause::Person)
                .await
                .unwrap();
            let before = desk.store.verify(None).await.unwrap();
            assert_eq!((before.records, before.problems.len()), (3, 0));
            desk.tamper(sql).await;
            let after = desk.store.verify(Some(&before.head)).await.unwrap();
            assert!(
                after.problems.iter().any(|problem| problem.contains(found)),
                "{sql}: {:?}",
                after.problems
            );
        });
    }
}

/// Guards backups: a copy that is made while the service runs is whole, and
/// what one database wrote, both read.
fn a_backup_is_whole(on: On) {
    block_on(async {
        let Some(desk) = Desk::new(on).await else {
            return;
        };
        desk.add("1.0.0", State::Held).await;
        let mut tx = desk.store.begin(&Actor::policy(), now()).await.unwrap();
        tx.add_user("ann", &[palisade_store::Role::Publisher])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let copy = path(&desk.dir, "copy.jsonl");
        desk.store.backup(&copy).await.unwrap();
        desk.add("1.1.0", State::Held).await;
        assert!(
            desk.store.backup(&copy).await.is_err(),
            "a backup replaces nothing"
        );
        let before = desk.store.records(0).await.unwrap();
        for to in [On::Sqlite, On::Postgres] {
            let Some((location, _server)) = place(to, &desk.dir, "restored.db") else {
                return;
            };
            let restored = Store::open(location).await.unwrap();
            assert!(restored.restore(&copy).await.unwrap() > 4);
            assert_eq!(
                restored.versions("demo").await.unwrap()[..],
                desk.store.versions("demo").await.unwrap()[..1]
            );
            assert_eq!(restored.records(0).await.unwrap()[..], before[..3]);
            assert!(restored.verify(None).await.unwrap().problems.is_empty());
            // It goes on where the copy ended, with numbers that are free.
            let mut tx = restored.begin(&Actor::policy(), now()).await.unwrap();
            let id = tx.add_user("bob", &[]).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(id, restored.user("ann").await.unwrap().id + 1);
            let again = restored.restore(&copy).await;
            assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
            restored.close().await;
        }
    });
}

/// Guards against taking half a copy, or a changed one, for the whole.
fn a_damaged_copy_is_refused(on: On) {
    block_on(async {
        let Some(desk) = Desk::new(on).await else {
            return;
        };
        desk.add("1.0.0", State::Held).await;
        let copy = path(&desk.dir, "copy.jsonl");
        desk.store.backup(&copy).await.unwrap();
        let whole = std::fs::read_to_string(&copy).unwrap();
        let end = whole.trim_end().rfind('\n').unwrap() + 1;
        let damaged = [
            whole[..end].to_owned(),
            whole[..whole.len() - 2].to_owned(),
            whole.replace("\"held\"", "\"allowed\""),
            whole.replace("\"table\":\"crates\"", "\"table\":\"sqlite_master\""),
            whole.replace("palisade-state-1", "palisade-state-9"),
            String::new(),
        ];
        for (number, text) in damaged.iter().enumerate() {
            let file = path(&desk.dir, &format!("damaged-{number}"));
            std::fs::write(&file, text).unwrap();
            let (location, _server) = place(on, &desk.dir, &format!("{number}.db")).unwrap();
            let empty = Store::open(location).await.unwrap();
            let restored = empty.restore(&file).await;
            assert!(
                matches!(restored, Err(StoreError::Copy { .. })),
                "{number}: {restored:?}"
            );
            assert_eq!(empty.head().await.unwrap(), 0);
            empty.close().await;
        }
    });
}

/// Guards the leases: of many workers that look at once, one gets each job.
fn a_job_is_done_once(on: On) {
    block_on(async {
        let Some(desk) = Desk::new(on).await else {
            return;
        };
        for number in 0..30 {
            let subject = format!("subject-{number}");
            desk.store.enqueue("test", &subject, now()).await.unwrap();
            // The same is not asked for twice.
            desk.store.enqueue("test", &subject, now()).await.unwrap();
        }
        let later = now() + jiff::SignedDuration::from_secs(60);
        let mut workers = Vec::new();
        for worker in 0..6 {
            let store = desk.store.clone();
            workers.push(tokio::spawn(async move {
                let mut done = Vec::new();
                let name = format!("worker-{worker}");
                while let Some(job) = store.lease(&name, now(), later).await.unwrap() {
                    assert!(store.finish(&job).await.unwrap());
                    done.push(job.subject);
                }
                done
            }));
        }
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 30);
        assert_eq!(desk.store.jobs().await.unwrap(), Vec::new());
    });
}

/// Guards jobs against the end of who works on them, and against one that comes
/// back late: the lease ends, another one takes the job, and only that one can
/// say what became of it. What fails is tried later, then given up until a
/// person asks.
fn a_job_outlives_its_worker(on: On) {
    block_on(async {
        let Some(desk) = Desk::new(on).await else {
            return;
        };
        let store = &desk.store;
        let second = |number| now() + jiff::SignedDuration::from_secs(number);
        let mut tx = store.begin(&Actor::policy(), now()).await.unwrap();
        tx.enqueue("test", "lost", now()).await.unwrap();
        drop(tx);
        assert_eq!(store.jobs().await.unwrap().len(), 0, "the change never was");
        store.enqueue("test", "one", second(0)).await.unwrap();

        let first = store
            .lease("a", second(1), second(10))
            .await
            .unwrap()
            .unwrap();
        assert!(
            store
                .lease("b", second(9), second(20))
                .await
                .unwrap()
                .is_none()
        );
        assert!(store.renew(&first, second(12)).await.unwrap());
        assert!(
            store
                .lease("b", second(11), second(20))
                .await
                .unwrap()
                .is_none()
        );
        let again = store
            .lease("b", second(13), second(20))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((again.id, again.attempts), (first.id, 2));
        assert!(
            !store.finish(&first).await.unwrap(),
            "it is somebody else's by now"
        );
        assert!(!store.renew(&first, second(90)).await.unwrap());

        assert!(store.fail(&again, "no", Some(second(30))).await.unwrap());
        assert!(
            store
                .lease("b", second(29), second(40))
                .await
                .unwrap()
                .is_none()
        );
        let third = store
            .lease("b", second(30), second(40))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(third.error.as_deref(), Some("no"));
        assert!(store.fail(&third, "never", None).await.unwrap());
        assert!(
            store
                .lease("b", second(99), second(199))
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(
            store.count_jobs().await.unwrap(),
            [("test".to_owned(), true, 1)]
        );
        let job = &store.jobs().await.unwrap()[0];
        assert!(job.dead && job.error.as_deref() == Some("never"));

        let mut tx = store.begin(&Actor::operator("eve"), now()).await.unwrap();
        tx.retry_job(job.id, second(100)).await.unwrap();
        tx.commit().await.unwrap();
        let last = store
            .lease("b", second(100), second(199))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(last.attempts, 1);
        assert!(store.verify(None).await.unwrap().problems.is_empty());
    });
}

/// Guards notices: they are written with what they are about, or not at all,
/// and a mail is asked for where there is an address.
fn owners_are_told(on: On) {
    block_on(async {
        let Some(desk) = Desk::new(on).await else {
            return;
        };
        let mut tx = desk.store.begin(&Actor::policy(), now()).await.unwrap();
        for login in ["ann", "bob"] {
            tx.add_user(login, &[]).await.unwrap();
        }
        tx.set_email("ann", Some("ann@example.com")).await.unwrap();
        tx.commit().await.unwrap();
        let (ann, bob) = (
            desk.store.user("ann").await.unwrap(),
            desk.store.user("bob").await.unwrap(),
        );
        let mut tx = desk.store.begin(&Actor::policy(), now()).await.unwrap();
        tx.add_owner("demo", &ann).await.unwrap();
        tx.add_owner("demo", &bob).await.unwrap();
        tx.commit().await.unwrap();
        desk.add("1.0.0", State::Quarantined).await;
        desk.decide("1.0.0", State::Released, Cause::Person)
            .await
            .unwrap();
        for user in [&ann, &bob] {
            let notices = desk.store.notices(user.id).await.unwrap();
            let kinds: Vec<&str> = notices.iter().map(|notice| notice.kind.as_str()).collect();
            assert_eq!(kinds, ["version-released", "version-quarantined"]);
            assert!(notices[0].body.contains("because"), "{notices:?}");
        }
        let jobs = desk.store.jobs().await.unwrap();
        let mails: Vec<i64> = jobs
            .iter()
            .map(|job| job.subject.parse().unwrap())
            .collect();
        assert_eq!(mails.len(), 2, "{jobs:?}");
        let (notice, user) = desk.store.notice(mails[0]).await.unwrap();
        assert_eq!((user.login.as_str(), notice.mailed), ("ann", None));
    });
}

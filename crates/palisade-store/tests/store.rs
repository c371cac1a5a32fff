//! The store through its own door.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

use camino::Utf8PathBuf;
use jiff::Timestamp;
use palisade_model::Checksum;
use palisade_store::{
    Actor, Cause, Decision, NewVersion, Origin, State, Store, StoreError, Version,
};
use proptest::prelude::*;
use sqlx::Executor as _;

struct Desk {
    dir: tempfile::TempDir,
    store: Store,
}

impl Desk {
    async fn new() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&path(&dir)).await.unwrap();
        let mut tx = store.begin(&Actor::policy(), now()).await.unwrap();
        tx.add_crate("demo", "demo", Origin::Upstream)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Desk { dir, store }
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
        let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", path(&self.dir)))
            .await
            .unwrap();
        pool.execute(sql).await.unwrap();
        pool.close().await;
    }
}

fn path(dir: &tempfile::TempDir) -> Utf8PathBuf {
    Utf8PathBuf::from_path_buf(dir.path().join("state.db")).unwrap()
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

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn states() -> impl Strategy<Value = State> {
    prop::sample::select(State::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Guards the machine of states: whatever is asked for, a version that a
    /// person refused comes back only by a person, what is kept back becomes
    /// public only by a person or the policy that kept it back, and every
    /// change has one record.
    #[test]
    fn nothing_becomes_public_by_itself(
        first in prop::sample::select(vec![State::Allowed, State::Held, State::Quarantined]),
        steps in prop::collection::vec((states(), prop::bool::ANY), 1..12),
    ) {
        block_on(async {
            let desk = Desk::new().await;
            desk.add("1.0.0", first).await;
            for (to, person) in steps {
                let cause = if person { Cause::Person } else { Cause::Policy };
                let before = desk.version("1.0.0").await;
                let head = desk.store.head().await.unwrap();
                let done = desk.decide("1.0.0", to, cause).await;
                let after = desk.version("1.0.0").await;
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
            prop_assert!(desk.store.verify(None).await.unwrap().problems.is_empty());
            Ok(())
        })?;
    }
}

/// Guards that two who decide at once do not both win.
#[test]
fn a_decision_is_about_what_was_seen() {
    block_on(async {
        let desk = Desk::new().await;
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

/// Guards the audit log against whoever has the database: each kind of change
/// is found.
#[test]
fn tampering_is_found() {
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
            let desk = Desk::new().await;
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

/// Guards backups: a copy that is made while the service runs is whole.
#[test]
fn a_backup_is_whole() {
    block_on(async {
        let desk = Desk::new().await;
        desk.add("1.0.0", State::Held).await;
        let copy = Utf8PathBuf::from_path_buf(desk.dir.path().join("copy.db")).unwrap();
        desk.store.backup(&copy).await.unwrap();
        desk.add("1.1.0", State::Held).await;
        assert!(
            desk.store.backup(&copy).await.is_err(),
            "a backup replaces nothing"
        );
        let restored = Store::open(&copy).await.unwrap();
        assert_eq!(restored.versions("demo").await.unwrap().len(), 1);
        assert!(restored.verify(None).await.unwrap().problems.is_empty());
    });
}

//! What is special about SQLite.

use std::str::FromStr as _;
use std::time::Duration;

use camino::Utf8Path;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, Connection as _, Executor as _};

use super::{Backend, Database, Kind, Row};

/// Readers that do not wait for the one writer.
const READERS: u32 = 4;

/// How long to wait for a connection: other processes may hold the database.
const PATIENCE: Duration = Duration::from_secs(20);

/// What each connection is told. What was acknowledged survives a loss of
/// power (`synchronous`); readers do not wait for the writer (`WAL`).
const SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; \
                        PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";

/// The same for those who only read.
const READER_SETTINGS: &str = "PRAGMA busy_timeout = 10000";

/// Takes a job. There is one writer at a time, so nobody else takes the same.
const LEASE: &str = "
    UPDATE jobs SET attempts = attempts + 1, leased_until = $2, leased_by = $3
    WHERE id = (
        SELECT id FROM jobs
        WHERE dead = 0 AND run_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
        ORDER BY run_at, id LIMIT 1
    ) RETURNING *";

pub(super) async fn open(path: &Utf8Path) -> Result<Backend, sqlx::Error> {
    let path = std::path::absolute(path).map_err(sqlx::Error::Io)?;
    let address = address(&path.to_string_lossy());
    let options = |mode: &str| AnyConnectOptions::from_str(&format!("{address}?mode={mode}"));
    // SQLite has one writer at a time; in one connection they queue fairly.
    let writers = AnyPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(SETTINGS).await.map(|_| ()) })
        })
        // SQLite ends a transaction by itself when the disk is full, and sqlx
        // then believes for ever that one is open, and begins no other.
        .after_release(|connection, _| {
            Box::pin(async move {
                // Until what was queued before is done.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(options("rwc")?)
        .await?;
    let readers = AnyPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(READER_SETTINGS).await.map(|_| ()) })
        })
        .connect_with(options("ro")?)
        .await?;
    Ok(Backend {
        kind: Kind::Sqlite,
        writers,
        readers,
    })
}

/// The file's address. A path may hold what means something in an address.
fn address(path: &str) -> String {
    let mut address = String::from("sqlite://");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    address
}

pub(super) async fn write(
    writers: &AnyPool,
) -> Result<sqlx::Transaction<'static, Database>, sqlx::Error> {
    writers.begin_with("BEGIN IMMEDIATE").await
}

pub(super) async fn schema(
    tx: &mut sqlx::Transaction<'static, Database>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut **tx)
        .await
}

pub(super) async fn set_schema(
    tx: &mut sqlx::Transaction<'static, Database>,
    known: i64,
) -> Result<(), sqlx::Error> {
    // A pragma takes no parameters.
    let text = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {known}"));
    sqlx::raw_sql(text).execute(&mut **tx).await.map(|_| ())
}

pub(super) async fn lease(
    writers: &AnyPool,
    worker: &str,
    now: i64,
    until: i64,
) -> Result<Option<Row>, sqlx::Error> {
    let mut tx = write(writers).await?;
    let row = sqlx::query(LEASE)
        .bind(now)
        .bind(until)
        .bind(worker)
        .fetch_optional(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(row)
}

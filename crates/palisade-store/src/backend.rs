//! The one file that names SQLite. Queries are written so that PostgreSQL
//! understands them too: numbered parameters, `ON CONFLICT`, whole numbers for
//! times and truth.

use std::time::Duration;

use camino::Utf8Path;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::StoreError;

/// The database that queries are written for.
pub(crate) type Database = sqlx::Sqlite;
/// One row of an answer.
pub(crate) type Row = sqlx::sqlite::SqliteRow;

/// What each schema adds to the one before.
const SCHEMAS: [&str; 2] = [include_str!("schema.sql"), include_str!("cases.sql")];

/// Readers that do not wait for the one writer.
const READERS: u32 = 4;

/// How long another process may hold the database.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(crate) struct Backend {
    /// SQLite has one writer at a time; in one connection they queue fairly.
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Backend {
    pub(crate) async fn open(path: &Utf8Path) -> Result<Backend, StoreError> {
        let failed = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What was acknowledged survives a loss of power.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        migrate(&writer, path).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(failed)?;
        Ok(Backend { writer, readers })
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Begins to write. The lock is taken at once, so that what is read in the
    /// transaction still holds when it is written.
    pub(crate) async fn write(&self) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(StoreError::database("begin a change"))
    }

    /// Writes a consistent copy while the service runs.
    pub(crate) async fn backup(&self, to: &Utf8Path) -> Result<(), StoreError> {
        sqlx::query("VACUUM INTO $1")
            .bind(to.as_str())
            .execute(&self.writer)
            .await
            .map_err(StoreError::database("write a backup"))?;
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

async fn migrate(pool: &SqlitePool, path: &Utf8Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Open {
        path: path.to_owned(),
        source,
    };
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *tx)
        .await
        .map_err(failed)?;
    let known = i64::try_from(SCHEMAS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    let done = usize::try_from(found).unwrap_or_default();
    for schema in &SCHEMAS[done..] {
        sqlx::raw_sql(*schema)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
    }
    if found < known {
        // A pragma takes no parameters.
        const _: () = assert!(SCHEMAS.len() == 2, "name the newest schema here");
        sqlx::raw_sql("PRAGMA user_version = 2")
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
    }
    tx.commit().await.map_err(failed)
}

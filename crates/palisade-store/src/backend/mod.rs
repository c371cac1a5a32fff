//! The database. Every query is written once and both understand it: numbered
//! parameters, `ON CONFLICT`, whole numbers for times and truth. What differs
//! is in one file per database.

mod postgres;
mod sqlite;

use std::sync::Once;

use sqlx::AnyPool;

use crate::{Location, StoreError};

/// The database that queries are written for.
pub(crate) type Database = sqlx::Any;
/// One row of an answer.
pub(crate) type Row = sqlx::any::AnyRow;
/// Who asks questions outside of a change.
pub(crate) type Readers = AnyPool;

/// What each schema adds to the one before.
pub(crate) const SCHEMAS: [&str; 3] = [
    include_str!("../schema/1-base.sql"),
    include_str!("../schema/2-service.sql"),
    include_str!("../schema/3-cases.sql"),
];

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

#[derive(Clone, Debug)]
pub(crate) struct Backend {
    pub(crate) kind: Kind,
    /// Changes queue, so that each sees what the one before has written.
    writers: AnyPool,
    /// Questions never wait for a change.
    readers: AnyPool,
}

impl Backend {
    pub(crate) async fn open(location: &Location) -> Result<Backend, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let failed = |source| StoreError::Open {
            database: location.to_string(),
            source,
        };
        let backend = match location {
            Location::File(path) => sqlite::open(path).await,
            Location::Server(url) => postgres::open(url).await,
        };
        let backend = backend.map_err(failed)?;
        backend.migrate(location).await?;
        Ok(backend)
    }

    pub(crate) fn readers(&self) -> &AnyPool {
        &self.readers
    }

    /// Begins to write. The lock is taken at once, so that what is read in the
    /// transaction still holds when it is written.
    pub(crate) async fn write(&self) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
        self.begin()
            .await
            .map_err(StoreError::database("begin a change"))
    }

    /// Begins to write what has no record, and so need not wait for those who
    /// append one.
    pub(crate) async fn aside(&self) -> Result<sqlx::Transaction<'static, Database>, StoreError> {
        let begun = match self.kind {
            Kind::Sqlite => sqlite::write(&self.writers).await,
            Kind::Postgres => self.writers.begin().await,
        };
        begun.map_err(StoreError::database("begin a change"))
    }

    /// Leases the job that has waited longest to `worker`. Times are in
    /// milliseconds.
    pub(crate) async fn lease(
        &self,
        worker: &str,
        now: i64,
        until: i64,
    ) -> Result<Option<Row>, sqlx::Error> {
        match self.kind {
            Kind::Sqlite => sqlite::lease(&self.writers, worker, now, until).await,
            Kind::Postgres => postgres::lease(&self.writers, worker, now, until).await,
        }
    }

    async fn begin(&self) -> Result<sqlx::Transaction<'static, Database>, sqlx::Error> {
        match self.kind {
            Kind::Sqlite => sqlite::write(&self.writers).await,
            Kind::Postgres => postgres::write(&self.writers).await,
        }
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }

    async fn migrate(&self, location: &Location) -> Result<(), StoreError> {
        let failed = |source| StoreError::Open {
            database: location.to_string(),
            source,
        };
        // Several processes may start at once; the lock lets one go first.
        let mut tx = self.begin().await.map_err(failed)?;
        let found = match self.kind {
            Kind::Sqlite => sqlite::schema(&mut tx).await,
            Kind::Postgres => postgres::schema(&mut tx).await,
        };
        let found = found.map_err(failed)?;
        let known = i64::try_from(SCHEMAS.len()).unwrap_or(i64::MAX);
        if found > known {
            return Err(StoreError::Newer {
                database: location.to_string(),
                found,
                known,
            });
        }
        let done = usize::try_from(found).unwrap_or_default();
        for schema in &SCHEMAS[done..] {
            let schema = match self.kind {
                Kind::Sqlite => (*schema).to_owned(),
                Kind::Postgres => postgres::spelled(schema),
            };
            sqlx::raw_sql(sqlx::AssertSqlSafe(schema))
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
        }
        if found < known {
            let set = match self.kind {
                Kind::Sqlite => sqlite::set_schema(&mut tx, known).await,
                Kind::Postgres => postgres::set_schema(&mut tx, known).await,
            };
            set.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }
}

//! What users have to be told. A notice follows from a change that has its own
//! record, and has none itself; mails are made from it.

use jiff::Timestamp;
use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::{Store, StoreError, Tx};

/// Something that a user has to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// Whom it is for.
    pub user_id: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What it is about: `decision`, `token-exposed`, `appeal`, …
    pub kind: String,
    /// What it says.
    pub body: String,
    /// The audit record that it follows from.
    pub record: i64,
    /// When it was mailed.
    pub mailed: Option<Timestamp>,
}

impl Notice {
    fn read(row: &Row) -> Result<Notice, StoreError> {
        Ok(Notice {
            id: row.get("id"),
            user_id: row.get("user_id"),
            at: time(row.get("at"))?,
            kind: row.get("kind"),
            body: row.get("body"),
            record: row.get("record"),
            mailed: row.get::<Option<i64>, _>("mailed").map(time).transpose()?,
        })
    }
}

impl Store {
    /// A user's notices after the number `after`, oldest first, 100 at most.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn notices(&self, user: i64, after: i64) -> Result<Vec<Notice>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM notices WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT 100",
        )
        .bind(user)
        .bind(after)
        .fetch_all(self.readers())
        .await
        .map_err(StoreError::database("read notices"))?;
        rows.iter().map(Notice::read).collect()
    }

    /// Notices that were not mailed yet, oldest first, 100 at most.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unmailed(&self) -> Result<Vec<Notice>, StoreError> {
        let rows = sqlx::query("SELECT * FROM notices WHERE mailed IS NULL ORDER BY id LIMIT 100")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read notices"))?;
        rows.iter().map(Notice::read).collect()
    }

    /// Notes that a notice was mailed. That is no change of the service's
    /// state and has no record.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn mailed(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let failed = || StoreError::database("write a notice");
        let mut tx = self.backend.write().await?;
        sqlx::query("UPDATE notices SET mailed = $2 WHERE id = $1")
            .bind(id)
            .bind(now.as_second())
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        tx.commit().await.map_err(failed())
    }
}

impl Tx {
    /// Tells a user something that follows from the audit record `record`.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn notify(
        &mut self,
        user: i64,
        kind: &str,
        body: &str,
        record: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO notices (user_id, at, kind, body, record) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(user)
        .bind(self.now.as_second())
        .bind(kind)
        .bind(body)
        .bind(record)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("write a notice"))?;
        Ok(())
    }

    /// Tells every owner of a crate; how many there are.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn notify_owners(
        &mut self,
        canonical: &str,
        kind: &str,
        body: &str,
        record: i64,
    ) -> Result<usize, StoreError> {
        let owners: Vec<i64> =
            sqlx::query_scalar("SELECT user_id FROM owners WHERE crate = $1 ORDER BY user_id")
                .bind(canonical)
                .fetch_all(&mut *self.inner)
                .await
                .map_err(StoreError::database("read owners"))?;
        for &owner in &owners {
            self.notify(owner, kind, body, record).await?;
        }
        Ok(owners.len())
    }
}

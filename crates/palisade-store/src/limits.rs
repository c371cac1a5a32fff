//! Limits that differ from the configured ones, for one crate or one user and
//! for a while.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::{Store, StoreError, Tx};

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitKind {
    /// The bytes of an archive of a crate.
    ArchiveBytes,
    /// The versions that a user publishes in 24 hours.
    VersionsPerDay,
    /// The new crates that a user publishes in 24 hours.
    NewCratesPerDay,
}

impl LimitKind {
    /// Every kind.
    pub const ALL: [LimitKind; 3] = [
        LimitKind::ArchiveBytes,
        LimitKind::VersionsPerDay,
        LimitKind::NewCratesPerDay,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            LimitKind::ArchiveBytes => "archive-bytes",
            LimitKind::VersionsPerDay => "versions-per-day",
            LimitKind::NewCratesPerDay => "new-crates-per-day",
        }
    }

    /// From the stable name.
    pub fn parse(text: &str) -> Option<LimitKind> {
        LimitKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    /// The subject that it is set for: a crate's canonical name or a login.
    pub fn subject(self, name: &str) -> String {
        match self {
            LimitKind::ArchiveBytes => format!("crate {name}"),
            LimitKind::VersionsPerDay | LimitKind::NewCratesPerDay => format!("user {name}"),
        }
    }
}

/// A limit that was set for one crate or user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// `crate NAME` or `user LOGIN`.
    pub subject: String,
    /// What is limited.
    pub kind: LimitKind,
    /// To how much.
    pub value: u64,
    /// Why.
    pub reason: String,
    /// Who has said so.
    pub author: String,
    /// Until when.
    pub expires: Timestamp,
}

impl Limit {
    fn read(row: &Row) -> Result<Limit, StoreError> {
        let kind: String = row.get("kind");
        Ok(Limit {
            subject: row.get("subject"),
            kind: LimitKind::parse(&kind).ok_or(StoreError::Damaged {
                what: "the kind of limit",
                value: kind,
            })?,
            value: u64::try_from(row.get::<i64, _>("value")).unwrap_or_default(),
            reason: row.get("reason"),
            author: row.get("author"),
            expires: time(row.get("expires"))?,
        })
    }
}

impl Store {
    /// Every limit that was set, over or not.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn limits(&self) -> Result<Vec<Limit>, StoreError> {
        let rows = sqlx::query("SELECT * FROM limits ORDER BY subject, kind")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read limits"))?;
        rows.iter().map(Limit::read).collect()
    }

    /// The limit that was set for a crate or user and holds at `now`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn limit(
        &self,
        kind: LimitKind,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let value: Option<i64> = sqlx::query_scalar(
            "SELECT value FROM limits WHERE subject = $1 AND kind = $2 AND expires > $3",
        )
        .bind(kind.subject(name))
        .bind(kind.as_str())
        .bind(now.as_second())
        .fetch_optional(self.readers())
        .await
        .map_err(StoreError::database("read limits"))?;
        Ok(value.map(|value| u64::try_from(value).unwrap_or_default()))
    }

    /// How many versions a user has published since `since`, and how many of
    /// them were the first of their crates. What was deleted counts.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn published_since(
        &self,
        user: i64,
        since: Timestamp,
    ) -> Result<(u64, u64), StoreError> {
        let row = sqlx::query(
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN position = 1 THEN 1 ELSE 0 END), 0)
             FROM (SELECT position FROM versions WHERE publisher = $1 AND first_seen > $2
                   UNION ALL
                   SELECT 0 FROM deleted_versions WHERE publisher = $1 AND first_seen > $2) AS published",
        )
        .bind(user)
        .bind(since.as_second())
        .fetch_one(self.readers())
        .await
        .map_err(StoreError::database("count versions"))?;
        let number = |at: usize| u64::try_from(row.get::<i64, _>(at)).unwrap_or_default();
        Ok((number(0), number(1)))
    }
}

impl Tx {
    /// Sets a limit for a crate (by its canonical name) or a user (by login),
    /// in place of the one before.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_limit(
        &mut self,
        kind: LimitKind,
        name: &str,
        value: u64,
        reason: &str,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        let subject = kind.subject(name);
        sqlx::query(
            "INSERT INTO limits (subject, kind, value, reason, author, at, expires)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (subject, kind) DO UPDATE SET
                 value = excluded.value, reason = excluded.reason, author = excluded.author,
                 at = excluded.at, expires = excluded.expires",
        )
        .bind(&subject)
        .bind(kind.as_str())
        .bind(i64::try_from(value).unwrap_or(i64::MAX))
        .bind(reason)
        .bind(&self.actor.name)
        .bind(self.now.as_second())
        .bind(expires.as_second())
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("set a limit"))?;
        let detail = json!({
            "limit": kind.as_str(), "value": value, "reason": reason,
            "expires": expires.to_string(),
        });
        self.audit("limit-set", &subject, detail).await?;
        Ok(())
    }

    /// Takes back a limit that was set.
    ///
    /// # Errors
    /// There is none, or the database cannot be written.
    pub async fn clear_limit(
        &mut self,
        kind: LimitKind,
        name: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        let subject = kind.subject(name);
        let done = sqlx::query("DELETE FROM limits WHERE subject = $1 AND kind = $2")
            .bind(&subject)
            .bind(kind.as_str())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("take back a limit"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Missing {
                what: "limit of its own for",
                name: subject,
            });
        }
        let detail = json!({ "limit": kind.as_str(), "reason": reason });
        self.audit("limit-cleared", &subject, detail).await?;
        Ok(())
    }
}

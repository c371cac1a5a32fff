//! Breaking the glass: from now on, every new version of some crates, or of
//! some publishers, waits for a person.

use std::fmt;

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::{Store, StoreError, Tx};

/// What a hold goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldKind {
    /// The crate's name, by a pattern.
    Crate,
    /// The login of whoever publishes.
    Publisher,
}

impl HoldKind {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            HoldKind::Crate => "crate",
            HoldKind::Publisher => "publisher",
        }
    }
}

impl fmt::Display for HoldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A hold of many versions, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its number.
    pub id: i64,
    /// What it goes by.
    pub kind: HoldKind,
    /// The pattern of names, or the login.
    pub pattern: String,
    /// Why.
    pub reason: String,
    /// Who has said so.
    pub author: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// When it was ended before its time.
    pub ended: Option<Timestamp>,
}

impl Hold {
    fn read(row: &Row) -> Result<Hold, StoreError> {
        let kind: String = row.get("kind");
        Ok(Hold {
            id: row.get("id"),
            kind: match kind.as_str() {
                "crate" => HoldKind::Crate,
                "publisher" => HoldKind::Publisher,
                _ => {
                    return Err(StoreError::Damaged {
                        what: "the kind of hold",
                        value: kind,
                    });
                }
            },
            pattern: row.get("pattern"),
            reason: row.get("reason"),
            author: row.get("author"),
            at: time(row.get("at"))?,
            expires: time(row.get("expires"))?,
            ended: row.get::<Option<i64>, _>("ended").map(time).transpose()?,
        })
    }

    /// Whether it keeps anything back at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.expires > now
    }
}

impl Store {
    /// Every hold, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        let rows = sqlx::query("SELECT * FROM holds ORDER BY id DESC")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read holds"))?;
        rows.iter().map(Hold::read).collect()
    }
}

impl Tx {
    /// Adds a hold; its number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_hold(
        &mut self,
        kind: HoldKind,
        pattern: &str,
        reason: &str,
        expires: Timestamp,
    ) -> Result<i64, StoreError> {
        let row = sqlx::query(
            "INSERT INTO holds (kind, pattern, reason, author, at, expires)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        )
        .bind(kind.as_str())
        .bind(pattern)
        .bind(reason)
        .bind(&self.actor.name)
        .bind(self.now.as_second())
        .bind(expires.as_second())
        .fetch_one(&mut *self.inner)
        .await
        .map_err(StoreError::database("add a hold"))?;
        let id: i64 = row.get(0);
        let detail = json!({
            "kind": kind.as_str(), "pattern": pattern, "reason": reason,
            "expires": expires.to_string(),
        });
        self.audit("hold-added", &format!("hold {id}"), detail)
            .await?;
        Ok(id)
    }

    /// Ends a hold before its time. What it has kept back still waits.
    ///
    /// # Errors
    /// It is not in force, or the database cannot be written.
    pub async fn end_hold(&mut self, id: i64, reason: &str) -> Result<(), StoreError> {
        let done = sqlx::query(
            "UPDATE holds SET ended = $2 WHERE id = $1 AND ended IS NULL AND expires > $2",
        )
        .bind(id)
        .bind(self.now.as_second())
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("end a hold"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Missing {
                what: "hold in force with the number",
                name: id.to_string(),
            });
        }
        self.audit(
            "hold-ended",
            &format!("hold {id}"),
            json!({ "reason": reason }),
        )
        .await?;
        Ok(())
    }
}

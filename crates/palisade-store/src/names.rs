//! Names that are set aside.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::{Store, StoreError, Tx};

/// How a name is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// Nobody may publish a new crate of that name, but for one user.
    Reserved,
    /// Nobody gets anything of that name, as if it were on the deny list.
    Blocked,
}

impl NameKind {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            NameKind::Reserved => "reserved",
            NameKind::Blocked => "blocked",
        }
    }
}

/// A name that is set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Which names, as a pattern of canonical names.
    pub pattern: String,
    /// How.
    pub kind: NameKind,
    /// For whom it is reserved; for nobody unless given.
    pub login: Option<String>,
    /// Why.
    pub reason: String,
    /// Who has said so.
    pub author: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when; for ever unless given.
    pub expires: Option<Timestamp>,
}

impl SetAside {
    fn read(row: &Row) -> Result<SetAside, StoreError> {
        let kind: String = row.get("kind");
        Ok(SetAside {
            pattern: row.get("pattern"),
            kind: match kind.as_str() {
                "reserved" => NameKind::Reserved,
                "blocked" => NameKind::Blocked,
                _ => {
                    return Err(StoreError::Damaged {
                        what: "how a name is set aside",
                        value: kind,
                    });
                }
            },
            login: row.get("login"),
            reason: row.get("reason"),
            author: row.get("author"),
            at: time(row.get("at"))?,
            expires: row.get::<Option<i64>, _>("expires").map(time).transpose()?,
        })
    }

    /// Whether it holds at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| expires > now)
    }
}

impl Store {
    /// Every name that is set aside, by name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn names(&self) -> Result<Vec<SetAside>, StoreError> {
        let rows = sqlx::query("SELECT * FROM names ORDER BY pattern")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read names"))?;
        rows.iter().map(SetAside::read).collect()
    }
}

impl Tx {
    /// Sets names aside, in place of what was said about the same pattern.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_name(
        &mut self,
        pattern: &str,
        kind: NameKind,
        login: Option<&str>,
        reason: &str,
        expires: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO names (pattern, kind, login, reason, author, at, expires)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (pattern) DO UPDATE SET
                 kind = excluded.kind, login = excluded.login, reason = excluded.reason,
                 author = excluded.author, at = excluded.at, expires = excluded.expires",
        )
        .bind(pattern)
        .bind(kind.as_str())
        .bind(login)
        .bind(reason)
        .bind(&self.actor.name)
        .bind(self.now.as_second())
        .bind(expires.map(Timestamp::as_second))
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("set a name aside"))?;
        let detail = json!({
            "kind": kind.as_str(), "for": login, "reason": reason,
            "expires": expires.map(|expires| expires.to_string()),
        });
        self.audit("name-set-aside", &format!("name {pattern}"), detail)
            .await?;
        Ok(())
    }

    /// Gives names back.
    ///
    /// # Errors
    /// They are not set aside, or the database cannot be written.
    pub async fn release_name(&mut self, pattern: &str, reason: &str) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM names WHERE pattern = $1")
            .bind(pattern)
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("give a name back"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Missing {
                what: "name that is set aside",
                name: pattern.to_owned(),
            });
        }
        self.audit(
            "name-released",
            &format!("name {pattern}"),
            json!({ "reason": reason }),
        )
        .await?;
        Ok(())
    }
}

//! What needs two people: one asks, another one approves.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::{Store, StoreError, Tx};

/// Something that somebody wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number.
    pub id: i64,
    /// What to do, in the words of whoever does it.
    pub action: String,
    /// What to do, for people.
    pub title: String,
    /// Why.
    pub reason: String,
    /// Who has asked.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// When it is forgotten.
    pub expires: Timestamp,
    /// Who has decided.
    pub decided_by: Option<String>,
    /// Whether they approved.
    pub approved: bool,
}

impl Request {
    fn read(row: &Row) -> Result<Request, StoreError> {
        Ok(Request {
            id: row.get("id"),
            action: row.get("action"),
            title: row.get("title"),
            reason: row.get("reason"),
            author: row.get("author"),
            at: time(row.get("at"))?,
            expires: time(row.get("expires"))?,
            decided_by: row.get("decided_by"),
            approved: row.get::<Option<i64>, _>("approved") == Some(1),
        })
    }

    /// Whether it waits for another person at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.decided_by.is_none() && self.expires > now
    }
}

impl Store {
    /// Every request, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn requests(&self) -> Result<Vec<Request>, StoreError> {
        let rows = sqlx::query("SELECT * FROM requests ORDER BY id DESC")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read requests"))?;
        rows.iter().map(Request::read).collect()
    }
}

impl Tx {
    /// Asks for something; the request's number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_request(
        &mut self,
        action: &str,
        title: &str,
        reason: &str,
        expires: Timestamp,
    ) -> Result<i64, StoreError> {
        let row = sqlx::query(
            "INSERT INTO requests (action, title, reason, author, at, expires)
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
        )
        .bind(action)
        .bind(title)
        .bind(reason)
        .bind(&self.actor.name)
        .bind(self.now.as_second())
        .bind(expires.as_second())
        .fetch_one(&mut *self.inner)
        .await
        .map_err(StoreError::database("add a request"))?;
        let id: i64 = row.get(0);
        let detail = json!({
            "title": title, "reason": reason, "expires": expires.to_string(),
            "sha256": crate::evidence::hash(action),
        });
        self.audit("requested", &format!("request {id}"), detail)
            .await?;
        Ok(id)
    }

    /// Approves or refuses what somebody else has asked for; what they asked.
    /// It is done in the same change.
    ///
    /// # Errors
    /// It is decided or forgotten, the same person has asked, or the database
    /// cannot be written.
    pub async fn decide_request(
        &mut self,
        id: i64,
        approve: bool,
        reason: &str,
    ) -> Result<Request, StoreError> {
        let row = sqlx::query("SELECT * FROM requests WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *self.inner)
            .await
            .map_err(StoreError::database("read requests"))?;
        let Some(row) = row else {
            return Err(StoreError::Missing {
                what: "request",
                name: id.to_string(),
            });
        };
        let request = Request::read(&row)?;
        if !request.is_open(self.now) {
            return Err(StoreError::Decided {
                what: "request",
                id,
            });
        }
        if approve {
            self.actor.require_another(&request.author, "request")?;
        }
        sqlx::query(
            "UPDATE requests SET decided_by = $2, decided = $3, approved = $4 WHERE id = $1",
        )
        .bind(id)
        .bind(&self.actor.name)
        .bind(self.now.as_second())
        .bind(i64::from(approve))
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("decide about a request"))?;
        let action = if approve {
            "request-approved"
        } else {
            "request-refused"
        };
        let detail = json!({ "title": request.title, "reason": reason });
        self.audit(action, &format!("request {id}"), detail).await?;
        Ok(request)
    }
}

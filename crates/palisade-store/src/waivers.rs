//! Waivers: somebody may have for a while what a rule keeps back.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::time;
use crate::backend::Row;
use crate::{Store, StoreError, Tx};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWaiver {
    /// Which crates, as a pattern.
    pub pattern: String,
    /// Which of their versions, as a requirement; all unless given.
    pub versions: Option<String>,
    /// Which rules.
    pub rules: Vec<String>,
    /// For whom, a login; for everybody unless given.
    pub login: Option<String>,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// A waiver, asked for, in force or over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Its number.
    pub id: i64,
    /// What it says.
    pub terms: NewWaiver,
    /// Who asked for it, as the audit log names them.
    pub requested_by: String,
    /// When.
    pub requested: Timestamp,
    /// Who decided about it.
    pub decided_by: Option<String>,
    /// Whether they approved.
    pub approved: bool,
    /// When it was ended before its time.
    pub ended: Option<Timestamp>,
}

impl Waiver {
    fn read(row: &Row) -> Result<Waiver, StoreError> {
        let rules: String = row.get("rules");
        Ok(Waiver {
            id: row.get("id"),
            terms: NewWaiver {
                pattern: row.get("pattern"),
                versions: row.get("versions"),
                rules: rules.split(',').map(str::to_owned).collect(),
                login: row.get("login"),
                reason: row.get("reason"),
                expires: time(row.get("expires"))?,
            },
            requested_by: row.get("requested_by"),
            requested: time(row.get("requested"))?,
            decided_by: row.get("decided_by"),
            approved: row.get::<Option<i64>, _>("approved") == Some(1),
            ended: row.get::<Option<i64>, _>("ended").map(time).transpose()?,
        })
    }

    /// Whether it lets anything through at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.approved && self.ended.is_none() && self.terms.expires > now
    }
}

impl Store {
    /// Every waiver, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn waivers(&self) -> Result<Vec<Waiver>, StoreError> {
        let rows = sqlx::query("SELECT * FROM waivers ORDER BY id DESC")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read waivers"))?;
        rows.iter().map(Waiver::read).collect()
    }
}

impl Tx {
    /// Asks for a waiver; its number. It lets nothing through until somebody
    /// else approves it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn request_waiver(&mut self, terms: &NewWaiver) -> Result<i64, StoreError> {
        let row = sqlx::query(
            "INSERT INTO waivers (pattern, versions, rules, login, reason, requested_by, requested,
                 expires)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        )
        .bind(&terms.pattern)
        .bind(&terms.versions)
        .bind(terms.rules.join(","))
        .bind(&terms.login)
        .bind(&terms.reason)
        .bind(&self.actor.name)
        .bind(self.now.as_second())
        .bind(terms.expires.as_second())
        .fetch_one(&mut *self.inner)
        .await
        .map_err(StoreError::database("ask for a waiver"))?;
        let id: i64 = row.get(0);
        let detail = json!({
            "crates": terms.pattern, "versions": terms.versions, "rules": terms.rules,
            "for": terms.login, "reason": terms.reason, "expires": terms.expires.to_string(),
        });
        self.audit("waiver-requested", &subject(id), detail).await?;
        Ok(id)
    }

    /// A waiver, as this change sees it.
    ///
    /// # Errors
    /// There is none, or the database cannot be read.
    pub async fn find_waiver(&mut self, id: i64) -> Result<Waiver, StoreError> {
        let row = sqlx::query("SELECT * FROM waivers WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *self.inner)
            .await
            .map_err(StoreError::database("read waivers"))?;
        match row {
            Some(row) => Waiver::read(&row),
            None => Err(StoreError::Missing {
                what: "waiver",
                name: id.to_string(),
            }),
        }
    }

    /// Approves or refuses a waiver that somebody else has asked for.
    ///
    /// # Errors
    /// It is decided or over, the same person has asked for it, or the
    /// database cannot be written.
    pub async fn decide_waiver(
        &mut self,
        id: i64,
        approve: bool,
        reason: &str,
    ) -> Result<Waiver, StoreError> {
        let waiver = self.find_waiver(id).await?;
        if waiver.decided_by.is_some() || waiver.terms.expires <= self.now {
            return Err(StoreError::Decided { what: "waiver", id });
        }
        // Taking back what one has asked for needs nobody else.
        if approve {
            self.actor.require_another(&waiver.requested_by, "waiver")?;
        }
        sqlx::query(
            "UPDATE waivers SET decided_by = $2, decided = $3, approved = $4 WHERE id = $1",
        )
        .bind(id)
        .bind(&self.actor.name)
        .bind(self.now.as_second())
        .bind(i64::from(approve))
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("decide about a waiver"))?;
        let action = if approve {
            "waiver-approved"
        } else {
            "waiver-refused"
        };
        self.audit(action, &subject(id), json!({ "reason": reason }))
            .await?;
        Ok(waiver)
    }

    /// Ends a waiver before its time.
    ///
    /// # Errors
    /// It is not in force, or the database cannot be written.
    pub async fn end_waiver(&mut self, id: i64, reason: &str) -> Result<(), StoreError> {
        let waiver = self.find_waiver(id).await?;
        if !waiver.is_in_force(self.now) {
            return Err(StoreError::Missing {
                what: "waiver in force with the number",
                name: id.to_string(),
            });
        }
        sqlx::query("UPDATE waivers SET ended_by = $2, ended = $3 WHERE id = $1")
            .bind(id)
            .bind(&self.actor.name)
            .bind(self.now.as_second())
            .execute(&mut *self.inner)
            .await
            .map_err(StoreError::database("end a waiver"))?;
        self.audit("waiver-ended", &subject(id), json!({ "reason": reason }))
            .await?;
        Ok(())
    }
}

fn subject(id: i64) -> String {
    format!("waiver {id}")
}

//! Appeals of owners against what keeps their versions back.

use jiff::Timestamp;
use palisade_model::Checksum;
use serde_json::json;
use sqlx::Row as _;

use crate::audit::{time, version_subject};
use crate::backend::Row;
use crate::versions::checksum;
use crate::{Store, StoreError, Tx, Version};

/// An appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appeal {
    /// Its number.
    pub id: i64,
    /// The crate's canonical name.
    pub canonical: String,
    /// The version.
    pub version: String,
    /// The archive.
    pub checksum: Checksum,
    /// The audit record of the decision that it is against.
    pub about: i64,
    /// Who appeals, as the audit log names them.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub body: String,
    /// What became of it; `None` while it is open.
    pub outcome: Option<Outcome>,
}

/// What became of an appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Who decided.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Whether the version was let out.
    pub granted: bool,
    /// Why.
    pub reply: String,
}

impl Appeal {
    fn read(row: &Row) -> Result<Appeal, StoreError> {
        let by: Option<String> = row.get("decided_by");
        let outcome = match by {
            None => None,
            Some(by) => Some(Outcome {
                by,
                at: time(row.get::<Option<i64>, _>("decided").unwrap_or_default())?,
                granted: row.get::<Option<i64>, _>("granted") == Some(1),
                reply: row.get::<Option<String>, _>("reply").unwrap_or_default(),
            }),
        };
        Ok(Appeal {
            id: row.get("id"),
            canonical: row.get("crate"),
            version: row.get("version"),
            checksum: checksum(row.get("checksum"))?,
            about: row.get("about"),
            author: row.get("author"),
            at: time(row.get("at"))?,
            body: row.get("body"),
            outcome,
        })
    }
}

impl Store {
    /// Every appeal, open ones first and the oldest of them first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn appeals(&self) -> Result<Vec<Appeal>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM appeals ORDER BY CASE WHEN decided IS NULL THEN 0 ELSE 1 END, id",
        )
        .fetch_all(self.readers())
        .await
        .map_err(StoreError::database("read appeals"))?;
        rows.iter().map(Appeal::read).collect()
    }
}

impl Tx {
    /// Appeals against the decision that put a version where it stands; the
    /// appeal's number. There is one appeal against each decision.
    ///
    /// # Errors
    /// There was one, the version is not kept back, or the database cannot be
    /// written.
    pub async fn appeal(
        &mut self,
        canonical: &str,
        version: &Version,
        body: &str,
    ) -> Result<i64, StoreError> {
        let subject = version_subject(canonical, &version.version);
        if version.state.is_public() {
            return Err(StoreError::Pointless { subject });
        }
        let row = sqlx::query(
            "INSERT INTO appeals (crate, version, checksum, about, author, at, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id",
        )
        .bind(canonical)
        .bind(&version.version)
        .bind(version.checksum.to_string())
        .bind(version.state_record)
        .bind(&self.actor.name)
        .bind(self.now.as_second())
        .bind(body)
        .fetch_optional(&mut *self.inner)
        .await
        .map_err(StoreError::database("add an appeal"))?;
        let Some(row) = row else {
            return Err(StoreError::Exists {
                what: "appeal against the decision about",
                name: format!("{canonical} {}", version.version),
            });
        };
        let id: i64 = row.get(0);
        let detail = json!({
            "appeal": id, "about": version.state_record,
            "sha256": crate::evidence::hash(body),
        });
        self.audit("appealed", &subject, detail).await?;
        Ok(id)
    }

    /// An appeal, as this change sees it.
    ///
    /// # Errors
    /// There is none, or the database cannot be read.
    pub async fn find_appeal(&mut self, id: i64) -> Result<Appeal, StoreError> {
        let row = sqlx::query("SELECT * FROM appeals WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *self.inner)
            .await
            .map_err(StoreError::database("read appeals"))?;
        match row {
            Some(row) => Appeal::read(&row),
            None => Err(StoreError::Missing {
                what: "appeal",
                name: id.to_string(),
            }),
        }
    }

    /// Writes down what becomes of an appeal. What follows for the version is
    /// a decision of its own, in the same change.
    ///
    /// # Errors
    /// It is decided; whoever decides has appealed or made the decision that
    /// is appealed against; or the database cannot be written.
    pub async fn decide_appeal(
        &mut self,
        appeal: &Appeal,
        granted: bool,
        reply: &str,
    ) -> Result<(), StoreError> {
        if appeal.outcome.is_some() {
            return Err(StoreError::Decided {
                what: "appeal",
                id: appeal.id,
            });
        }
        let before: Option<String> = sqlx::query_scalar("SELECT actor FROM audit WHERE seq = $1")
            .bind(appeal.about)
            .fetch_optional(&mut *self.inner)
            .await
            .map_err(StoreError::database("read the audit log"))?;
        for other in before.iter().chain([&appeal.author]) {
            self.actor.require_another(other, "appeal")?;
        }
        let done = sqlx::query(
            "UPDATE appeals SET decided_by = $2, decided = $3, granted = $4, reply = $5
             WHERE id = $1 AND decided IS NULL",
        )
        .bind(appeal.id)
        .bind(&self.actor.name)
        .bind(self.now.as_second())
        .bind(i64::from(granted))
        .bind(reply)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("decide an appeal"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Decided {
                what: "appeal",
                id: appeal.id,
            });
        }
        let detail = json!({ "appeal": appeal.id, "granted": granted, "reason": reply });
        let subject = version_subject(&appeal.canonical, &appeal.version);
        self.audit("appeal-decided", &subject, detail).await?;
        Ok(())
    }
}

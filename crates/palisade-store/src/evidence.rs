//! What people have to say about a version. It is added and never changed or
//! deleted, even when the version is.

use jiff::Timestamp;
use palisade_model::Checksum;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use crate::audit::{time, version_subject};
use crate::backend::Row;
use crate::versions::checksum;
use crate::{Store, StoreError, Tx, Version};

/// Something that somebody said about a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Its number.
    pub id: i64,
    /// The archive that it is about.
    pub checksum: Checksum,
    /// When.
    pub at: Timestamp,
    /// Who, as the audit log names them.
    pub author: String,
    /// What.
    pub body: String,
    /// The audit record, which has the hash of the text.
    pub record: i64,
}

impl Evidence {
    fn read(row: &Row) -> Result<Evidence, StoreError> {
        Ok(Evidence {
            id: row.get("id"),
            checksum: checksum(row.get("checksum"))?,
            at: time(row.get("at"))?,
            author: row.get("author"),
            body: row.get("body"),
            record: row.get("record"),
        })
    }
}

impl Store {
    /// What was said about a version, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn evidence(
        &self,
        canonical: &str,
        version: &str,
    ) -> Result<Vec<Evidence>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM evidence WHERE crate = $1 AND version = $2 ORDER BY id")
                .bind(canonical)
                .bind(version)
                .fetch_all(self.readers())
                .await
                .map_err(StoreError::database("read evidence"))?;
        rows.iter().map(Evidence::read).collect()
    }

    /// For each piece of evidence its record and the hash of its text.
    pub(crate) async fn evidence_hashes(&self) -> Result<Vec<(i64, String)>, StoreError> {
        let rows = sqlx::query("SELECT record, body FROM evidence ORDER BY id")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read evidence"))?;
        Ok(rows
            .iter()
            .map(|row| (row.get(0), hash(row.get(1))))
            .collect())
    }
}

impl Tx {
    /// Adds what somebody has to say about a version; its number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_evidence(
        &mut self,
        canonical: &str,
        version: &Version,
        body: &str,
    ) -> Result<i64, StoreError> {
        let detail = json!({
            "checksum": version.checksum.to_string(), "sha256": hash(body),
        });
        let subject = version_subject(canonical, &version.version);
        let record = self.audit("evidence-added", &subject, detail).await?;
        let row = sqlx::query(
            "INSERT INTO evidence (crate, version, checksum, at, author, body, record)
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        )
        .bind(canonical)
        .bind(&version.version)
        .bind(version.checksum.to_string())
        .bind(self.now.as_second())
        .bind(&self.actor.name)
        .bind(body)
        .bind(record)
        .fetch_one(&mut *self.inner)
        .await
        .map_err(StoreError::database("add evidence"))?;
        Ok(row.get(0))
    }
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(crate) fn hash(text: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    Checksum(hash).to_string()
}

//! Deleting what was published here. The evidence is kept, the version number
//! is never used again.

use serde_json::json;

use crate::audit::version_subject;
use crate::{Store, StoreError, Tx, Version};

/// The state that a deletion's record gives a version.
pub(crate) const DELETED: &str = "deleted";

impl Store {
    /// Canonical name and version of everything that was deleted.
    pub(crate) async fn deleted(&self) -> Result<Vec<(String, String)>, StoreError> {
        use sqlx::Row as _;
        let rows = sqlx::query("SELECT crate, version FROM deleted_versions")
            .fetch_all(self.readers())
            .await
            .map_err(StoreError::database("read deletions"))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

impl Tx {
    /// Deletes a version. `evidence` says where what is left of it was put.
    ///
    /// # Errors
    /// Somebody else was faster, or the database cannot be written.
    pub async fn delete_version(
        &mut self,
        canonical: &str,
        seen: &Version,
        reason: &str,
        evidence: &str,
    ) -> Result<(), StoreError> {
        let subject = version_subject(canonical, &seen.version);
        let detail = json!({
            "state": DELETED, "from": seen.state.as_str(), "reason": reason,
            "checksum": seen.checksum.to_string(), "evidence": evidence,
        });
        let record = self.audit("version-deleted", &subject, detail).await?;
        sqlx::query(
            "INSERT INTO deleted_versions (crate, version, identity, checksum, publisher,
                 first_seen, at, record)
             SELECT crate, version, identity, checksum, publisher, first_seen, $3, $4
             FROM versions WHERE crate = $1 AND version = $2",
        )
        .bind(canonical)
        .bind(&seen.version)
        .bind(self.now.as_second())
        .bind(record)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("delete a version"))?;
        let done = sqlx::query(
            "DELETE FROM versions WHERE crate = $1 AND version = $2 AND state_record = $3",
        )
        .bind(canonical)
        .bind(&seen.version)
        .bind(seen.state_record)
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("delete a version"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Raced { subject });
        }
        Ok(())
    }

    /// Deletes a crate of which every version is deleted, and its owners.
    ///
    /// # Errors
    /// It has a version, or the database cannot be written.
    pub async fn delete_crate(&mut self, canonical: &str, reason: &str) -> Result<(), StoreError> {
        self.audit(
            "crate-deleted",
            &format!("crate {canonical}"),
            json!({ "reason": reason }),
        )
        .await?;
        for statement in [
            "DELETE FROM owners WHERE crate = $1",
            "DELETE FROM crates WHERE canonical = $1",
        ] {
            sqlx::query(statement)
                .bind(canonical)
                .execute(&mut *self.inner)
                .await
                .map_err(StoreError::database("delete a crate"))?;
        }
        Ok(())
    }

    /// Whether a version of this identity was deleted once.
    pub(crate) async fn was_deleted(
        &mut self,
        canonical: &str,
        identity: &str,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM deleted_versions WHERE crate = $1 AND identity = $2")
            .bind(canonical)
            .bind(identity)
            .fetch_optional(&mut *self.inner)
            .await
            .map_err(StoreError::database("read deletions"))?;
        Ok(row.is_some())
    }
}

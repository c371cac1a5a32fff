//! What looking into archives brought. It is bound to the archive's checksum.

use palisade_model::Checksum;
use serde_json::json;
use sqlx::Row as _;

use crate::backend::Row;
use crate::{Store, StoreError, Tx};

/// What looking into an archive brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Why a registry would refuse the archive today.
    pub defect: Option<String>,
    /// The licence that its manifest names; empty where it names none, `None`
    /// where the manifest cannot be read.
    pub licence: Option<String>,
    /// What a scanner said; `None` when none was asked.
    pub verdict: Option<Verdict>,
}

/// What a scanner said of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Which scanner, and which release of it.
    pub scanner: String,
    /// From 0 (nothing) to 100 (certainly malicious).
    pub risk: u8,
    /// The evidence in one sentence, for whoever wants the version.
    pub summary: String,
    /// A secret that it ships beyond doubt.
    pub secret: Option<String>,
    /// The name that its name imitates, with what speaks for it.
    pub imitates: Option<String>,
    /// Every finding, as JSON, for the person who decides.
    pub findings: String,
}

impl Inspection {
    fn read(row: &Row) -> Inspection {
        let scanner: Option<String> = row.get("scanner");
        let text = |field: &str| row.get::<Option<String>, _>(field);
        Inspection {
            defect: text("defect"),
            licence: text("licence"),
            verdict: scanner.map(|scanner| Verdict {
                scanner,
                risk: u8::try_from(row.get::<Option<i64>, _>("risk").unwrap_or(i64::MAX))
                    .unwrap_or(u8::MAX),
                summary: text("summary").unwrap_or_default(),
                secret: text("secret"),
                imitates: text("imitates"),
                findings: text("findings").unwrap_or_default(),
            }),
        }
    }
}

impl Store {
    /// What looking into the archive with this checksum brought; `None` when
    /// nobody has looked.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn inspection(&self, checksum: Checksum) -> Result<Option<Inspection>, StoreError> {
        let row = sqlx::query("SELECT * FROM inspections WHERE checksum = $1")
            .bind(checksum.to_string())
            .fetch_optional(self.readers())
            .await
            .map_err(StoreError::database("read an inspection"))?;
        Ok(row.as_ref().map(Inspection::read))
    }
}

impl Tx {
    /// Keeps what looking into an archive brought, in place of what it brought
    /// before.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_inspection(
        &mut self,
        checksum: Checksum,
        inspection: &Inspection,
    ) -> Result<(), StoreError> {
        let verdict = inspection.verdict.as_ref();
        sqlx::query(
            "INSERT INTO inspections (checksum, at, defect, licence, scanner, risk, summary, secret,
                 imitates, findings)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (checksum) DO UPDATE SET
                 at = excluded.at, defect = excluded.defect, licence = excluded.licence,
                 scanner = excluded.scanner, risk = excluded.risk, summary = excluded.summary,
                 secret = excluded.secret, imitates = excluded.imitates,
                 findings = excluded.findings",
        )
        .bind(checksum.to_string())
        .bind(self.now.as_second())
        .bind(&inspection.defect)
        .bind(&inspection.licence)
        .bind(verdict.map(|verdict| &verdict.scanner))
        .bind(verdict.map(|verdict| i64::from(verdict.risk)))
        .bind(verdict.map(|verdict| &verdict.summary))
        .bind(verdict.and_then(|verdict| verdict.secret.as_ref()))
        .bind(verdict.and_then(|verdict| verdict.imitates.as_ref()))
        .bind(verdict.map(|verdict| &verdict.findings))
        .execute(&mut *self.inner)
        .await
        .map_err(StoreError::database("keep an inspection"))?;
        let mut detail = json!({ "defect": inspection.defect, "licence": inspection.licence });
        if let Some(verdict) = verdict {
            detail["scanner"] = json!(verdict.scanner);
            detail["risk"] = json!(verdict.risk);
            detail["sha256"] = json!(crate::evidence::hash(&verdict.findings));
        }
        self.audit("inspected", &format!("archive {checksum}"), detail)
            .await?;
        Ok(())
    }
}

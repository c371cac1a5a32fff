//! What is left of a version that is deleted: an attack whose traces vanish
//! with the version cannot be understood afterwards.

use std::io::Write as _;

use camino::Utf8PathBuf;
use palisade_store::{Store, Version};
use serde_json::{Value, json};

use crate::GatewayError;
use crate::archives::Archives;
use crate::config::Config;

/// Everything about one version.
pub(super) struct Bundle {
    directory: String,
    record: Value,
    version: Version,
}

impl Bundle {
    /// Gathers what is known.
    pub(super) async fn gather(
        store: &Store,
        canonical: &str,
        version: &Version,
        reason: &str,
    ) -> Result<Bundle, GatewayError> {
        let owners = store.owners(canonical).await?;
        let inspection = store.inspection(version.checksum).await?;
        let evidence: Vec<Value> = store
            .evidence(canonical, &version.version)
            .await?
            .into_iter()
            .map(|piece| {
                json!({
                    "at": piece.at.to_string(), "author": piece.author, "body": piece.body,
                    "record": piece.record,
                })
            })
            .collect();
        let appeals: Vec<Value> = store
            .appeals()
            .await?
            .into_iter()
            .filter(|appeal| appeal.canonical == canonical && appeal.version == version.version)
            .map(|appeal| {
                json!({
                    "at": appeal.at.to_string(), "author": appeal.author, "body": appeal.body,
                    "outcome": appeal.outcome.map(|outcome| json!({
                        "by": outcome.by, "granted": outcome.granted, "reply": outcome.reply,
                    })),
                })
            })
            .collect();
        let publisher = version.publisher.and_then(|id| {
            let mut owners = owners.iter();
            owners
                .find(|owner| owner.id == id)
                .map(|owner| &owner.login)
        });
        let record = json!({
            "crate": canonical,
            "version": version.version,
            "line": version.line,
            "checksum": version.checksum.to_string(),
            "first_seen": version.first_seen.to_string(),
            "publisher": publisher,
            "publisher_id": version.publisher,
            "owners": owners.iter().map(|owner| &owner.login).collect::<Vec<_>>(),
            "state": version.state.as_str(),
            "rule": version.rule,
            "reason": version.reason,
            "deleted_because": reason,
            "inspection": inspection.map(|inspection| json!({
                "defect": inspection.defect,
                "licence": inspection.licence,
                "verdict": inspection.verdict.map(|verdict| json!({
                    "scanner": verdict.scanner, "risk": verdict.risk,
                    "summary": verdict.summary, "secret": verdict.secret,
                    "imitates": verdict.imitates,
                    "findings": serde_json::from_str::<Value>(&verdict.findings)
                        .unwrap_or(Value::Null),
                })),
            })),
            "evidence": evidence,
            "appeals": appeals,
        });
        Ok(Bundle {
            directory: format!("{canonical}-{}", version.version),
            record,
            version: version.clone(),
        })
    }

    /// Writes it below the data directory, so that a loss of power does not
    /// lose it; where.
    pub(super) fn write(&self, config: &Config) -> Result<Utf8PathBuf, GatewayError> {
        let below = Utf8PathBuf::from("evidence").join(&self.directory);
        let directory = config.data.join(&below);
        let failed = |path: &Utf8PathBuf| {
            let path = path.clone();
            move |source| GatewayError::File {
                operation: "write",
                path,
                source,
            }
        };
        std::fs::create_dir_all(&directory).map_err(failed(&directory))?;
        let keep = |name: &str, bytes: &[u8]| {
            let path = directory.join(name);
            std::fs::File::create(&path)
                .and_then(|mut file| {
                    file.write_all(bytes)?;
                    file.sync_all()
                })
                .map_err(failed(&path))
        };
        // An archive that is gone or broken must not keep the rest alive.
        match Archives::open(&config.data).get(self.version.checksum) {
            Ok(Some(bytes)) => keep("archive.crate", &bytes)?,
            Ok(None) => keep("archive.missing", b"it was gone before the deletion\n")?,
            Err(error) => {
                let reason = format!("{}\n", crate::catalogue::chain(&error));
                keep("archive.missing", reason.as_bytes())?;
            }
        }
        let text = serde_json::to_string_pretty(&self.record)
            .map_err(|error| GatewayError::Refused(error.to_string()))?;
        keep("record.json", text.as_bytes())?;
        std::fs::File::open(&directory)
            .and_then(|directory| directory.sync_all())
            .map_err(failed(&directory))?;
        Ok(below)
    }
}

//! Copies of the whole state, made while the service runs, in one form for
//! both databases: what one wrote, the other reads.
//!
//! A copy is a text of lines, each a JSON object: a head, one line for each
//! row, and an end with the number of rows and the SHA-256 of all lines before
//! it, so that a copy that was cut off or changed is not taken for whole.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write};

use camino::Utf8Path;
use futures_util::TryStreamExt as _;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyTypeInfoKind;
use sqlx::{Column as _, Row as _, ValueRef as _};

use crate::backend::{Kind, Row, SCHEMAS};
use crate::{Store, StoreError};

/// What the first line says.
const FORM: &str = "palisade-state-1";

/// Every table, each behind those that it refers to, with what its rows are
/// ordered by. Tables whose rows number themselves are ordered by that number.
const TABLES: [(&str, &str); 22] = [
    ("crates", "canonical"),
    ("users", "id"),
    ("versions", "crate, position"),
    ("owners", "crate, user_id"),
    ("tokens", "id"),
    ("inspections", "checksum"),
    ("evidence", "id"),
    ("appeals", "id"),
    ("waivers", "id"),
    ("holds", "id"),
    ("names", "pattern"),
    ("limits", "subject, kind"),
    ("requests", "id"),
    ("disclosures", "id"),
    ("deleted_versions", "crate, version"),
    ("settings", "key"),
    ("jobs", "id"),
    ("notices", "id"),
    ("identities", "issuer, subject"),
    ("sessions", "hash"),
    ("publishers", "id"),
    ("used_ids", "issuer, id"),
];

/// The longest line that is read. An index line is far shorter.
const LINE: u64 = 16 << 20;

/// A file that knows its checksum so far.
struct Summed {
    file: BufWriter<File>,
    hash: Sha256,
    rows: u64,
}

impl Summed {
    fn line(&mut self, line: &Value) -> std::io::Result<()> {
        let mut text = line.to_string();
        text.push('\n');
        self.hash.update(text.as_bytes());
        self.file.write_all(text.as_bytes())
    }
}

impl Store {
    /// Writes a consistent copy to the new file `to`, while the service runs.
    /// Archives are not in it.
    ///
    /// # Errors
    /// The file exists or cannot be written, or the database cannot be read.
    pub async fn backup(&self, to: &Utf8Path) -> Result<(), StoreError> {
        let failed = |source| StoreError::File {
            operation: "write",
            path: to.to_owned(),
            source,
        };
        let file = File::create_new(to).map_err(failed)?;
        let written = self.write_copy(file, to).await;
        if written.is_err() {
            // Half a copy is none.
            let _ = std::fs::remove_file(to);
        }
        written
    }

    async fn write_copy(&self, file: File, to: &Utf8Path) -> Result<(), StoreError> {
        let database = StoreError::database;
        let failed = |source| StoreError::File {
            operation: "write",
            path: to.to_owned(),
            source,
        };
        let mut out = Summed {
            file: BufWriter::new(file),
            hash: Sha256::new(),
            rows: 0,
        };
        out.line(&json!({ "form": FORM, "schema": SCHEMAS.len() }))
            .map_err(failed)?;
        // One moment for all tables.
        let begin = match self.backend.kind {
            Kind::Sqlite => "BEGIN",
            Kind::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let mut tx = self
            .readers()
            .begin_with(begin)
            .await
            .map_err(database("read the state"))?;
        for (table, order) in tables() {
            let query = sqlx::AssertSqlSafe(format!("SELECT * FROM {table} ORDER BY {order}"));
            let mut rows = sqlx::query(query).fetch(&mut *tx);
            while let Some(row) = rows.try_next().await.map_err(database("read the state"))? {
                let row = to_json(&row).map_err(database("read the state"))?;
                out.line(&json!({ "table": table, "row": row }))
                    .map_err(failed)?;
                out.rows += 1;
            }
        }
        let end = json!({ "rows": out.rows, "sha256": hexadecimal(out.hash.clone()) });
        out.line(&end).map_err(failed)?;
        let file = out
            .file
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)
    }

    /// Fills an empty state with a copy, in one change; how many rows there
    /// are. The copy's own audit log goes on.
    ///
    /// # Errors
    /// The state is not empty, or the copy is not whole or from a newer
    /// release; then nothing has changed.
    pub async fn restore(&self, from: &Utf8Path) -> Result<u64, StoreError> {
        let database = StoreError::database;
        let failed = |source| StoreError::File {
            operation: "read",
            path: from.to_owned(),
            source,
        };
        let unusable = |reason: &str| StoreError::Copy {
            path: from.to_owned(),
            reason: reason.to_owned(),
        };
        let mut lines = Lines {
            file: BufReader::new(File::open(from).map_err(failed)?),
            hash: Sha256::new(),
        };
        let (head, _) = lines.next(from)?;
        if head["form"] != FORM {
            return Err(unusable("it does not begin as a copy of the state does"));
        }
        if head["schema"]
            .as_u64()
            .is_none_or(|schema| schema > SCHEMAS.len() as u64)
        {
            return Err(unusable("a newer release has written it"));
        }
        let mut tx = self.backend.write().await?;
        let used: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM audit")
            .fetch_one(&mut *tx)
            .await
            .map_err(database("read the audit log"))?;
        if used != 0 {
            return Err(StoreError::Exists {
                what: "state of",
                name: "this database".to_owned(),
            });
        }
        let mut rows = 0;
        loop {
            let (line, before) = lines.next(from)?;
            if let Some(sum) = line["sha256"].as_str() {
                if sum != before || line["rows"].as_u64() != Some(rows) {
                    return Err(unusable("it was changed"));
                }
                break;
            }
            let table = tables().find(|(table, _)| line["table"] == *table);
            let (Some((table, _)), Some(row)) = (table, line["row"].as_object()) else {
                return Err(unusable("it has a line that is none of its form"));
            };
            let query = insert(table, row).ok_or_else(|| unusable("it has a row that is none"))?;
            let mut query = sqlx::query(sqlx::AssertSqlSafe(query));
            for value in row.values() {
                query = match value {
                    Value::String(text) => query.bind(text),
                    Value::Number(number) => query.bind(number.as_i64()),
                    // It is spelled in the statement.
                    _ => query,
                };
            }
            query
                .execute(&mut *tx)
                .await
                .map_err(database("write a row of the copy"))?;
            rows += 1;
        }
        if self.backend.kind == Kind::Postgres {
            for (table, _) in tables().filter(|(_, order)| *order == "id") {
                let query = format!(
                    "SELECT setval(pg_get_serial_sequence('{table}', 'id'),
                         (SELECT COALESCE(MAX(id), 0) + 1 FROM {table}), false)"
                );
                sqlx::query(sqlx::AssertSqlSafe(query))
                    .execute(&mut *tx)
                    .await
                    .map_err(database("write a row of the copy"))?;
            }
        }
        tx.commit().await.map_err(database("write the copy"))?;
        Ok(rows)
    }
}

/// Every table; the audit log is the last, so that a copy that is read by a
/// person ends with what happened last.
fn tables() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLES.into_iter().chain([("audit", "seq")])
}

struct Lines {
    file: BufReader<File>,
    hash: Sha256,
}

impl Lines {
    /// The next line, and the checksum of all lines before it.
    fn next(&mut self, path: &Utf8Path) -> Result<(Value, String), StoreError> {
        let before = hexadecimal(self.hash.clone());
        let mut text = String::new();
        std::io::Read::take(&mut self.file, LINE)
            .read_line(&mut text)
            .map_err(|source| StoreError::File {
                operation: "read",
                path: path.to_owned(),
                source,
            })?;
        self.hash.update(text.as_bytes());
        match serde_json::from_str(&text) {
            Ok(line) if text.ends_with('\n') => Ok((line, before)),
            _ => Err(StoreError::Copy {
                path: path.to_owned(),
                reason: "it is cut off".to_owned(),
            }),
        }
    }
}

fn hexadecimal(hash: Sha256) -> String {
    let hash: [u8; 32] = hash.finalize().into();
    palisade_model::Checksum(hash).to_string()
}

fn to_json(row: &Row) -> Result<Map<String, Value>, sqlx::Error> {
    let mut object = Map::new();
    for (at, column) in row.columns().iter().enumerate() {
        let value = row.try_get_raw(at)?;
        let value = match value.type_info().kind() {
            _ if value.is_null() => Value::Null,
            AnyTypeInfoKind::Text => json!(row.try_get::<String, _>(at)?),
            AnyTypeInfoKind::Null => Value::Null,
            _ => json!(row.try_get::<i64, _>(at)?),
        };
        object.insert(column.name().to_owned(), value);
    }
    Ok(object)
}

/// The statement that writes a row; `None` when a column's name could be more
/// than a name.
fn insert(table: &str, row: &Map<String, Value>) -> Option<String> {
    let plain = |name: &String| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
    };
    if row.is_empty() || !row.keys().all(plain) {
        return None;
    }
    let names: Vec<&str> = row.keys().map(String::as_str).collect();
    let mut bound = 0;
    let values: Vec<String> = row
        .values()
        .map(|value| match value {
            Value::String(_) | Value::Number(_) => {
                bound += 1;
                format!("${bound}")
            }
            // Bound, it would need a type.
            _ => "NULL".to_owned(),
        })
        .collect();
    Some(format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        names.join(", "),
        values.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards copies against a table that a later schema adds: each one is
    /// copied.
    #[test]
    fn every_table_is_copied() {
        let named = |statement: &'static str| {
            SCHEMAS
                .iter()
                .flat_map(|schema| schema.lines())
                .filter_map(move |line| {
                    line.strip_prefix(statement)?
                        .split([' ', ';'])
                        .find(|word| !word.is_empty())
                })
        };
        let dropped: Vec<&str> = named("DROP TABLE ").collect();
        let made: Vec<&str> = named("CREATE TABLE ")
            .filter(|table| !dropped.contains(table))
            .collect();
        let copied: Vec<&str> = tables().map(|(table, _)| table).collect();
        for table in &made {
            assert!(copied.contains(table), "{table} is not copied");
        }
        assert_eq!(made.len(), copied.len());
    }
}

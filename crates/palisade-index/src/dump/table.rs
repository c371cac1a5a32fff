//! One CSV file of a dump.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use csv::ByteRecord;
use jiff::Timestamp;

use super::DumpProblem;
use crate::{IndexError, read};

/// A file that is read row by row.
pub(super) struct Table {
    path: Utf8PathBuf,
    reader: csv::Reader<File>,
    columns: Arc<HashMap<String, usize>>,
    rows: u64,
    limit: u64,
    skipped: u64,
}

/// A row, by the names of its columns.
pub(super) struct Row {
    columns: Arc<HashMap<String, usize>>,
    record: ByteRecord,
}

impl Table {
    /// Opens a file; `None` when there is none.
    ///
    /// # Errors
    /// It cannot be read or lacks one of `needed`.
    pub(super) fn open(
        path: &Utf8Path,
        needed: &[&str],
        limit: u64,
    ) -> Result<Option<Table>, IndexError> {
        let failed = |source| IndexError::Read {
            path: path.to_owned(),
            source,
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        // Rows that are too short or too long are skipped one by one.
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
        let head = reader
            .byte_headers()
            .map_err(|error| malformed(path, &error))?;
        let columns: HashMap<String, usize> = head
            .iter()
            .enumerate()
            .map(|(at, name)| (String::from_utf8_lossy(name).into_owned(), at))
            .collect();
        for needed in needed {
            if !columns.contains_key(*needed) {
                return Err(read::malformed(
                    path,
                    format!("it has no column `{needed}`"),
                ));
            }
        }
        Ok(Some(Table {
            path: path.to_owned(),
            reader,
            columns: Arc::new(columns),
            rows: 0,
            limit,
            skipped: 0,
        }))
    }

    pub(super) fn next(&mut self) -> Result<Option<Row>, IndexError> {
        if self.rows >= self.limit {
            return Ok(None);
        }
        let mut record = ByteRecord::new();
        let there = self.reader.read_byte_record(&mut record);
        if !there.map_err(|error| malformed(&self.path, &error))? {
            return Ok(None);
        }
        self.rows += 1;
        Ok(Some(Row {
            columns: self.columns.clone(),
            record,
        }))
    }

    /// Counts a row that could not be used.
    pub(super) fn skip(&mut self) {
        self.skipped += 1;
    }

    /// What was not read.
    pub(super) fn problem(self) -> Option<DumpProblem> {
        let reason = if self.rows >= self.limit {
            format!("only {} rows were read", self.limit)
        } else if self.skipped > 0 {
            format!("{} of {} rows could not be used", self.skipped, self.rows)
        } else {
            return None;
        };
        Some(DumpProblem {
            file: self.path.file_name().unwrap_or_default().to_owned(),
            reason,
        })
    }
}

impl Row {
    /// A field's text; none when it is empty or missing.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        let field = self.record.get(*self.columns.get(column)?)?;
        (!field.is_empty()).then(|| String::from_utf8_lossy(field).into_owned())
    }

    pub(super) fn number(&self, column: &str) -> Option<u64> {
        let field = self.record.get(*self.columns.get(column)?)?;
        std::str::from_utf8(field).ok()?.parse().ok()
    }

    /// A flag as PostgreSQL writes it.
    pub(super) fn flag(&self, column: &str) -> Option<bool> {
        match self.record.get(*self.columns.get(column)?)? {
            b"t" | b"true" => Some(true),
            b"f" | b"false" => Some(false),
            _ => None,
        }
    }

    /// A time as PostgreSQL writes it: `2020-01-31 12:30:00.123456+00`, in UTC
    /// also without the offset.
    pub(super) fn time(&self, column: &str) -> Option<Timestamp> {
        let text = self.text(column)?;
        text.parse()
            .ok()
            .or_else(|| format!("{text}Z").parse().ok())
    }
}

fn malformed(path: &Utf8Path, error: &csv::Error) -> IndexError {
    read::malformed(path, error.to_string())
}

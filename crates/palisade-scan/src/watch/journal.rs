//! What was told, one JSON object a line. A line is on the disk before anybody
//! sees it; half a line, which a kill can leave behind, is cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};

use camino::{Utf8Path, Utf8PathBuf};
use semver::Version;

use super::Event;

/// The most bytes of a line. A report has at most some hundred findings.
const LINE: u64 = 16 << 20;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// A file cannot be used.
    #[error("cannot {operation} `{path}`")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process watches with the same state.
    #[error("`{0}` is in use by another `palisade watch`")]
    Busy(Utf8PathBuf),
    /// A line is not what this version writes.
    #[error("line {line} of `{path}` is no event: {reason}")]
    Malformed {
        /// The journal.
        path: Utf8PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// The events that were told, and which of them somebody has seen.
#[derive(Debug)]
pub struct Journal {
    path: Utf8PathBuf,
    shown_path: Utf8PathBuf,
    file: File,
    /// Where the journal ends.
    end: u64,
    /// Up to where it was shown.
    shown: u64,
    ids: BTreeSet<String>,
    /// The detectors that spoke about a version.
    detectors: BTreeMap<(String, Version), BTreeSet<String>>,
    _lock: File,
}

impl Journal {
    pub(super) fn open(state: &Utf8Path) -> Result<Journal, JournalError> {
        let failed = |operation, path: &Utf8Path| {
            let path = path.to_owned();
            move |source| JournalError::Io {
                operation,
                path,
                source,
            }
        };
        std::fs::create_dir_all(state).map_err(failed("make", state))?;
        let lock_path = state.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(failed("open", &lock_path))?;
        if lock.try_lock().is_err() {
            return Err(JournalError::Busy(state.to_owned()));
        }
        let path = state.join("journal.jsonl");
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed("open", &path))?;
        let end = whole_lines(&mut file).map_err(failed("read", &path))?;
        file.set_len(end).map_err(failed("cut", &path))?;
        file.seek(SeekFrom::Start(end))
            .map_err(failed("read", &path))?;
        let shown_path = state.join("shown");
        let shown = std::fs::read_to_string(&shown_path)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0_u64)
            .min(end);
        let mut journal = Journal {
            path,
            shown_path,
            file,
            end,
            shown,
            ids: BTreeSet::new(),
            detectors: BTreeMap::new(),
            _lock: lock,
        };
        for event in journal.events()? {
            journal.note(&event?);
        }
        Ok(journal)
    }

    fn note(&mut self, event: &Event) {
        self.ids.insert(event.id.clone());
        if let Some(version) = &event.version {
            let known = self
                .detectors
                .entry((event.name.clone(), version.clone()))
                .or_default();
            known.extend(
                event
                    .findings
                    .iter()
                    .map(|finding| finding.detector.clone()),
            );
        }
    }

    /// Whether an event is in it.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The detectors that spoke about a version.
    pub(super) fn detectors(&self, name: &str, version: &Version) -> BTreeSet<&str> {
        let known = self.detectors.get(&(name.to_owned(), version.clone()));
        known.into_iter().flatten().map(String::as_str).collect()
    }

    pub(super) fn append(&mut self, event: &Event) -> Result<(), JournalError> {
        let failed = |source: io::Error| JournalError::Io {
            operation: "write",
            path: self.path.clone(),
            source,
        };
        let mut line = serde_json::to_vec(event).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(failed)?;
        self.file.sync_data().map_err(failed)?;
        self.end += line.len() as u64;
        self.note(event);
        Ok(())
    }

    /// Every event, in order.
    ///
    /// # Errors
    /// The file cannot be read; a line that is no event is an error in its
    /// place.
    pub fn events(
        &self,
    ) -> Result<impl Iterator<Item = Result<Event, JournalError>> + use<>, JournalError> {
        self.from(0)
    }

    /// The events that nobody has seen: those that were written down shortly
    /// before a kill.
    ///
    /// # Errors
    /// As for [`Journal::events`].
    pub fn unshown(
        &self,
    ) -> Result<impl Iterator<Item = Result<Event, JournalError>> + use<>, JournalError> {
        self.from(self.shown)
    }

    fn from(
        &self,
        start: u64,
    ) -> Result<impl Iterator<Item = Result<Event, JournalError>> + use<>, JournalError> {
        let path = self.path.clone();
        let failed = |source| JournalError::Io {
            operation: "read",
            path: self.path.clone(),
            source,
        };
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(start)).map_err(failed)?;
        let lines = BufReader::new(file).lines();
        Ok(lines.enumerate().map(move |(at, line)| {
            let line = line.map_err(|source| JournalError::Io {
                operation: "read",
                path: path.clone(),
                source,
            })?;
            serde_json::from_str(&line).map_err(|error| JournalError::Malformed {
                path: path.clone(),
                line: at + 1,
                reason: error.to_string(),
            })
        }))
    }

    /// Writes down that everything was shown.
    ///
    /// # Errors
    /// The file cannot be written; then the same may be shown again.
    pub fn mark_shown(&mut self) -> Result<(), JournalError> {
        if self.shown == self.end {
            return Ok(());
        }
        let failed = |source| JournalError::Io {
            operation: "write",
            path: self.shown_path.clone(),
            source,
        };
        let parent = self.shown_path.parent().unwrap_or(Utf8Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
        writeln!(file, "{}", self.end).map_err(failed)?;
        file.persist(&self.shown_path)
            .map_err(|error| failed(error.error))?;
        self.shown = self.end;
        Ok(())
    }
}

/// The bytes of a file up to its last whole line.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = 0;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = io::Read::take(&mut reader, LINE).read_until(b'\n', &mut line)?;
        if read == 0 || line.last() != Some(&b'\n') {
            return Ok(end);
        }
        end += read as u64;
    }
}

//! How far discovery has come, in a file that is replaced in one step.

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{IndexError, read};

/// The most bytes of a checkpoint.
const CHECKPOINT_BYTES: u64 = 16 << 20;
/// The version of the format.
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File<T> {
    schema: u32,
    /// Which discovery it belongs to, and of what.
    subject: String,
    state: T,
}

/// Where one discovery keeps its state.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    path: Utf8PathBuf,
    subject: String,
}

impl Checkpoint {
    pub(super) fn new(path: &Utf8Path, subject: String) -> Checkpoint {
        Checkpoint {
            path: path.to_owned(),
            subject,
        }
    }

    /// The state; the default when there is none yet.
    ///
    /// # Errors
    /// The file cannot be read or belongs to something else: going on from a
    /// wrong place would lose changes.
    pub(super) fn load<T: DeserializeOwned + Default>(&self) -> Result<T, IndexError> {
        let Some(text) = read::text(&self.path, CHECKPOINT_BYTES)? else {
            return Ok(T::default());
        };
        let malformed = |reason: String| read::malformed(&self.path, reason);
        let file: File<T> =
            serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if file.schema != SCHEMA {
            return Err(malformed(format!(
                "its schema is {}, not {SCHEMA}",
                file.schema
            )));
        }
        if file.subject != self.subject {
            return Err(malformed(format!(
                "it belongs to {}, not to {}",
                file.subject, self.subject
            )));
        }
        Ok(file.state)
    }

    pub(super) fn save<T: Serialize>(&self, state: &T) -> Result<(), IndexError> {
        let file = File {
            schema: SCHEMA,
            subject: self.subject.clone(),
            state,
        };
        let failed = |source| IndexError::Write {
            path: self.path.clone(),
            source,
        };
        let parent = self
            .path
            .parent()
            .filter(|parent| !parent.as_str().is_empty());
        let parent = parent.unwrap_or(Utf8Path::new("."));
        std::fs::create_dir_all(parent).map_err(failed)?;
        let mut written = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
        serde_json::to_writer(&mut written, &file).map_err(|error| failed(error.into()))?;
        written.flush().map_err(failed)?;
        written.as_file().sync_data().map_err(failed)?;
        written
            .persist(&self.path)
            .map_err(|error| failed(error.error))?;
        Ok(())
    }
}

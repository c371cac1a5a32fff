//! Reading files that somebody else wrote, with a limit.

use std::fs::File;
use std::io::{self, Read};

use camino::Utf8Path;

use crate::IndexError;

/// Reads a regular file of at most `limit` bytes; `None` when there is none.
pub(crate) fn bytes(path: &Utf8Path, limit: u64) -> Result<Option<Vec<u8>>, IndexError> {
    let failed = |source| IndexError::Read {
        path: path.to_owned(),
        source,
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // A named pipe would block for ever, a device could deliver without end.
    if !metadata.is_file() {
        return Err(failed(io::Error::other("it is not a regular file")));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(IndexError::TooLarge {
            subject: format!("`{path}`"),
            limit,
        });
    }
    Ok(Some(bytes))
}

/// Reads a text file of at most `limit` bytes; `None` when there is none.
pub(crate) fn text(path: &Utf8Path, limit: u64) -> Result<Option<String>, IndexError> {
    let Some(bytes) = bytes(path, limit)? else {
        return Ok(None);
    };
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| malformed(path, "it is not UTF-8"))
}

pub(crate) fn malformed(path: &Utf8Path, reason: impl Into<String>) -> IndexError {
    IndexError::Malformed {
        subject: format!("`{path}`"),
        reason: reason.into(),
    }
}

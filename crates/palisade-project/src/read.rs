//! Reading files that somebody else wrote, with a limit.

use std::fs::File;
use std::io::{self, Read};

use camino::Utf8Path;

use crate::LoadError;

/// Where the files of packages are read from.
pub trait PackageFiles {
    /// A text file of at most `limit` bytes; `None` when there is none that
    /// can be read.
    fn text(&self, file: &Utf8Path, limit: u64) -> Option<String>;

    /// Whether there is such a file.
    fn contains(&self, file: &Utf8Path) -> bool;
}

/// Packages that lie unpacked on the disk.
#[derive(Clone, Copy, Debug)]
pub struct OnDisk;

impl PackageFiles for OnDisk {
    fn text(&self, file: &Utf8Path, limit: u64) -> Option<String> {
        text(file, limit).ok()
    }

    fn contains(&self, file: &Utf8Path) -> bool {
        file.is_file()
    }
}

/// Reads a text file of at most `limit` bytes.
///
/// Only regular files are opened: a named pipe in a checkout would block
/// forever, and a device could deliver without end.
pub(crate) fn text(file: &Utf8Path, limit: u64) -> Result<String, LoadError> {
    let failed = |source| LoadError::Read {
        file: file.to_owned(),
        source,
    };
    let metadata = std::fs::metadata(file).map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::other("it is not a regular file")));
    }
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(limit.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(LoadError::TooLarge {
            file: file.to_owned(),
            limit,
        });
    }
    String::from_utf8(bytes).map_err(|_| {
        failed(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is not UTF-8",
        ))
    })
}

/// Reads a TOML file of at most `limit` bytes.
pub(crate) fn toml(file: &Utf8Path, limit: u64) -> Result<toml::Table, LoadError> {
    parse_toml(file, &text(file, limit)?)
}

/// Parses the text of a TOML file.
pub(crate) fn parse_toml(file: &Utf8Path, text: &str) -> Result<toml::Table, LoadError> {
    text.trim_start_matches('\u{feff}')
        .parse()
        .map_err(|source| LoadError::Toml {
            file: file.to_owned(),
            source: Box::new(source),
        })
}

/// The strings of a TOML array; nothing for anything else.
pub(crate) fn strings(value: Option<&toml::Value>) -> Vec<String> {
    value
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

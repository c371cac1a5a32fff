//! The second opinion: the parser that cargo unpacks crates with.

use std::io::Cursor;

use tar::Archive;

use super::walk::{Entry, EntryKind, kind_of};
use crate::visible;

/// Where cargo's parser sees something else than `entries`, in words, and what
/// it sees when it can read the archive at all. `None` when both agree. With
/// `more`, `entries` were cut short on purpose.
pub(super) fn disagreement(
    bytes: &[u8],
    entries: &[Entry],
    more: bool,
) -> Option<(String, Option<Vec<Entry>>)> {
    let theirs = match read(bytes, more.then_some(entries.len())) {
        Ok(theirs) => theirs,
        Err(error) => return Some((error.to_string(), None)),
    };
    let difference = theirs
        .iter()
        .zip(entries)
        .find(|(their, our)| !agree(their, our));
    let reason = match difference {
        Some((their, our)) if their.path != our.path => {
            let path = visible(&String::from_utf8_lossy(&their.path));
            format!("cargo sees `{path}`")
        }
        Some((their, our)) => {
            let (their, our) = (&their.data, &our.data);
            format!("cargo sees the bytes {their:?}, not {our:?}")
        }
        None if theirs.len() == entries.len() => return None,
        None => format!("cargo sees {} entries, not {}", theirs.len(), entries.len()),
    };
    Some((reason, Some(theirs)))
}

fn agree(their: &Entry, our: &Entry) -> bool {
    let sparse = our.kind == EntryKind::Sparse;
    their.path == our.path && (sparse || their.data == our.data)
}

fn read(bytes: &[u8], limit: Option<usize>) -> std::io::Result<Vec<Entry>> {
    let mut archive = Archive::new(Cursor::new(bytes));
    let mut entries = Vec::new();
    for entry in archive.entries_with_seek()? {
        if limit == Some(entries.len()) {
            break;
        }
        let entry = entry?;
        let header = entry.header();
        let old = header.as_ustar().is_none() && header.as_gnu().is_none();
        let path = entry.path_bytes().into_owned();
        let kind = kind_of(header.entry_type().as_byte(), old, &path, false);
        let start = usize::try_from(entry.raw_file_position()).unwrap_or(usize::MAX);
        let start = start.min(bytes.len());
        // A sparse file is larger than what is stored of it.
        let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
        let end = start.saturating_add(size).min(bytes.len());
        entries.push(Entry {
            kind,
            link: entry.link_name_bytes().unwrap_or_default().into_owned(),
            path,
            data: start..end,
        });
    }
    Ok(entries)
}

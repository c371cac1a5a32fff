//! Fetching an archive into a file, from where an earlier transfer stopped.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_model::Checksum;
use reqwest::blocking::Response;
use reqwest::header;

use super::Client;
use super::client::{Failure, shown};
use crate::source::{ARCHIVE_BYTES, verified};
use crate::{IndexError, read};

/// An archive that was fetched before. A file with another checksum counts as
/// none; it is replaced.
pub(super) fn finished(path: &Utf8Path, checksum: Checksum) -> Result<Option<Vec<u8>>, IndexError> {
    let bytes = read::bytes(path, ARCHIVE_BYTES)?;
    Ok(bytes.and_then(|bytes| verified(String::new, bytes, checksum).ok()))
}

/// Fetches the archive at `address` to `path`; `None` when there is none.
pub(super) fn download(
    client: &Client,
    address: &str,
    authorised: bool,
    path: &Utf8Path,
    checksum: Checksum,
) -> Result<Option<Vec<u8>>, IndexError> {
    let partial = Utf8PathBuf::from(format!("{path}.part"));
    let failed = |source| IndexError::Write {
        path: partial.clone(),
        source,
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&partial)
        .map_err(failed)?;
    // Another process may be fetching the same; then this one waits.
    file.lock().map_err(failed)?;
    if let Some(bytes) = finished(path, checksum)? {
        return Ok(Some(bytes));
    }
    // What an earlier transfer left may be something else by now; then the
    // whole is fetched once more.
    let resumed = file.metadata().map_err(failed)?.len() > 0;
    for last in [!resumed, true] {
        let there = client.patiently(address, || {
            fetch(client, address, authorised, &mut file, &partial)
        })?;
        if !there {
            let _ = fs::remove_file(&partial);
            return Ok(None);
        }
        let bytes = contents(&mut file).map_err(failed)?;
        match verified(|| shown(address), bytes, checksum) {
            Ok(bytes) => {
                file.sync_data().map_err(failed)?;
                fs::rename(&partial, path).map_err(failed)?;
                return Ok(Some(bytes));
            }
            Err(error) => {
                file.set_len(0).map_err(failed)?;
                if last {
                    let _ = fs::remove_file(&partial);
                    return Err(error);
                }
            }
        }
    }
    Ok(None)
}

/// One attempt to fetch the rest; `false` when there is no such archive. What
/// arrived stays in the file for the next attempt.
fn fetch(
    client: &Client,
    address: &str,
    authorised: bool,
    file: &mut File,
    partial: &Utf8Path,
) -> Result<bool, Failure> {
    let failed = |source| {
        Failure::Lasting(IndexError::Write {
            path: partial.to_owned(),
            source,
        })
    };
    let there = file.seek(SeekFrom::End(0)).map_err(failed)?;
    let mut request = client.request(address, authorised);
    if there > 0 {
        request = request.header(header::RANGE, format!("bytes={there}-"));
    }
    let response = client.send(address, request)?;
    match response.status().as_u16() {
        404 | 410 | 451 => return Ok(false),
        // Everything had arrived, or more than there is: the checksum tells.
        416 => return Ok(true),
        206 if continues_at(&response, there) => {}
        _ => {
            file.set_len(0).map_err(failed)?;
            file.seek(SeekFrom::Start(0)).map_err(failed)?;
        }
    }
    let start = file.stream_position().map_err(failed)?;
    let limit = client.options.archive_bytes;
    let most = limit.saturating_sub(start).saturating_add(1);
    let expected = response.content_length();
    let copied = io::copy(&mut response.take(most), file)
        .map_err(|error| Failure::Passing(Box::new(error), None))?;
    if copied == most {
        file.set_len(0).map_err(failed)?;
        return Err(Failure::Lasting(IndexError::TooLarge {
            subject: shown(address),
            limit,
        }));
    }
    if expected.is_some_and(|expected| copied < expected) {
        let error = io::Error::from(io::ErrorKind::UnexpectedEof);
        return Err(Failure::Passing(Box::new(error), None));
    }
    Ok(true)
}

/// Whether the server sends from where we are.
fn continues_at(response: &Response, there: u64) -> bool {
    let range = response.headers().get(header::CONTENT_RANGE);
    range.and_then(|range| {
        range
            .to_str()
            .ok()?
            .strip_prefix("bytes ")?
            .split('-')
            .next()?
            .parse()
            .ok()
    }) == Some(there)
}

fn contents(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

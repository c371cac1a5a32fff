//! Fetching the database over git. The only file that names gix.
//!
//! The newest commit is fetched without history into a temporary repository,
//! and its advisory files are written out as plain files. Nothing is checked
//! out: no filter, attribute or symbolic link of the repository takes effect,
//! and a name that could leave the directory is not written.

use std::fs::{self, File};
use std::io;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use gix::objs::tree::EntryKind;
use gix::remote::fetch::Shallow;
use jiff::Timestamp;
use tempfile::{NamedTempFile, TempDir};
use thiserror::Error;

use crate::snapshot::{RECORD, Record, home};
use crate::{Collection, Database, DatabaseError, Limits, Snapshot, SnapshotError};

/// The database of the RustSec project.
pub const DEFAULT_URL: &str = "https://github.com/RustSec/advisory-db";

/// How to update.
#[derive(Clone, Debug)]
pub struct UpdateOptions {
    /// Use the copy at hand and never touch the network.
    pub offline: bool,
    /// Give up after this long; the copy at hand stays.
    pub timeout: Duration,
    /// The most bytes of advisories to write. The database has about 2 MB.
    pub max_bytes: u64,
    /// Bounds on the database, as for [`Database::open`].
    pub limits: Limits,
}

impl Default for UpdateOptions {
    fn default() -> UpdateOptions {
        UpdateOptions {
            offline: false,
            timeout: Duration::from_secs(300),
            max_bytes: 256 << 20,
            limits: Limits::default(),
        }
    }
}

/// An update that did not happen. The copy at hand, if there is one, is as it
/// was. Addresses are shown without user names and passwords.
#[derive(Debug, Error)]
pub enum UpdateError {
    /// Offline, and there is no copy yet.
    #[error(
        "there is no local copy of the advisory database {url}, and the network may not be used"
    )]
    Offline {
        /// The database.
        url: String,
    },
    /// The record of the copy at hand cannot be used, and the network may not
    /// be used to replace it.
    #[error("the local copy of the advisory database {url} cannot be used")]
    Copy {
        /// The database.
        url: String,
        /// Why.
        #[source]
        source: SnapshotError,
    },
    /// The cache directory cannot be written.
    #[error("cannot write {path} to keep the advisory database")]
    Write {
        /// What could not be written.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The address is none, or the transfer failed.
    #[error("cannot fetch the advisory database {url}")]
    Fetch {
        /// The database.
        url: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The transfer took too long.
    #[error("fetching the advisory database {url} took longer than {} s", timeout.as_secs())]
    TimedOut {
        /// The database.
        url: String,
        /// The limit.
        timeout: Duration,
    },
    /// The repository holds more than an advisory database would.
    #[error("the advisory database {url} holds more than {max_bytes} bytes or {entries} entries")]
    TooLarge {
        /// The database.
        url: String,
        /// The limit in bytes.
        max_bytes: u64,
        /// The limit in files.
        entries: usize,
    },
    /// What was fetched is not an advisory database.
    #[error("what was fetched from {url} is not an advisory database")]
    NotADatabase {
        /// The database.
        url: String,
        /// Why.
        #[source]
        source: DatabaseError,
    },
}

impl UpdateError {
    /// What to do about it, for the user.
    pub fn hint(&self) -> String {
        match self {
            UpdateError::Offline { .. } => "run once without `--offline`, or give a directory \
                                            with `--db`"
                .to_owned(),
            UpdateError::Copy { source, .. } => source.hint(),
            UpdateError::Write { .. } => {
                "check the directory's permissions and free space, or set XDG_CACHE_HOME".to_owned()
            }
            UpdateError::Fetch { .. } | UpdateError::TimedOut { .. } => {
                "check the network and the address; with `--offline` the copy at hand is used, \
                 with `--db` a directory"
                    .to_owned()
            }
            UpdateError::TooLarge { .. } | UpdateError::NotADatabase { .. } => {
                "check the address of the advisory database".to_owned()
            }
        }
    }
}

/// Brings the copy of the database at `url` up to date and returns it.
///
/// `url` is anything git can fetch from: `https://…`, `file://…` or a path of
/// a local repository (for these two, git itself must be installed). Two
/// updates at once wait for each other. Credentials are never asked for.
///
/// # Errors
/// When the database cannot be fetched or kept; the copy at hand stays and
/// [`Snapshot::current`] still returns it.
pub fn update(
    cache_dir: &Utf8Path,
    url: &str,
    now: Timestamp,
    options: &UpdateOptions,
) -> Result<Snapshot, UpdateError> {
    let shown = without_credentials(url);
    if options.offline {
        return match Snapshot::current(cache_dir, url) {
            Ok(Some(snapshot)) => Ok(snapshot),
            Ok(None) => Err(UpdateError::Offline { url: shown }),
            Err(source) => Err(UpdateError::Copy { url: shown, source }),
        };
    }
    let home = home(cache_dir, url);
    fs::create_dir_all(&home).map_err(write_error(&home))?;
    let lock = home.join("lock");
    let _held = File::create(&lock)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(write_error(&lock))?;
    // What an interrupted update left behind goes now, under the lock.
    remove_others(&home, |name| !name.starts_with(TEMPORARY));
    let temporary = |what: &str| {
        tempfile::Builder::new()
            .prefix(&format!("{TEMPORARY}{what}-"))
            .tempdir_in(&home)
            .map_err(write_error(&home))
    };

    let repository = fetch(url, temporary("git")?, options.timeout)?;
    let tree = temporary("tree")?;
    let written = home.join(
        tree.path()
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("."),
    );
    let (commit, date) = repository.write_out(&written, &shown, options)?;
    Database::open(&written, &options.limits)
        .map_err(|source| UpdateError::NotADatabase { url: shown, source })?;

    let previous = Snapshot::current(cache_dir, url).ok().flatten();
    let directory = format!("{}-{commit}", now.as_millisecond());
    let dir = home.join(&directory);
    fs::rename(tree.keep(), &dir).map_err(write_error(&dir))?;
    let record = Record {
        url: url.to_owned(),
        directory,
        commit,
        date,
        fetched_at: now,
    };
    replace(&home.join(RECORD), &record)?;
    let kept = previous
        .as_ref()
        .and_then(|previous| previous.dir.file_name());
    remove_others(&home, |name| {
        Some(name) == kept
            || name == record.directory
            || !name.starts_with(|c: char| c.is_ascii_digit())
    });
    let Record {
        commit,
        date,
        fetched_at,
        ..
    } = record;
    Ok(Snapshot {
        dir,
        commit,
        date,
        fetched_at,
    })
}

/// Begins the names of directories that are not complete.
const TEMPORARY: &str = "tmp-";

fn write_error(path: &Utf8Path) -> impl Fn(io::Error) -> UpdateError {
    move |source| UpdateError::Write {
        path: path.to_owned(),
        source,
    }
}

/// Removes directories. What cannot be removed does no harm: the next update
/// tries again.
fn remove_others(home: &Utf8Path, keep: impl Fn(&str) -> bool) {
    for entry in home.read_dir_utf8().into_iter().flatten().flatten() {
        if !keep(entry.file_name()) && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Replaces the record in one step.
fn replace(file: &Utf8Path, record: &Record) -> Result<(), UpdateError> {
    let write = || {
        let directory = file.parent().unwrap_or(file);
        let new = NamedTempFile::new_in(directory)?;
        serde_json::to_writer_pretty(&new, record)?;
        new.as_file().sync_all()?;
        new.persist(file)?;
        io::Result::Ok(())
    };
    write().map_err(write_error(file))
}

/// The address without user name and password.
fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.find('/').unwrap_or(rest.len());
            let host = rest[..authority].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[host..])
        }
        None => url.to_owned(),
    }
}

/// A repository that holds the newest commit.
struct Fetched {
    repository: gix::Repository,
    /// Deletes the repository when it is no longer needed.
    _dir: TempDir,
}

/// Fetches on a thread of its own, because a connection that stalls cannot be
/// interrupted; after the time limit the thread is left to its end.
fn fetch(url: &str, dir: TempDir, timeout: Duration) -> Result<Fetched, UpdateError> {
    let interrupt = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let (thread_url, thread_interrupt) = (url.to_owned(), Arc::clone(&interrupt));
    std::thread::spawn(move || {
        let fetched = fetch_newest(&thread_url, dir.path(), &thread_interrupt);
        // Nobody listens after the time limit; the directory then goes too.
        let _ = sender.send(fetched.map(|()| dir));
    });
    let failed = |source| UpdateError::Fetch {
        url: without_credentials(url),
        source,
    };
    let dir = match receiver.recv_timeout(timeout) {
        Ok(fetched) => fetched.map_err(|error| failed(error.into()))?,
        Err(RecvTimeoutError::Timeout) => {
            interrupt.store(true, Ordering::Relaxed);
            return Err(UpdateError::TimedOut {
                url: without_credentials(url),
                timeout,
            });
        }
        Err(RecvTimeoutError::Disconnected) => {
            return Err(failed("the transfer ended without a result".into()));
        }
    };
    let options = gix::open::Options::isolated().open_path_as_is(true);
    let repository = gix::open_opts(dir.path(), options).map_err(|error| failed(error.into()))?;
    Ok(Fetched {
        repository,
        _dir: dir,
    })
}

fn fetch_newest(url: &str, dir: &Path, interrupt: &AtomicBool) -> gix::Result<()> {
    // Whoever embeds this crate may have chosen another provider already.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    gix::clone::PrepareFetch::new(
        url,
        dir,
        gix::create::Kind::Bare,
        gix::create::Options::default(),
        gix::open::Options::default(),
    )?
    .with_shallow(Shallow::DepthAtRemote(NonZeroU32::MIN))
    .configure_connection(|connection| {
        // Public data needs no password, and a prompt would hang a build.
        connection.set_credentials(|_| Ok(None));
        Ok(())
    })
    .fetch_only(gix::progress::Discard, interrupt)?;
    Ok(())
}

impl Fetched {
    /// Writes the advisories of the newest commit into a directory; returns
    /// the commit and when it was made.
    fn write_out(
        &self,
        dir: &Utf8Path,
        url: &str,
        options: &UpdateOptions,
    ) -> Result<(String, Timestamp), UpdateError> {
        let fetch_error = |source: gix::Error| UpdateError::Fetch {
            url: url.to_owned(),
            source: source.into(),
        };
        let commit = self.repository.head_commit().map_err(fetch_error)?;
        let tree = commit.tree().map_err(fetch_error)?;
        let seconds = commit.time().map_err(fetch_error)?.seconds;
        let mut writer = Writer {
            url,
            options,
            bytes: 0,
            entries: 0,
        };
        for collection in [Collection::Crates, Collection::Rust] {
            let name = collection.as_str();
            if let Some(packages) = subtree(&tree, name).map_err(fetch_error)? {
                writer.packages(&packages, &dir.join(name))?;
            }
        }
        // A date that no calendar holds is no date; the oldest one makes the
        // copy look stale rather than fresh.
        let date = Timestamp::from_second(seconds).unwrap_or(Timestamp::MIN);
        Ok((commit.id.to_string(), date))
    }
}

/// Writes advisory files and counts what it writes.
struct Writer<'a> {
    url: &'a str,
    options: &'a UpdateOptions,
    bytes: u64,
    entries: usize,
}

impl Writer<'_> {
    /// Writes a tree of packages, each a tree of advisory files.
    fn packages(&mut self, tree: &gix::Tree<'_>, dir: &Utf8Path) -> Result<(), UpdateError> {
        for package in tree.iter() {
            let package = package.map_err(|source| self.fetch_error(source))?;
            let Some(name) = plain_name(package.filename()) else {
                continue;
            };
            if package.kind() != EntryKind::Tree {
                continue;
            }
            self.count(0)?;
            let tree = package
                .object()
                .map_err(|source| self.fetch_error(source))?
                .into_tree();
            self.advisories(&tree, &dir.join(name))?;
        }
        Ok(())
    }

    fn advisories(&mut self, tree: &gix::Tree<'_>, dir: &Utf8Path) -> Result<(), UpdateError> {
        fs::create_dir_all(dir).map_err(write_error(dir))?;
        for advisory in tree.iter() {
            let advisory = advisory.map_err(|source| self.fetch_error(source))?;
            let is_file = matches!(advisory.kind(), EntryKind::Blob | EntryKind::BlobExecutable);
            let Some(name) = plain_name(advisory.filename()) else {
                continue;
            };
            if !is_file || !name.ends_with(".md") {
                continue;
            }
            // The size is asked first: a small object may unpack to a large one.
            let header = advisory
                .id()
                .header()
                .map_err(|source| self.fetch_error(source))?;
            self.count(header.size())?;
            let object = advisory
                .object()
                .map_err(|source| self.fetch_error(source))?;
            let file = dir.join(name);
            fs::write(&file, &object.data).map_err(write_error(&file))?;
        }
        Ok(())
    }

    fn count(&mut self, bytes: u64) -> Result<(), UpdateError> {
        let UpdateOptions {
            max_bytes, limits, ..
        } = self.options;
        self.bytes = self.bytes.saturating_add(bytes);
        self.entries += 1;
        if self.bytes <= *max_bytes && self.entries <= limits.entries {
            return Ok(());
        }
        Err(UpdateError::TooLarge {
            url: self.url.to_owned(),
            max_bytes: *max_bytes,
            entries: limits.entries,
        })
    }

    fn fetch_error(&self, source: gix::Error) -> UpdateError {
        UpdateError::Fetch {
            url: self.url.to_owned(),
            source: source.into(),
        }
    }
}

fn subtree<'a>(tree: &gix::Tree<'a>, name: &str) -> gix::Result<Option<gix::Tree<'a>>> {
    for entry in tree.iter() {
        let entry = entry?;
        if entry.filename() == name && entry.kind() == EntryKind::Tree {
            return Ok(Some(entry.object()?.into_tree()));
        }
    }
    Ok(None)
}

/// A name that packages and advisories have: letters, digits, `-`, `_` and
/// inner dots. Any other might mean something to the file system, and names
/// neither a package nor an advisory.
fn plain_name(name: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(name).ok()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that messages hold no password.
    #[test]
    fn credentials_are_not_shown() {
        let shown = without_credentials;
        assert_eq!(
            shown("https://u:p@ss@example.com/db"),
            "https://example.com/db"
        );
        assert_eq!(shown("https://example.com/a@b"), "https://example.com/a@b");
        assert_eq!(shown("/some/where"), "/some/where");
    }

    /// Guards what may become the name of a file.
    #[test]
    fn names() {
        for name in ["serde", "RUSTSEC-2024-0001.md", "a_b"] {
            assert_eq!(plain_name(name.as_bytes()), Some(name));
        }
        for name in ["", ".", "..", ".git", "a/b", "a\\b", "a b", "c:", "é", "\0"] {
            assert_eq!(plain_name(name.as_bytes()), None, "{name}");
        }
    }
}

//! Fetching a clone to compare with: bare, whole, into a directory of clones.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

/// How much to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOptions {
    /// Give up after this long.
    pub timeout: Duration,
    /// Give up when the clone takes more bytes than this on disk.
    pub bytes: u64,
}

impl Default for FetchOptions {
    fn default() -> FetchOptions {
        FetchOptions {
            timeout: Duration::from_secs(300),
            bytes: 2 << 30,
        }
    }
}

/// Why a repository was not fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There is none at the address, or none that is open to everybody.
    #[error("there is no repository at {0}")]
    Gone(String),
    /// The transfer failed.
    #[error("cannot fetch {address}: {reason}")]
    Failed {
        /// The address.
        address: String,
        /// What the transfer said.
        reason: String,
    },
    /// A limit was hit.
    #[error("{address} takes {what}")]
    TooMuch {
        /// The address.
        address: String,
        /// More time or space than is given.
        what: String,
    },
    /// The clone cannot be kept.
    #[error("cannot write `{path}`")]
    Write {
        /// Where it was to be.
        path: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Begins the names of clones that are not complete.
const TEMPORARY: &str = ".fetching-";

/// Fetches the repository at `address` to `place`, where nothing is yet. No
/// checkout is made and no credentials are sent.
///
/// # Errors
/// As [`FetchError`] says; nothing is left behind then.
pub fn fetch(address: &str, place: &Utf8Path, options: &FetchOptions) -> Result<(), FetchError> {
    let failed = |source| FetchError::Write {
        path: place.to_owned(),
        source,
    };
    let parent = place.parent().unwrap_or(Utf8Path::new("."));
    std::fs::create_dir_all(parent).map_err(failed)?;
    let directory = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempdir_in(parent)
        .map_err(failed)?;
    let interrupt = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    let (thread_address, thread_interrupt) = (address.to_owned(), Arc::clone(&interrupt));
    let path = directory.path().to_owned();
    // A connection that stalls cannot be interrupted: the thread is left to
    // its end then, and the directory is removed behind it.
    std::thread::spawn(move || {
        let fetched = fetch_all(&thread_address, directory.path(), &thread_interrupt);
        let _ = sender.send(fetched.map(|()| directory).map_err(chain));
    });
    let started = Instant::now();
    let too_much = |what: &str| FetchError::TooMuch {
        address: address.to_owned(),
        what: what.to_owned(),
    };
    let fetched = loop {
        match receiver.recv_timeout(Duration::from_millis(200)) {
            Ok(fetched) => break fetched,
            Err(RecvTimeoutError::Disconnected) => break Err("it ended without a result".into()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let what = if started.elapsed() > options.timeout {
            "longer than it is given"
        } else if size(&path) > options.bytes {
            "more space than it is given"
        } else {
            continue;
        };
        interrupt.store(true, Ordering::Relaxed);
        return Err(too_much(what));
    };
    let directory = fetched.map_err(|reason: String| {
        if is_gone(&reason) {
            FetchError::Gone(address.to_owned())
        } else {
            FetchError::Failed {
                address: address.to_owned(),
                reason,
            }
        }
    })?;
    std::fs::rename(directory.keep(), place).map_err(failed)
}

fn fetch_all(address: &str, directory: &Path, interrupt: &AtomicBool) -> gix::Result<()> {
    // Whoever embeds this crate may have chosen another provider already.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    gix::clone::PrepareFetch::new(
        address,
        directory,
        gix::create::Kind::Bare,
        gix::create::Options::default(),
        gix::open::Options::default(),
    )?
    .configure_connection(|connection| {
        // Public data needs no password, and a prompt would hang a scan.
        connection.set_credentials(|_| Ok(None));
        Ok(())
    })
    .fetch_only(gix::progress::Discard, interrupt)?;
    Ok(())
}

fn chain(error: gix::Error) -> String {
    let error: Box<dyn std::error::Error + Send + Sync> = error.into();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

/// Whether an error says that there is no such repository. Forges ask for a
/// password where there is none, so as not to tell private ones apart.
fn is_gone(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    [
        "404",
        "401",
        "410",
        "not found",
        "no such file",
        "does not exist",
        "does not appear to be a git repository",
        "credentials",
    ]
    .iter()
    .any(|word| reason.contains(word))
}

fn size(directory: &Path) -> u64 {
    let mut bytes = 0_u64;
    let mut todo = vec![directory.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => todo.push(entry.path()),
                Ok(metadata) => bytes = bytes.saturating_add(metadata.len()),
                Err(_) => {}
            }
        }
    }
    bytes
}

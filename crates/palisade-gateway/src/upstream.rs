//! The registry that is pulled through.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use palisade_index::{
    Asked, Conditions, HttpOptions, IndexError, IndexVersion, Registry, SparseRegistry,
};

use crate::GatewayError;
use crate::config::{AgeClock, Config};

/// How long an upstream that did not answer is left alone: meanwhile everybody
/// gets what is known, at once.
const REST: Duration = Duration::from_secs(10);

/// The registry that is pulled through.
#[derive(Debug)]
pub(crate) struct Upstream {
    registry: Arc<SparseRegistry>,
    pub(crate) refresh: Duration,
    pub(crate) clock: AgeClock,
    /// Since when it has not answered.
    down: Mutex<Option<Instant>>,
}

impl Upstream {
    pub(crate) fn open(config: &Config) -> Result<Option<Upstream>, GatewayError> {
        let Some(upstream) = &config.upstream else {
            return Ok(None);
        };
        let token = match &upstream.token_file {
            None => None,
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .map_err(|source| GatewayError::File {
                        operation: "read",
                        path: file.clone(),
                        source,
                    })?
                    .trim()
                    .to_owned(),
            ),
        };
        let options = HttpOptions {
            timeout: Duration::from_secs(upstream.timeout_seconds),
            // Somebody is waiting; what is known is better than another try.
            attempts: 2,
            pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(2),
            token,
            ..HttpOptions::default()
        };
        let cache = config.data.join("upstream");
        let registry = match upstream.index.as_str() {
            "default" => open_default(&cache, options)?,
            index => SparseRegistry::open(index, &cache, options)
                .map_err(|source| GatewayError::Upstream { source })?,
        };
        Ok(Some(Upstream {
            registry: Arc::new(registry),
            refresh: Duration::from_secs(upstream.refresh_seconds),
            clock: upstream.clock,
            down: Mutex::new(None),
        }))
    }

    /// Asks for a crate's index file.
    pub(crate) async fn ask(
        &self,
        name: &str,
        conditions: &palisade_store::Conditions,
    ) -> Result<Asked, IndexError> {
        let rests = |since: &Instant| since.elapsed() < REST;
        if self.lock().as_ref().is_some_and(rests) {
            return Err(IndexError::Status {
                address: self.registry.address().to_owned(),
                status: 503,
                message: Some("it did not answer a moment ago".to_owned()),
            });
        }
        let registry = self.registry.clone();
        let name = name.to_owned();
        let conditions = Conditions {
            etag: conditions.etag.clone(),
            last_modified: conditions.last_modified.clone(),
        };
        let asked = blocking(move || registry.ask(&name, &conditions)).await?;
        *self.lock() = match &asked {
            // Only silence is a reason to stop asking.
            Err(IndexError::Fetch { .. }) => Some(Instant::now()),
            _ => None,
        };
        asked
    }

    /// The archive of a version, compared with its checksum.
    pub(crate) async fn archive(
        &self,
        version: IndexVersion,
    ) -> Result<Option<Vec<u8>>, IndexError> {
        let registry = self.registry.clone();
        blocking(move || registry.archive(&version)).await?
    }

    /// Where the archive of a version is kept once it was fetched.
    pub(crate) fn kept_archive(
        &self,
        name: &str,
        version: &semver::Version,
    ) -> camino::Utf8PathBuf {
        self.registry.archive_path(name, version)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "default-registry")]
fn open_default(
    cache: &camino::Utf8Path,
    options: HttpOptions,
) -> Result<SparseRegistry, GatewayError> {
    SparseRegistry::open_default(cache, options).map_err(|source| GatewayError::Upstream { source })
}

#[cfg(not(feature = "default-registry"))]
fn open_default(_: &camino::Utf8Path, _: HttpOptions) -> Result<SparseRegistry, GatewayError> {
    Err(GatewayError::NoDefaultRegistry)
}

/// Runs what waits on the network or a disk on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, IndexError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| IndexError::Fetch {
            address: "the upstream".to_owned(),
            attempts: 1,
            source: Box::new(error),
        })
}

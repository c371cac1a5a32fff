//! A registry that answers over the sparse protocol.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use super::client::shown;
use super::config::Config;
use super::download;
use super::{Answer, Cached, Client, Conditions, HttpOptions, IndexCache};
use crate::source::check_name;
use crate::{Archives, IndexError, IndexFile, IndexVersion, Registry, index_path};

/// The most bytes of a registry's `config.json`.
const CONFIG_BYTES: u64 = 1 << 20;

/// A registry over HTTP. Index files are asked for once in its life, with the
/// conditions of what was fetched before; archives are fetched once for all,
/// resumed where a transfer broke off, and compared with their checksum.
#[derive(Debug)]
pub struct SparseRegistry {
    address: String,
    directory: Utf8PathBuf,
    client: Client,
    cache: IndexCache,
    config: OnceLock<Config>,
    known: Mutex<HashMap<String, Option<Arc<IndexFile>>>>,
}

/// What asking for an index file brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is as it was.
    Same,
    /// This is it now.
    New(Cached),
    /// There is none.
    Missing,
}

impl SparseRegistry {
    /// The registry at `address`, `https://…` or `sparse+https://…`, with a
    /// directory of its own below `cache` for what is fetched.
    ///
    /// # Errors
    /// The address is none, or no client can be made.
    pub fn open(
        address: &str,
        cache: &Utf8Path,
        options: HttpOptions,
    ) -> Result<SparseRegistry, IndexError> {
        let address = address.strip_prefix("sparse+").unwrap_or(address);
        let malformed = |reason: &str| IndexError::Malformed {
            subject: format!("the registry address {}", shown(address)),
            reason: reason.to_owned(),
        };
        let url = reqwest::Url::parse(address).map_err(|_| malformed("it is no address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(malformed("it begins with neither http nor https"));
        }
        let host: String = url
            .host_str()
            .unwrap_or_default()
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let mut address = address.to_owned();
        if !address.ends_with('/') {
            address.push('/');
        }
        // Two registries of one host are kept apart.
        let hash = Sha256::digest(&address);
        let hash: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let directory = cache.join(format!("{host}-{hash}"));
        Ok(SparseRegistry {
            address,
            cache: IndexCache::new(directory.join("index")),
            directory,
            client: Client::new(options)?,
            config: OnceLock::new(),
            known: Mutex::new(HashMap::new()),
        })
    }

    /// The default registry of cargo.
    ///
    /// # Errors
    /// As for [`SparseRegistry::open`].
    #[cfg(feature = "default-registry")]
    pub fn open_default(
        cache: &Utf8Path,
        options: HttpOptions,
    ) -> Result<SparseRegistry, IndexError> {
        SparseRegistry::open(tame_index::CRATES_IO_HTTP_INDEX, cache, options)
    }

    /// The address of the index.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where everything of this registry is kept.
    pub(crate) fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// Where [`archive`](Registry::archive) keeps the archive of a version.
    pub fn archive_path(&self, name: &str, version: &semver::Version) -> Utf8PathBuf {
        self.directory
            .join("crates")
            .join(format!("{name}-{version}.crate"))
    }

    /// Asks for a crate's index file now, whatever was fetched before; what
    /// comes is not kept. For those that keep files themselves.
    ///
    /// # Errors
    /// The registry cannot be asked, or answers with an error.
    pub fn ask(&self, name: &str, conditions: &Conditions) -> Result<Asked, IndexError> {
        check_name(name)?;
        let authorised = self.config()?.auth_required;
        let address = format!("{}{}", self.address, index_path(name));
        let answer = self.client.text(
            &address,
            conditions,
            authorised,
            self.client.options.index_file_bytes,
        )?;
        Ok(match answer {
            Answer::NotModified => Asked::Same,
            Answer::Missing => Asked::Missing,
            Answer::Text { text, conditions } => Asked::New(Cached { conditions, text }),
        })
    }

    fn config(&self) -> Result<&Config, IndexError> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let path = self.directory.join("config.json");
        let address = format!("{}config.json", self.address);
        let text = if self.client.options.offline {
            crate::read::text(&path, CONFIG_BYTES)?
        } else {
            let text = self.fetch_config(&address)?;
            if let Some(text) = &text {
                super::cache::replace(&path, text.as_bytes())?;
            }
            text
        };
        let text = text.ok_or_else(|| IndexError::Status {
            address: shown(&address),
            status: 404,
            message: Some("the registry has no config.json".to_owned()),
        })?;
        let config = Config::parse(&text).map_err(|reason| IndexError::Malformed {
            subject: shown(&address),
            reason,
        })?;
        Ok(self.config.get_or_init(|| config))
    }

    /// The configuration, first asked for without the token: a registry gets
    /// it only when it wants one.
    fn fetch_config(&self, address: &str) -> Result<Option<String>, IndexError> {
        let ask = |authorised| {
            let none = Conditions::default();
            match self.client.text(address, &none, authorised, CONFIG_BYTES)? {
                Answer::Text { text, .. } => Ok(Some(text)),
                Answer::NotModified | Answer::Missing => Ok(None),
            }
        };
        match ask(false) {
            Err(IndexError::Status { status: 401, .. }) if self.client.options.token.is_some() => {
                ask(true)
            }
            answer => answer,
        }
    }

    fn fetch(&self, name: &str) -> Result<Option<Arc<IndexFile>>, IndexError> {
        let cached = self.cache.get(name)?;
        let parse = |text: &str| Some(Arc::new(IndexFile::parse(name, text)));
        if self.client.options.offline {
            return Ok(cached.and_then(|cached| parse(&cached.text)));
        }
        let conditions = cached.as_ref().map(|cached| cached.conditions.clone());
        match self.ask(name, &conditions.unwrap_or_default())? {
            Asked::Same => Ok(cached.and_then(|cached| parse(&cached.text))),
            Asked::New(new) => {
                self.cache.put(name, &new)?;
                Ok(parse(&new.text))
            }
            Asked::Missing => {
                self.cache.remove(name)?;
                Ok(None)
            }
        }
    }
}

impl Archives for SparseRegistry {
    fn archive_file(&self, version: &IndexVersion) -> Result<Option<Utf8PathBuf>, IndexError> {
        let there = self.archive(version)?;
        Ok(there.map(|_| self.archive_path(&version.name, &version.version)))
    }
}

impl Registry for SparseRegistry {
    fn index_file(&self, name: &str) -> Result<Option<Arc<IndexFile>>, IndexError> {
        check_name(name)?;
        let key = name.to_ascii_lowercase();
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = known().get(&key) {
            return Ok(file.clone());
        }
        // Two threads may fetch the same file; both get the same answer.
        let file = self.fetch(name)?;
        Ok(known().entry(key).or_insert(file).clone())
    }

    fn archive(&self, version: &IndexVersion) -> Result<Option<Vec<u8>>, IndexError> {
        check_name(&version.name)?;
        let path = self.archive_path(&version.name, &version.version);
        if let Some(bytes) = download::finished(&path, version.checksum)? {
            return Ok(Some(bytes));
        }
        if self.client.options.offline {
            return Ok(None);
        }
        let config = self.config()?;
        let address = config.archive(&version.name, &version.version, version.checksum);
        let authorised = config.auth_required;
        download::download(&self.client, &address, authorised, &path, version.checksum)
    }
}

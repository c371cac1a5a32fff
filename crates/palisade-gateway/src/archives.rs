//! The archives of crates that are published here, by their checksums.

use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_model::Checksum;

use crate::GatewayError;

/// A directory of archives. What is in it never changes, because its name is
/// its checksum.
#[derive(Clone, Debug)]
pub(crate) struct Archives {
    directory: Utf8PathBuf,
}

impl Archives {
    pub(crate) fn open(data: &Utf8Path) -> Archives {
        Archives {
            directory: data.join("archives"),
        }
    }

    pub(crate) fn path(&self, checksum: Checksum) -> Utf8PathBuf {
        let name = checksum.to_string();
        self.directory
            .join(&name[..2])
            .join(format!("{name}.crate"))
    }

    /// Keeps an archive; when this returns, a loss of power does not lose it.
    pub(crate) fn put(&self, checksum: Checksum, bytes: &[u8]) -> Result<(), GatewayError> {
        let path = self.path(checksum);
        let failed = |source| GatewayError::File {
            operation: "write",
            path: path.clone(),
            source,
        };
        let parent = path.parent().unwrap_or(&self.directory);
        std::fs::create_dir_all(parent).map_err(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        std::fs::File::open(parent)
            .and_then(|directory| directory.sync_all())
            .map_err(failed)
    }

    /// Removes an archive; one that is gone is fine.
    pub(crate) fn remove(&self, checksum: Checksum) -> Result<(), GatewayError> {
        let path = self.path(checksum);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(GatewayError::File {
                operation: "delete",
                path,
                source,
            }),
        }
    }

    /// An archive, compared with its checksum; `None` when it is not there.
    pub(crate) fn get(&self, checksum: Checksum) -> Result<Option<Vec<u8>>, GatewayError> {
        let path = self.path(checksum);
        match std::fs::read(&path) {
            Ok(bytes) if palisade_archive::checksum(&bytes) == checksum => Ok(Some(bytes)),
            Ok(_) => Err(GatewayError::Refused(format!(
                "`{path}` is not the archive that was published; `palisade admin doctor` lists such files"
            ))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(GatewayError::File {
                operation: "read",
                path,
                source,
            }),
        }
    }
}

impl Archives {
    /// Every file that is there.
    pub(crate) fn all(&self) -> Result<Vec<Utf8PathBuf>, GatewayError> {
        let list = |directory: &Utf8Path| -> Result<Vec<Utf8PathBuf>, GatewayError> {
            let failed = |source| GatewayError::File {
                operation: "read",
                path: directory.to_owned(),
                source,
            };
            let entries = match directory.read_dir_utf8() {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries.map_err(failed)?,
            };
            let mut paths = entries
                .map(|entry| Ok(entry?.into_path()))
                .collect::<Result<Vec<_>, std::io::Error>>()
                .map_err(failed)?;
            paths.sort();
            Ok(paths)
        };
        let mut all = Vec::new();
        for directory in list(&self.directory)? {
            all.extend(list(&directory)?);
        }
        Ok(all)
    }
}

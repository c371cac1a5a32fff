//! Where a check happens: the cheap part, known before anything is analysed.

use camino::Utf8PathBuf;
use palisade_project::{LoadOptions, find_lockfile};

use crate::{CheckError, Config};

/// A workspace with its configuration.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The workspace's root directory.
    pub root: Utf8PathBuf,
    /// Where the lockfile is or would be.
    pub lockfile: Utf8PathBuf,
    /// What the configuration file says.
    pub config: Config,
    /// What to load of it.
    pub load: LoadOptions,
}

impl Workspace {
    /// Finds the workspace that `load` means and reads its configuration.
    ///
    /// # Errors
    /// There is no manifest, or the configuration is invalid.
    pub fn open(load: LoadOptions) -> Result<Workspace, CheckError> {
        let lockfile = find_lockfile(&load.path, &load.limits)?;
        let root = lockfile.parent().unwrap_or(&lockfile).to_owned();
        let config = Config::load(&root)?;
        Ok(Workspace {
            root,
            lockfile,
            config,
            load,
        })
    }
}

//! The revision that cargo writes into an archive.

use palisade_archive::SourceTree;
use serde::{Deserialize, Serialize};

/// The most bytes of `.cargo_vcs_info.json`; cargo writes some hundred.
const BYTES: usize = 16 << 10;

/// From which revision a package was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The commit, in full.
    pub commit: String,
    /// Whether there were changes on top that are in no commit.
    pub dirty: bool,
    /// The package's directory in the repository; `None` when the archive does
    /// not say, as those of cargo before 1.57.
    pub path: Option<String>,
}

impl Revision {
    /// What the package says; `None` when it says nothing.
    ///
    /// # Errors
    /// What it says cannot be read.
    pub(super) fn of(tree: &SourceTree) -> Result<Option<Revision>, String> {
        let Some(bytes) = tree.get(".cargo_vcs_info.json") else {
            return Ok(None);
        };
        if bytes.len() > BYTES {
            return Err(format!(
                "`.cargo_vcs_info.json` has more than {BYTES} bytes"
            ));
        }
        let value: serde_json::Value = serde_json::from_slice(bytes)
            .map_err(|error| format!("`.cargo_vcs_info.json` is not JSON: {error}"))?;
        let commit = value.pointer("/git/sha1").and_then(|value| value.as_str());
        let Some(commit) = commit else {
            return Err("`.cargo_vcs_info.json` names no commit".to_owned());
        };
        let is_hash =
            matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return Err("what `.cargo_vcs_info.json` names is no commit".to_owned());
        }
        let path = match value.get("path_in_vcs").and_then(|value| value.as_str()) {
            None => None,
            Some(path) => Some(plain(path).ok_or_else(|| {
                "the directory that `.cargo_vcs_info.json` names leads out of the repository"
                    .to_owned()
            })?),
        };
        Ok(Some(Revision {
            commit: commit.to_ascii_lowercase(),
            dirty: value
                .pointer("/git/dirty")
                .and_then(|value| value.as_bool())
                == Some(true),
            path,
        }))
    }
}

/// A path without empty components and dots; `None` when it leads out.
fn plain(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

//! The git form of an index: what happened between two commits. The only file
//! that names gix.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use gix::objs::tree::EntryKind;
use gix::{ObjectId, Repository};
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::{Batch, Change, changes};
use crate::source::INDEX_FILE_BYTES;
use crate::{IndexError, IndexFile, is_crate_name};

/// Directories of an index are at most this deep.
const DEPTH: usize = 4;

/// A local clone of an index. Fetching it is for whoever keeps it.
#[derive(Debug)]
pub struct GitDiscovery {
    repository: Utf8PathBuf,
    reference: String,
    start: Start,
    checkpoint: Checkpoint,
}

/// Where to begin when there is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// With what comes from now on.
    Now,
    /// With everything that there is.
    Beginning,
    /// Behind this commit, by its full hash.
    Commit(String),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    /// The commit up to which everything is done.
    done: Option<String>,
    /// The commit that is being worked towards.
    towards: Option<String>,
    /// The path behind which to go on.
    after: Option<String>,
    /// Whether the way there began with the empty index.
    #[serde(default)]
    from_nothing: bool,
}

/// Files that differ: path, before, after.
type Files = Vec<(String, Option<ObjectId>, Option<ObjectId>)>;

impl GitDiscovery {
    /// The clone at `repository`, whose index is at `reference` (`HEAD`, or
    /// what was fetched: `refs/remotes/origin/HEAD`).
    pub fn new(
        repository: &Utf8Path,
        reference: &str,
        checkpoint: &Utf8Path,
        start: Start,
    ) -> GitDiscovery {
        GitDiscovery {
            repository: repository.to_owned(),
            reference: reference.to_owned(),
            start,
            checkpoint: Checkpoint::new(checkpoint, format!("the index {repository}")),
        }
    }

    /// What happened since the last confirmed batch, in at most `most` crates.
    ///
    /// # Errors
    /// The repository cannot be read.
    pub fn next(&self, most: usize) -> Result<Batch, IndexError> {
        let mut state: State = self.checkpoint.load()?;
        let repository =
            gix::open(self.repository.as_std_path()).map_err(|error| self.error(error))?;
        let head = repository
            .find_reference(self.reference.as_str())
            .map_err(|error| self.error(error))?
            .peel_to_id()
            .map_err(|error| self.error(error))?
            .detach();
        let mut gap = false;
        if state.done.is_none() && !state.from_nothing {
            match &self.start {
                Start::Now => state.done = Some(head.to_string()),
                Start::Beginning => state.from_nothing = true,
                Start::Commit(commit) => state.done = Some(commit.clone()),
            }
        }
        // An index's history is cut off now and then. Without the commit that
        // we know, everything counts as new.
        let from = match &state.done {
            None => None,
            Some(done) => {
                let tree = tree_of(&repository, done);
                gap = tree.is_none();
                tree
            }
        };
        let to = match &state.towards {
            Some(towards) if tree_of(&repository, towards).is_some() => towards.clone(),
            Some(_) => {
                state.after = None;
                head.to_string()
            }
            None => head.to_string(),
        };
        let to_tree =
            tree_of(&repository, &to).ok_or_else(|| self.error("a commit has no tree"))?;
        let mut files = Files::new();
        let compared = compare(&repository, from, Some(to_tree), "", 0, &mut files);
        compared.map_err(|reason| self.error(reason))?;
        files.sort();
        let from = match &state.after {
            Some(after) => files.partition_point(|(path, ..)| path <= after),
            None => 0,
        };
        let some = &files[from..files.len().min(from.saturating_add(most))];
        let mut found = Vec::new();
        for (path, before, after) in some {
            found.extend(self.file(&repository, path, *before, *after)?);
        }
        let more = from + some.len() < files.len();
        let next = if more {
            State {
                towards: Some(to),
                after: some.last().map(|(path, ..)| path.clone()),
                ..state
            }
        } else {
            State {
                done: Some(to),
                ..State::default()
            }
        };
        let checkpoint = self.checkpoint.clone();
        Ok(Batch {
            changes: found,
            gap,
            more,
            confirm: Box::new(move || checkpoint.save(&next)),
        })
    }

    fn file(
        &self,
        repository: &Repository,
        path: &str,
        before: Option<ObjectId>,
        after: Option<ObjectId>,
    ) -> Result<Vec<Change>, IndexError> {
        let name = path.rsplit('/').next().unwrap_or_default();
        // `config.json`, `.github`, documentation.
        if !is_crate_name(name) || path != crate::index_path(name) {
            return Ok(Vec::new());
        }
        let read = |id: Option<ObjectId>| -> Result<IndexFile, IndexError> {
            let Some(id) = id else {
                return Ok(IndexFile::default());
            };
            let header = repository
                .find_header(id)
                .map_err(|error| self.error(error))?;
            if header.size() > INDEX_FILE_BYTES {
                return Err(IndexError::TooLarge {
                    subject: format!("`{path}` in `{}`", self.repository),
                    limit: INDEX_FILE_BYTES,
                });
            }
            let object = repository
                .find_object(id)
                .map_err(|error| self.error(error))?;
            let text = String::from_utf8_lossy(&object.data);
            Ok(IndexFile::parse(name, &text))
        };
        let (old, new) = (read(before)?, read(after)?);
        // The file's name is in lower case; the lines have the crate's own.
        let own = new.versions.last().or(old.versions.last());
        let own = own.map_or(name, |version| version.name.as_str()).to_owned();
        Ok(changes(&own, &old, &new))
    }

    fn error(&self, reason: impl ToString) -> IndexError {
        IndexError::Git {
            path: self.repository.clone(),
            reason: reason.to_string(),
        }
    }
}

/// The tree of a commit, if the repository has both.
fn tree_of(repository: &Repository, commit: &str) -> Option<ObjectId> {
    let id = ObjectId::from_hex(commit.as_bytes()).ok()?;
    let commit = repository.find_object(id).ok()?.try_into_commit().ok()?;
    Some(commit.tree_id().ok()?.detach())
}

/// Collects the files that differ between two trees. Equal subtrees are not
/// looked into.
fn compare(
    repository: &Repository,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    at: &str,
    depth: usize,
    files: &mut Files,
) -> Result<(), String> {
    if before == after || depth > DEPTH {
        return Ok(());
    }
    let before = entries(repository, before)?;
    let after = entries(repository, after)?;
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}/{name}")
        };
        let part = |entry: Option<&(bool, ObjectId)>, tree: bool| {
            entry
                .filter(|(is_tree, _)| *is_tree == tree)
                .map(|(_, id)| *id)
        };
        let (old_tree, new_tree) = (part(old, true), part(new, true));
        if old_tree.is_some() || new_tree.is_some() {
            compare(repository, old_tree, new_tree, &path, depth + 1, files)?;
        }
        let (old_file, new_file) = (part(old, false), part(new, false));
        if old_file != new_file {
            files.push((path, old_file, new_file));
        }
    }
    Ok(())
}

/// A tree's directories and regular files, by name.
fn entries(
    repository: &Repository,
    tree: Option<ObjectId>,
) -> Result<std::collections::BTreeMap<String, (bool, ObjectId)>, String> {
    let Some(tree) = tree else {
        return Ok(Default::default());
    };
    let tree = repository
        .find_object(tree)
        .map_err(|error| error.to_string())?;
    let tree = tree.try_into_tree().map_err(|error| error.to_string())?;
    let mut entries = std::collections::BTreeMap::new();
    for entry in tree.iter() {
        let entry = entry.map_err(|error| error.to_string())?;
        let Ok(name) = std::str::from_utf8(entry.filename()) else {
            continue;
        };
        let is_tree = match entry.mode().kind() {
            EntryKind::Tree => true,
            EntryKind::Blob | EntryKind::BlobExecutable => false,
            EntryKind::Link | EntryKind::Commit => continue,
        };
        entries.insert(name.to_owned(), (is_tree, entry.object_id()));
    }
    Ok(entries)
}

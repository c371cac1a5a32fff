//! A clone of a repository, read as data. The only file here, beside the one
//! that fetches, that names gix.
//!
//! It is hostile: whoever publishes a crate chooses what it names. Sizes are
//! asked before contents are read, trees and histories have limits, the
//! clone's own configuration names no program that would be started, and links
//! are followed inside of the tree alone.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use camino::{Utf8Path, Utf8PathBuf};
use gix::ObjectId;
use gix::objs::tree::EntryKind;

/// How much of a repository is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryLimits {
    /// The largest file that is compared, in bytes.
    pub blob_bytes: u64,
    /// The largest directory, in bytes of the object.
    pub tree_bytes: u64,
    /// The most directories that are read for one package.
    pub trees: usize,
    /// The most commits that are walked to find a branch or tag.
    pub commits: usize,
    /// The most branches and tags.
    pub references: usize,
    /// The most links that are followed on one path.
    pub links: usize,
}

impl Default for RepositoryLimits {
    fn default() -> RepositoryLimits {
        RepositoryLimits {
            blob_bytes: 64 << 20,
            tree_bytes: 16 << 20,
            trees: 200_000,
            commits: 3_000_000,
            references: 200_000,
            links: 16,
        }
    }
}

/// Why a repository cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// It is no repository, or is damaged.
    #[error("the repository `{path}` cannot be read: {reason}")]
    Read {
        /// Where it is.
        path: Utf8PathBuf,
        /// What git's objects or this reader said.
        reason: String,
    },
    /// A limit was hit.
    #[error("the repository `{path}` has {what}")]
    TooLarge {
        /// Where it is.
        path: Utf8PathBuf,
        /// What there is too much of.
        what: String,
    },
}

impl ProvenanceError {
    /// What to do about it, in one sentence without a full stop.
    pub fn hint(&self) -> &'static str {
        match self {
            ProvenanceError::Read { .. } => {
                "name a clone of the crate's repository (`git clone --no-checkout URL DIR`)"
            }
            ProvenanceError::TooLarge { .. } => "compare the package by hand",
        }
    }
}

/// What lies at a path of a commit.
#[derive(Debug)]
pub(super) enum Found {
    /// A file's contents; `linked` when a link led there.
    File { bytes: Vec<u8>, linked: bool },
    /// A file that is too large to compare, with its size.
    Large(u64),
    /// A directory.
    Directory,
    /// Another repository; what is in it is not known here.
    Submodule,
    /// A link that leads out of the repository or to nothing; its text.
    Link(String),
    /// Nothing.
    Missing,
}

/// Whether a branch or tag leads to a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reachable {
    /// This one does.
    From(String),
    /// None does.
    No,
    /// The clone is shallow, or its history too long to tell.
    Unknown(&'static str),
}

/// Entries of a directory.
type Entries = BTreeMap<Vec<u8>, (EntryKind, ObjectId)>;

/// A clone of a repository.
pub struct Repository {
    path: Utf8PathBuf,
    inner: gix::Repository,
    limits: RepositoryLimits,
    trees: RefCell<HashMap<ObjectId, std::rc::Rc<Entries>>>,
    reachable: OnceCell<Result<HashMap<ObjectId, u32>, &'static str>>,
    names: OnceCell<Vec<String>>,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// Opens a clone, bare or not.
    ///
    /// # Errors
    /// There is none.
    pub fn open(path: &Utf8Path, limits: RepositoryLimits) -> Result<Repository, ProvenanceError> {
        // Isolated: neither the system's nor the user's configuration, nor
        // variables of the environment, have a say.
        let options = gix::open::Options::isolated();
        let inner =
            gix::open_opts(path.as_std_path(), options).map_err(|error| ProvenanceError::Read {
                path: path.to_owned(),
                reason: error.to_string(),
            })?;
        Ok(Repository {
            path: path.to_owned(),
            inner,
            limits,
            trees: RefCell::default(),
            reachable: OnceCell::new(),
            names: OnceCell::new(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Whether older commits are left out of the clone.
    pub(super) fn is_shallow(&self) -> bool {
        // Where even that cannot be told, absence proves nothing.
        self.inner.is_shallow().unwrap_or(true)
    }

    fn error(&self, reason: impl ToString) -> ProvenanceError {
        ProvenanceError::Read {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }

    /// The directory of a commit; `None` when there is no such commit.
    pub(super) fn tree(&self, commit: &str) -> Result<Option<ObjectId>, ProvenanceError> {
        let Ok(id) = ObjectId::from_hex(commit.as_bytes()) else {
            return Ok(None);
        };
        let object = self
            .inner
            .try_find_object(id)
            .map_err(|error| self.error(error))?;
        let Some(object) = object else {
            return Ok(None);
        };
        let Ok(commit) = object.try_into_commit() else {
            return Ok(None);
        };
        let tree = commit.tree_id().map_err(|error| self.error(error))?;
        Ok(Some(tree.detach()))
    }

    /// Whether a branch or tag leads to the commit. References that a forge
    /// makes for strangers' proposals (`refs/pull`) do not count.
    pub(super) fn reachable(&self, commit: &str) -> Result<Reachable, ProvenanceError> {
        let Ok(id) = ObjectId::from_hex(commit.as_bytes()) else {
            return Ok(Reachable::No);
        };
        if self.reachable.get().is_none() {
            let (walked, names) = self.walk()?;
            let _ = self.reachable.set(walked);
            let _ = self.names.set(names);
        }
        let names = self.names.get().map(Vec::as_slice).unwrap_or_default();
        match self.reachable.get() {
            Some(Ok(known)) => match known.get(&id) {
                Some(&name) => {
                    let name = names.get(name as usize).cloned();
                    Ok(Reachable::From(name.unwrap_or_default()))
                }
                None if self.is_shallow() => Ok(Reachable::Unknown(
                    "the clone is shallow: branches end before the revision",
                )),
                None => Ok(Reachable::No),
            },
            Some(Err(reason)) => Ok(Reachable::Unknown(reason)),
            None => Ok(Reachable::Unknown("the history was not walked")),
        }
    }

    /// Every commit that a branch or tag leads to, with the first that does.
    #[expect(
        clippy::type_complexity,
        reason = "two parts of one answer, taken apart by the only caller"
    )]
    fn walk(
        &self,
    ) -> Result<(Result<HashMap<ObjectId, u32>, &'static str>, Vec<String>), ProvenanceError> {
        let mut names = Vec::new();
        let mut queue = VecDeque::new();
        let references = self.inner.references().map_err(|error| self.error(error))?;
        for prefix in ["refs/heads/", "refs/remotes/", "refs/tags/"] {
            let found = references
                .prefixed(prefix)
                .map_err(|error| self.error(error))?;
            for reference in found {
                // A broken reference leads nowhere.
                let Ok(mut reference) = reference else {
                    continue;
                };
                let name = reference.name().as_bstr().to_string();
                let Ok(id) = reference.peel_to_id() else {
                    continue;
                };
                if names.len() >= self.limits.references {
                    return Ok((Err("it has too many branches and tags"), names));
                }
                queue.push_back((id.detach(), names.len() as u32));
                names.push(name);
            }
        }
        let mut known: HashMap<ObjectId, u32> = HashMap::new();
        while let Some((id, name)) = queue.pop_front() {
            if known.contains_key(&id) {
                continue;
            }
            if known.len() >= self.limits.commits {
                return Ok((Err("its history is too long to walk"), names));
            }
            let Ok(Some(object)) = self.inner.try_find_object(id) else {
                // The edge of a shallow clone, or a damaged history.
                continue;
            };
            let Ok(commit) = object.try_into_commit() else {
                continue;
            };
            known.insert(id, name);
            for parent in commit.parent_ids() {
                queue.push_back((parent.detach(), name));
            }
        }
        Ok((Ok(known), names))
    }

    fn entries(&self, tree: ObjectId) -> Result<std::rc::Rc<Entries>, ProvenanceError> {
        if let Some(known) = self.trees.borrow().get(&tree) {
            return Ok(known.clone());
        }
        let header = self
            .inner
            .find_header(tree)
            .map_err(|error| self.error(error))?;
        if header.size() > self.limits.tree_bytes || self.trees.borrow().len() >= self.limits.trees
        {
            return Err(ProvenanceError::TooLarge {
                path: self.path.clone(),
                what: "a directory that is too large, or too many of them".to_owned(),
            });
        }
        let object = self
            .inner
            .find_object(tree)
            .map_err(|error| self.error(error))?;
        let object = object.try_into_tree().map_err(|error| self.error(error))?;
        let mut entries = Entries::new();
        for entry in object.iter() {
            let entry = entry.map_err(|error| self.error(error))?;
            let name: &[u8] = entry.filename();
            entries.insert(name.to_vec(), (entry.mode().kind(), entry.object_id()));
        }
        let entries = std::rc::Rc::new(entries);
        self.trees.borrow_mut().insert(tree, entries.clone());
        Ok(entries)
    }

    fn blob(&self, id: ObjectId, linked: bool) -> Result<Found, ProvenanceError> {
        let header = self
            .inner
            .find_header(id)
            .map_err(|error| self.error(error))?;
        if header.size() > self.limits.blob_bytes {
            return Ok(Found::Large(header.size()));
        }
        let mut object = self
            .inner
            .find_object(id)
            .map_err(|error| self.error(error))?;
        Ok(Found::File {
            bytes: std::mem::take(&mut object.data),
            linked,
        })
    }

    /// What lies at `path` below a commit's directory. Links are followed, as
    /// cargo follows them when it packs.
    pub(super) fn find(&self, root: ObjectId, path: &str) -> Result<Found, ProvenanceError> {
        let mut todo: VecDeque<String> = path.split('/').map(str::to_owned).collect();
        // The directories on the way, for links that lead upwards.
        let mut above: Vec<ObjectId> = Vec::new();
        let mut at = root;
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    match above.pop() {
                        Some(parent) => at = parent,
                        None => return Ok(Found::Missing),
                    }
                    continue;
                }
                _ => {}
            }
            let entries = self.entries(at)?;
            let Some(&(kind, id)) = entries.get(part.as_bytes()) else {
                return Ok(Found::Missing);
            };
            match kind {
                EntryKind::Tree => {
                    above.push(at);
                    at = id;
                }
                EntryKind::Commit => return Ok(Found::Submodule),
                EntryKind::Blob | EntryKind::BlobExecutable => {
                    return if todo.iter().any(|part| !part.is_empty()) {
                        Ok(Found::Missing)
                    } else {
                        self.blob(id, links > 0)
                    };
                }
                EntryKind::Link => {
                    links += 1;
                    let Found::File { bytes, .. } = self.blob(id, true)? else {
                        return Ok(Found::Missing);
                    };
                    let Ok(target) = String::from_utf8(bytes) else {
                        return Ok(Found::Missing);
                    };
                    if links > self.limits.links || target.starts_with('/') {
                        return Ok(Found::Link(target));
                    }
                    for part in target.split('/').rev() {
                        todo.push_front(part.to_owned());
                    }
                }
            }
        }
        Ok(Found::Directory)
    }

    /// A link's own text, where the last component of `path` is one.
    pub(super) fn link_text(&self, root: ObjectId, path: &str) -> Option<Vec<u8>> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut at = root;
        for part in parent.split('/').filter(|part| !part.is_empty()) {
            let (kind, id) = *self.entries(at).ok()?.get(part.as_bytes())?;
            if kind != EntryKind::Tree {
                return None;
            }
            at = id;
        }
        let (kind, id) = *self.entries(at).ok()?.get(name.as_bytes())?;
        if kind != EntryKind::Link {
            return None;
        }
        match self.blob(id, true).ok()? {
            Found::File { bytes, .. } => Some(bytes),
            _ => None,
        }
    }

    /// The directories below a commit's root whose `Cargo.toml` satisfies
    /// `wanted`, nearest first, looking into at most `most` directories.
    pub(super) fn packages(
        &self,
        root: ObjectId,
        most: usize,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, ProvenanceError> {
        let mut found = Vec::new();
        let mut queue = VecDeque::from([(root, String::new())]);
        let mut seen = HashSet::new();
        while let Some((tree, path)) = queue.pop_front() {
            if !seen.insert((tree, path.clone())) || seen.len() > most {
                continue;
            }
            let entries = self.entries(tree)?;
            let below = |name: &str| {
                if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}/{name}")
                }
            };
            for (name, &(kind, id)) in entries.iter() {
                let Ok(name) = std::str::from_utf8(name) else {
                    continue;
                };
                match kind {
                    EntryKind::Tree => queue.push_back((id, below(name))),
                    EntryKind::Blob if name == "Cargo.toml" => {
                        if let Found::File { bytes, .. } = self.blob(id, false)?
                            && std::str::from_utf8(&bytes).is_ok_and(&wanted)
                        {
                            found.push(path.clone());
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(found)
    }
}

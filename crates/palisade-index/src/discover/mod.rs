//! What is new in a registry.
//!
//! The sparse protocol has no list of changes. They are found by comparing two
//! commits of the index's git form ([`GitDiscovery`]), in a feed
//! ([`FeedDiscovery`]), or by asking for one crate after the other
//! ([`Sweep`]). Each hands out a [`Batch`]; only [`Batch::confirm`] writes
//! down that it was handled. After a kill in between, the same changes come
//! again: none is lost, some may come twice.

#[cfg(any(feature = "git", feature = "http"))]
mod checkpoint;
#[cfg(feature = "http")]
mod feed;
#[cfg(feature = "git")]
mod git;
#[cfg(feature = "http")]
mod sweep;

use std::collections::BTreeMap;

use jiff::Timestamp;
use semver::Version;

use crate::{IndexError, IndexFile};

#[cfg(feature = "http")]
pub use feed::FeedDiscovery;
#[cfg(feature = "git")]
pub use git::{GitDiscovery, Start};
#[cfg(feature = "http")]
pub use sweep::Sweep;

/// Something that happened to a version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The crate.
    pub name: String,
    /// The version; `None` when a feed announces the crate alone.
    pub version: Option<Version>,
    /// What happened.
    pub kind: ChangeKind,
    /// When the version was published, where the registry says.
    pub published: Option<Timestamp>,
}

/// What happened to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It is there for the first time.
    Published,
    /// It was withdrawn.
    Yanked,
    /// It is no longer withdrawn.
    Unyanked,
    /// It is gone from the index.
    Removed,
    /// Its line has changed in another way, which no registry should do.
    Rewritten,
}

impl ChangeKind {
    /// The stable name that every output format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Published => "published",
            ChangeKind::Yanked => "yanked",
            ChangeKind::Unyanked => "unyanked",
            ChangeKind::Removed => "removed",
            ChangeKind::Rewritten => "rewritten",
        }
    }
}

/// Changes that are to be handled and then confirmed.
#[must_use = "without `confirm` the same changes come again"]
pub struct Batch {
    /// The changes; those of one crate together, oldest first.
    pub changes: Vec<Change>,
    /// Whether changes between this batch and the one before may be missing:
    /// a feed that was not read often enough, an index whose history was
    /// rewritten. A sweep finds them.
    pub gap: bool,
    /// Whether there is more at once.
    pub more: bool,
    confirm: Box<dyn FnOnce() -> Result<(), IndexError> + Send>,
}

impl Batch {
    /// Writes down that the changes were handled.
    ///
    /// # Errors
    /// The checkpoint cannot be written; the changes will come again.
    pub fn confirm(self) -> Result<(), IndexError> {
        (self.confirm)()
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("changes", &self.changes)
            .field("gap", &self.gap)
            .field("more", &self.more)
            .finish_non_exhaustive()
    }
}

/// What happened between two states of a crate's index file.
pub fn changes(name: &str, old: &IndexFile, new: &IndexFile) -> Vec<Change> {
    let before: BTreeMap<&Version, _> = old
        .versions
        .iter()
        .map(|known| (&known.version, known))
        .collect();
    let after: BTreeMap<&Version, _> = new
        .versions
        .iter()
        .map(|known| (&known.version, known))
        .collect();
    let mut found = Vec::new();
    let mut add = |version: &crate::IndexVersion, kind| {
        found.push(Change {
            name: name.to_owned(),
            version: Some(version.version.clone()),
            kind,
            published: version.published,
        });
    };
    for version in &old.versions {
        if !after.contains_key(&version.version) {
            add(version, ChangeKind::Removed);
        }
    }
    for version in &new.versions {
        match before.get(&version.version) {
            None => {
                add(version, ChangeKind::Published);
                if version.yanked {
                    add(version, ChangeKind::Yanked);
                }
            }
            Some(known) => {
                if known.yanked != version.yanked {
                    let kind = if version.yanked {
                        ChangeKind::Yanked
                    } else {
                        ChangeKind::Unyanked
                    };
                    add(version, kind);
                }
                // A registry may add fields, but what counts must stay.
                let same = known.checksum == version.checksum
                    && known.dependencies == version.dependencies
                    && known.features == version.features
                    && known.links == version.links;
                if !same {
                    add(version, ChangeKind::Rewritten);
                }
            }
        }
    }
    found
}

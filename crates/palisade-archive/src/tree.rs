//! The files of a package, wherever they came from.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use palisade_model::Checksum;

use crate::Finding;

/// The files of one package, in memory: out of a `.crate` file
/// ([`CrateArchive`](crate::CrateArchive)) or a directory
/// ([`SourceTree::from_directory`]). Paths are relative to the package's
/// directory and have `/` between their components.
#[derive(Clone, Debug)]
pub struct SourceTree {
    /// Every file's contents, one behind the other or with gaps.
    pub(crate) bytes: Vec<u8>,
    pub(crate) files: BTreeMap<String, Range<usize>>,
    pub(crate) omitted: Vec<Omitted>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) complete: bool,
    pub(crate) refused: bool,
}

/// An entry whose contents are not kept. A finding says so as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// Its path, as it may be shown.
    pub path: String,
    /// Why it is not kept.
    pub kind: OmittedKind,
}

/// Why an entry's contents are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OmittedKind {
    /// A symbolic or hard link, with its target as it may be shown.
    Link(String),
    /// A device, a pipe, a socket, a sparse file or something unknown.
    Special,
    /// A regular file in a place where no file belongs, or whose path is too
    /// long.
    Misplaced,
    /// A file that is larger than is kept, with its checksum where it was
    /// read at all.
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The checksum of its contents.
        checksum: Option<Checksum>,
    },
    /// A file or directory that could not be read.
    Unreadable,
    /// The caller asked to leave it out.
    Skipped,
}

impl SourceTree {
    /// Every file's path and contents, in the order of the paths.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(path, range)| (path.as_str(), &self.bytes[range.clone()]))
    }

    /// Every file's path, in order.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The paths that begin with `prefix`, in order.
    pub fn paths_below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.files
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(prefix))
    }

    /// A file's contents.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(|range| &self.bytes[range.clone()])
    }

    /// A file's text; `None` when there is no such file or it is not UTF-8.
    pub fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.get(path)?).ok()
    }

    /// Whether there is such a file.
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The path of the manifest as it is spelled: `Cargo.toml`, or in some old
    /// archives `cargo.toml`.
    pub fn manifest_path(&self) -> Option<&str> {
        ["Cargo.toml", "cargo.toml"]
            .into_iter()
            .find(|path| self.contains(path))
    }

    /// Whether the manifest as its author wrote it lies beside the one that
    /// cargo normalised.
    pub fn has_original_manifest(&self) -> bool {
        self.contains("Cargo.toml.orig")
    }

    /// The bytes of all files that are kept.
    pub fn file_bytes(&self) -> u64 {
        self.files.values().map(|range| range.len() as u64).sum()
    }

    /// Entries whose contents are not kept.
    pub fn omitted(&self) -> &[Omitted] {
        &self.omitted
    }

    /// What is wrong or unusual, most serious first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether everything was read. If not, a finding of the class
    /// [`Limit`](crate::Class::Limit) says what is missing.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether a strict reader would refuse it.
    pub fn is_refused(&self) -> bool {
        self.refused
    }
}

//! The files as they are collected, and how their paths can clash.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use crate::finding::{FindingKind, Findings};
use crate::{Omitted, OmittedKind, SourceTree, visible};

/// Files and what is left out, before they become a [`SourceTree`].
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) files: BTreeMap<String, Range<usize>>,
    omitted: Vec<Omitted>,
}

impl Files {
    /// Adds a file; a later one replaces an earlier one, as unpacking would.
    pub(crate) fn add(&mut self, path: String, range: Range<usize>, findings: &mut Findings) {
        if self.files.contains_key(&path) {
            findings.add(FindingKind::Duplicate, visible(&path), "");
        }
        self.files.insert(path, range);
    }

    pub(crate) fn omit(&mut self, path: &str, kind: OmittedKind) {
        self.omitted.push(Omitted {
            path: visible(path),
            kind,
        });
    }

    /// Judges the paths as a whole and ends the collection.
    pub(crate) fn finish(self, bytes: Vec<u8>, mut findings: Findings) -> SourceTree {
        self.collisions(&mut findings);
        self.files_as_directories(&mut findings);
        crate::manifest::judge(&self.files, &bytes, &mut findings);
        SourceTree {
            bytes,
            files: self.files,
            omitted: self.omitted,
            complete: !findings.is_incomplete(),
            refused: findings.is_refused(),
            findings: findings.finish(),
        }
    }

    /// Paths that are one where case does not count or names are normalised.
    fn collisions(&self, findings: &mut Findings) {
        let mut folded: HashMap<String, &str> = HashMap::with_capacity(self.files.len());
        for path in self.files.keys() {
            let key = if path.is_ascii() {
                path.to_ascii_lowercase()
            } else {
                path.nfc().collect::<String>().to_lowercase()
            };
            if let Some(other) = folded.insert(key, path) {
                findings.add(
                    FindingKind::Collision,
                    visible(path),
                    format!("and `{}`", visible(other)),
                );
            }
        }
    }

    fn files_as_directories(&self, findings: &mut Findings) {
        // Below a file's path, everything would sort behind it; the next path
        // that begins with it and a slash may not be its neighbour (`a`,
        // `a-b`, `a/c`), so the range is asked.
        for path in self.files.keys() {
            let below = format!("{path}/");
            let next = self.files.range(below.clone()..).next();
            if next.is_some_and(|(next, _)| next.starts_with(&below)) {
                findings.add(FindingKind::FileAndDirectory, visible(path), "");
            }
        }
    }
}

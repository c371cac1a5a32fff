//! All published versions of one crate.

use crate::{IndexVersion, NEWEST_SCHEMA};

/// One crate's file of an index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndexFile {
    /// Every version that could be read, in the file's order, which is the
    /// order of publication.
    pub versions: Vec<IndexVersion>,
    /// Lines that could not be read or that cargo would ignore.
    pub problems: Vec<LineProblem>,
}

/// A line that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineProblem {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl IndexFile {
    /// Reads the file of the crate `name`. A line that is wrong costs itself
    /// alone.
    pub fn parse(name: &str, text: &str) -> IndexFile {
        IndexFile::from_lines(name, text.lines().map(|line| line.trim_end_matches('\r')))
    }

    /// The same, from lines.
    pub fn from_lines<'a>(name: &str, lines: impl Iterator<Item = &'a str>) -> IndexFile {
        let mut file = IndexFile::default();
        for (at, text) in lines.enumerate() {
            if text.trim().is_empty() {
                continue;
            }
            let read = IndexVersion::parse(text).and_then(|version| match &version {
                // Another crate's version in this file would let one name
                // answer for another.
                other if !other.name.eq_ignore_ascii_case(name) => {
                    Err(format!("it is about `{}`", other.name.escape_debug()))
                }
                newer if newer.schema > NEWEST_SCHEMA => Err(format!(
                    "{}: schema {} is newer",
                    newer.version, newer.schema
                )),
                _ => Ok(version),
            });
            match read {
                Ok(version) => file.versions.push(version),
                Err(reason) => file.problems.push(LineProblem {
                    line: at + 1,
                    reason,
                }),
            }
        }
        file
    }

    /// The exact version, build metadata included.
    pub fn version(&self, version: &semver::Version) -> Option<&IndexVersion> {
        self.versions.iter().find(|known| known.version == *version)
    }
}

//! An advisory as data.

use camino::Utf8PathBuf;
use jiff::civil::Date;
use palisade_model::Kind;
use semver::Version;

use crate::{FunctionPath, PathError, VersionRange};

/// One advisory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// Its name, `RUSTSEC-2024-0001`; in the `rust` collection a CVE's.
    pub id: String,
    /// The name of the package that it is about.
    pub package: String,
    /// The half of the database that it belongs to.
    pub collection: Collection,
    /// The first heading of its text.
    pub title: String,
    /// The rest of its text, in Markdown.
    pub description: String,
    /// When the problem became public.
    pub date: Date,
    /// When the advisory was withdrawn; such an advisory matches nothing.
    pub withdrawn: Option<Date>,
    /// What it is about. It is [`Kind::Malicious`] when `malicious` is among
    /// the categories, or when the title, in lower case and without backticks,
    /// contains both `removed from crates.io` and `malicious` or begins with
    /// `malicious crate `: some advisories about removed crates carry no
    /// category.
    pub kind: Kind,
    /// Where to read more.
    pub url: Option<String>,
    /// Other places to read more.
    pub references: Vec<String>,
    /// Other names of the same problem (`CVE-…`, `GHSA-…`).
    pub aliases: Vec<String>,
    /// Names of related problems.
    pub related: Vec<String>,
    /// Kinds of harm (`memory-corruption`, `denial-of-service`, …).
    pub categories: Vec<String>,
    /// Free words.
    pub keywords: Vec<String>,
    /// The kind of information (`unsound`, `unmaintained`, `notice`) as
    /// written; `None` for a vulnerability.
    pub informational: Option<String>,
    /// The CVSS vector as written.
    pub cvss: Option<String>,
    /// Whether the affected versions were yanked, where the advisory says so.
    pub yanked: bool,
    /// Whether the registry is expected to have deleted the package.
    pub expect_deleted: bool,
    /// The SPDX expression of the text's licence; `CC0-1.0` where it names
    /// none, as the database declares.
    pub license: String,
    /// The versions that are safe.
    pub versions: Versions,
    /// Values of `target_os` that it is limited to; empty for no limit.
    pub os: Vec<String>,
    /// Values of `target_arch` that it is limited to; empty for no limit.
    pub arch: Vec<String>,
    /// The functions that it names, sorted by their text; empty when it names
    /// none and so concerns the whole package.
    pub functions: Vec<AffectedFunction>,
    /// The file that it was read from.
    pub file: Utf8PathBuf,
}

/// A half of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Collection {
    /// Published packages; versions are theirs.
    Crates,
    /// The toolchain and the standard library; versions are the toolchain's.
    Rust,
}

impl Collection {
    /// The directory that holds it.
    pub fn as_str(self) -> &'static str {
        match self {
            Collection::Crates => "crates",
            Collection::Rust => "rust",
        }
    }
}

/// A function that an advisory names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffectedFunction {
    /// The path as written.
    pub text: String,
    /// The path as read, or why it cannot be. An unreadable path is reported
    /// and must not pass for a function that does not exist.
    pub path: Result<FunctionPath, PathError>,
    /// The versions in which this function is affected; an empty list says
    /// nothing about versions.
    pub versions: Vec<VersionRange>,
}

impl AffectedFunction {
    /// Whether the function is affected in a version that the advisory as a
    /// whole affects.
    ///
    /// It is when any of its ranges contains the version, in either reading:
    /// as an interval or as Cargo would ([`VersionRange`] explains), because
    /// dropping a function hides it while keeping one costs only precision.
    /// An empty list also applies, since its author named the function.
    pub fn applies_to(&self, version: &Version) -> bool {
        self.versions.is_empty()
            || self
                .versions
                .iter()
                .any(|range| range.contains(version) || range.cargo_matches(version))
    }
}

/// The versions of a package that are safe; all others are affected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// Versions with a fix.
    pub patched: Vec<VersionRange>,
    /// Versions that never had the problem.
    pub unaffected: Vec<VersionRange>,
}

impl Versions {
    /// Whether a version has the problem.
    pub fn is_affected(&self, version: &Version) -> bool {
        !self.is_fixed(version)
    }

    /// Whether a version is free of the problem, by a fix or from the start.
    pub fn is_fixed(&self, version: &Version) -> bool {
        self.safe().any(|range| range.contains(version))
    }

    /// The safe ranges that an affected version can be upgraded into, as the
    /// advisory gives them: patched ones first. Empty when no later version
    /// is safe.
    pub fn fixes_above(&self, version: &Version) -> Vec<&VersionRange> {
        self.safe()
            .filter(|range| range.reaches_above(version))
            .collect()
    }

    fn safe(&self) -> impl Iterator<Item = &VersionRange> {
        self.patched.iter().chain(&self.unaffected)
    }
}

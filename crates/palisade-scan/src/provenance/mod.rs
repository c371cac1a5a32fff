//! Does a package come from where it says?
//!
//! cargo writes into an archive from which revision it was made. Here the
//! archive is compared with that revision in a clone of the repository: file
//! by file, with what cargo changes on the way taken into account. No checkout
//! is written, and nothing of the repository is executed: no hook, no filter,
//! no helper. What a repository holds is read as data, within limits.

mod compare;
mod fetch;
mod find;
mod manifest;
mod repository;
mod revision;

use camino::Utf8PathBuf;
use palisade_archive::SourceTree;
use serde::{Deserialize, Serialize};

pub use fetch::{FetchError, FetchOptions, fetch};
pub use find::{Repositories, repository_address};
pub(crate) use manifest::disagreement;
pub use repository::{ProvenanceError, Repository, RepositoryLimits};
pub use revision::Revision;

/// What came of comparing a package with its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProvenanceClass {
    /// Every file is the repository's.
    Match,
    /// Every file is the repository's, but for what cargo changes.
    MatchNormalised,
    /// It holds files that the repository does not have or has otherwise.
    Different,
    /// It was made from a revision with changes on top.
    Dirty,
    /// The repository does not have the revision.
    CommitNotFound,
    /// No branch and no tag of the repository leads to the revision. On a
    /// forge, commits of strangers' forks answer as well.
    CommitUnreachable,
    /// It does not say from which revision it was made.
    NoInformation,
    /// There is no repository to compare with.
    RepositoryGone,
}

impl ProvenanceClass {
    /// All of them, the best first.
    pub const ALL: &'static [ProvenanceClass] = &[
        ProvenanceClass::Match,
        ProvenanceClass::MatchNormalised,
        ProvenanceClass::Dirty,
        ProvenanceClass::NoInformation,
        ProvenanceClass::RepositoryGone,
        ProvenanceClass::CommitNotFound,
        ProvenanceClass::CommitUnreachable,
        ProvenanceClass::Different,
    ];

    /// The stable word that every format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            ProvenanceClass::Match => "match",
            ProvenanceClass::MatchNormalised => "match-normalised",
            ProvenanceClass::Different => "different",
            ProvenanceClass::Dirty => "dirty",
            ProvenanceClass::CommitNotFound => "commit-not-found",
            ProvenanceClass::CommitUnreachable => "commit-unreachable",
            ProvenanceClass::NoInformation => "no-information",
            ProvenanceClass::RepositoryGone => "repository-gone",
        }
    }

    /// What it says about a package, in one sentence without a full stop.
    pub fn sentence(self) -> &'static str {
        match self {
            ProvenanceClass::Match => "every file is the repository's",
            ProvenanceClass::MatchNormalised => {
                "every file is the repository's, but for what cargo changes"
            }
            ProvenanceClass::Different => "files differ from the repository's",
            ProvenanceClass::Dirty => "it was made from a revision with changes on top",
            ProvenanceClass::CommitNotFound => "the repository does not have the revision",
            ProvenanceClass::CommitUnreachable => "no branch and no tag leads to the revision",
            ProvenanceClass::NoInformation => "it does not say from which revision it was made",
            ProvenanceClass::RepositoryGone => "there is no repository to compare with",
        }
    }

    /// Whether it speaks for the package.
    pub fn is_match(self) -> bool {
        matches!(
            self,
            ProvenanceClass::Match | ProvenanceClass::MatchNormalised
        )
    }
}

/// How a file differs from the repository's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// The repository has no such file.
    Extra,
    /// The repository has it with other contents.
    Modified,
}

/// What a file is for; what matters most comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileRole {
    /// Runs while something is built.
    BuildScript,
    /// The manifest: dependencies, targets.
    Manifest,
    /// Compiled into whatever depends on the package, or machine code.
    Code,
    /// Code that is compiled for tests, examples and benchmarks alone.
    TestCode,
    /// Anything else.
    Other,
}

impl FileRole {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            FileRole::BuildScript => "build script",
            FileRole::Manifest => "manifest",
            FileRole::Code => "code",
            FileRole::TestCode => "code for tests",
            FileRole::Other => "other file",
        }
    }

    /// Whether it takes part in a build of whoever depends on the package.
    pub fn is_built(self) -> bool {
        matches!(
            self,
            FileRole::BuildScript | FileRole::Manifest | FileRole::Code
        )
    }
}

/// A file that is not the repository's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileDifference {
    /// What it is for.
    pub role: FileRole,
    /// How it differs.
    pub kind: DifferenceKind,
    /// Its path in the package.
    pub path: String,
    /// The first line that differs, counted from 1; 0 where lines mean
    /// nothing.
    pub line: u32,
    /// What exactly, in words.
    pub detail: String,
}

/// The result for one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The result in a word.
    pub class: ProvenanceClass,
    /// The revision that the package names.
    pub revision: Option<Revision>,
    /// Where the repository was looked at.
    pub repository: Option<String>,
    /// The branch or tag that leads to the revision, where one was found.
    pub reference: Option<String>,
    /// How many files are the repository's, byte for byte.
    pub same: usize,
    /// Files that are the repository's but for what cargo or git changes, each
    /// with the change.
    pub normalised: Vec<(String, String)>,
    /// Files that are not; what matters most comes first.
    pub differences: Vec<FileDifference>,
    /// What could not be decided and why; nothing here speaks for the package.
    pub unresolved: Vec<String>,
}

impl Provenance {
    fn undecided(class: ProvenanceClass, revision: Option<Revision>, reason: String) -> Provenance {
        Provenance {
            class,
            revision,
            repository: None,
            reference: None,
            same: 0,
            normalised: Vec::new(),
            differences: Vec::new(),
            unresolved: vec![reason],
        }
    }

    /// The result where there is no repository.
    pub fn gone(tree: &SourceTree, reason: impl Into<String>) -> Provenance {
        match Revision::of(tree) {
            Ok(Some(revision)) => Provenance::undecided(
                ProvenanceClass::RepositoryGone,
                Some(revision),
                reason.into(),
            ),
            other => Provenance::without_revision(other.err()),
        }
    }

    fn without_revision(reason: Option<String>) -> Provenance {
        let reason =
            reason.unwrap_or_else(|| "the package has no `.cargo_vcs_info.json`".to_owned());
        Provenance::undecided(ProvenanceClass::NoInformation, None, reason)
    }

    /// Compares a package with a clone of its repository.
    ///
    /// # Errors
    /// The repository cannot be read. That it does not have the revision is a
    /// result.
    pub fn check(
        tree: &SourceTree,
        name: &str,
        repository: &Repository,
    ) -> Result<Provenance, ProvenanceError> {
        let revision = match Revision::of(tree) {
            Ok(Some(revision)) => revision,
            other => {
                let mut without = Provenance::without_revision(other.err());
                without.repository = Some(repository.path().to_string());
                return Ok(without);
            }
        };
        compare::compare(tree, name, revision, repository)
    }
}

/// Where a repository is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A clone of this package's repository.
    Clone(Utf8PathBuf),
    /// A directory of clones, found by the repository's address.
    Clones(Utf8PathBuf),
}

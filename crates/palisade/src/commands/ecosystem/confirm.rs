//! A second look at the first of those who may reach a function: the precise
//! analysis, over the source that cargo has unpacked.

use std::fs;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use palisade_check::{AnalysisOptions, Workspace, why};
use palisade_index::CargoCache;
use palisade_model::Verdict;
use palisade_project::LoadOptions;
use semver::Version;

use super::graph;
use crate::commands::cargo_home;
use crate::progress::Reporter;

/// What the precise analysis says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Confirmed {
    /// Some target of it gets there.
    Reached,
    /// None does.
    NotReached,
    /// It cannot be told.
    Unknown,
    /// It could not be asked, and why.
    Failed(String),
}

impl Confirmed {
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Confirmed::Reached => "reached",
            Confirmed::NotReached => "not-reached",
            Confirmed::Unknown => "unknown",
            Confirmed::Failed(_) => "failed",
        }
    }
}

/// Asks about functions, any of which counts.
pub(super) fn confirm(package: &str, version: &str, functions: &[String]) -> Confirmed {
    match ask(package, version, functions) {
        Ok(confirmed) => confirmed,
        Err(error) => Confirmed::Failed(format!("{error:#}")),
    }
}

fn ask(package: &str, version: &str, functions: &[String]) -> Result<Confirmed> {
    let home = cargo_home().context("there is no home of cargo")?;
    let number: Version = version.parse().context("the version cannot be read")?;
    let source = CargoCache::all(&home)?
        .into_iter()
        .find_map(|cache| cache.unpacked(package, &number))
        .context("cargo has not unpacked its source")?;
    // cargo writes a lockfile beside the manifest, and what cargo unpacked is
    // not ours to change.
    let scratch = tempfile::tempdir().context("cannot make a directory")?;
    let scratch = Utf8Path::from_path(scratch.path()).context("a path is not UTF-8")?;
    let copy = scratch.join(format!("{package}-{version}"));
    copy_tree(&source, &copy)?;
    let workspace = Workspace::open(LoadOptions {
        path: copy.join("Cargo.toml"),
        offline: true,
        ..LoadOptions::default()
    })?;
    let options = AnalysisOptions {
        threads: graph::threads(),
        expand_macros: false,
        limits: Default::default(),
        one_shot: false,
    };
    let mut found = None;
    let mut failed = None;
    for function in functions {
        let progress = Reporter::new();
        let answer = why(&workspace, function, 1, &options, &progress);
        progress.finish();
        match answer {
            Err(error) => failed = Some(anyhow::Error::from(error)),
            Ok(answer) => {
                for answer in answer.answers {
                    let own = match answer.verdict {
                        Verdict::Reached => return Ok(Confirmed::Reached),
                        Verdict::NotReached => Confirmed::NotReached,
                        Verdict::Unknown => Confirmed::Unknown,
                    };
                    if found != Some(Confirmed::Unknown) {
                        found = Some(own);
                    }
                }
            }
        }
    }
    match (found, failed) {
        // Where one of several names could not be asked, nothing is proven.
        (Some(Confirmed::NotReached), Some(_)) => Ok(Confirmed::Unknown),
        (Some(found), _) => Ok(found),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(Confirmed::Unknown),
    }
}

fn copy_tree(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    let mut todo: Vec<(Utf8PathBuf, Utf8PathBuf)> = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = todo.pop() {
        fs::create_dir_all(&to).with_context(|| format!("cannot make `{to}`"))?;
        let entries = from.read_dir_utf8();
        for entry in entries.with_context(|| format!("cannot list `{from}`"))? {
            let entry = entry.with_context(|| format!("cannot list `{from}`"))?;
            let target = to.join(entry.file_name());
            let kind = entry.file_type().context("cannot look at a file")?;
            // A package may name its own compiler there.
            let configured = matches!(
                entry.file_name(),
                ".cargo" | "rust-toolchain" | "rust-toolchain.toml" | "Cargo.lock"
            );
            if configured || kind.is_symlink() {
                continue;
            }
            if kind.is_dir() {
                todo.push((entry.path().to_owned(), target));
            } else {
                fs::copy(entry.path(), &target)
                    .with_context(|| format!("cannot copy `{}`", entry.path()))?;
            }
        }
    }
    Ok(())
}

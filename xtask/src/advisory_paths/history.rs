//! Which versions of a package are published, as cargo's own index cache says.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use palisade_index::{CargoCache, IndexFile, IndexVersion, Registry};

use super::advised::Advised;
use super::scratch;
use crate::process;

/// All versions of each package that could be found.
pub(super) type Histories = BTreeMap<String, Arc<IndexFile>>;

/// Reads the versions of every package that is named, asking cargo for those
/// that it has not looked up before.
///
/// # Errors
///
/// When a scratch project cannot be written.
pub(super) fn read(dir: &Utf8Path, advised: &[Advised]) -> Result<Histories> {
    let mut histories = Histories::new();
    let registry = cargo_home();
    for path in advised.iter().filter(|path| !path.is_toolchain) {
        let name = &path.package;
        if histories.contains_key(name) {
            continue;
        }
        if lookup(&registry, name).is_none() {
            let project = dir.join("index").join(name);
            scratch::write(&project, &format!("[dependencies]\n{name} = \"*\"\n"))?;
            // That no version can be chosen does not matter: looking is all.
            if let Err(error) = process::output(
                process::cargo()
                    .args(["generate-lockfile", "--quiet"])
                    .current_dir(&project),
            ) {
                eprintln!("{name}: {}", scratch::first_lines(&error));
            }
        }
        if let Some(file) = lookup(&registry, name) {
            histories.insert(name.clone(), file);
        }
    }
    Ok(histories)
}

/// The affected versions, best first: releases before pre-releases before what
/// was yanked, newest first.
pub(super) fn affected<'a>(
    history: Option<&'a Arc<IndexFile>>,
    path: &Advised,
) -> Vec<&'a IndexVersion> {
    let mut versions: Vec<&IndexVersion> = history
        .map(|file| file.versions.iter().collect())
        .unwrap_or_default();
    versions.retain(|version| path.affects(&version.version));
    versions.sort_by(|a, b| {
        let rank = |version: &IndexVersion| (version.yanked, !version.version.pre.is_empty());
        rank(a)
            .cmp(&rank(b))
            .then_with(|| b.version.cmp(&a.version))
    });
    versions
}

fn lookup(home: &Result<Utf8PathBuf>, name: &str) -> Option<Arc<IndexFile>> {
    let registries = CargoCache::all(home.as_ref().ok()?).ok()?;
    registries
        .iter()
        .find_map(|registry| registry.index_file(name).ok().flatten())
}

/// Where cargo keeps what it fetched.
fn cargo_home() -> Result<Utf8PathBuf> {
    if let Ok(home) = std::env::var("CARGO_HOME") {
        return Ok(home.into());
    }
    let home = std::env::home_dir().context("there is no home directory")?;
    let home = Utf8PathBuf::from_path_buf(home)
        .map_err(|path| anyhow::anyhow!("{} is not UTF-8", path.display()))?;
    Ok(home.join(".cargo"))
}

#[cfg(test)]
mod tests {
    use super::super::advised;
    use super::*;

    /// Guards which version is asked about: affected in general and in this
    /// function, a release rather than a pre-release or a yanked version, and
    /// the newest of these.
    #[test]
    fn the_newest_affected_release_comes_first() {
        let line = |version: &str, yanked: bool| {
            format!(
                r#"{{"name":"a","vers":"{version}","deps":[],"cksum":"{}","features":{{}},"yanked":{yanked}}}"#,
                "0".repeat(64)
            )
        };
        let lines = [
            line("0.9.0", false),
            line("1.0.0", false),
            line("1.2.0", false),
            line("1.3.0", true),
            line("1.4.0-rc.1", false),
            line("1.4.0", false),
        ];
        let file = Arc::new(IndexFile::parse("a", &lines.join("\n")));
        let database = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(database.path()).unwrap();
        std::fs::create_dir_all(dir.join("crates/a")).unwrap();
        std::fs::write(
            dir.join("crates/a/RUSTSEC-2024-0001.md"),
            "```toml\n[advisory]\nid = \"RUSTSEC-2024-0001\"\npackage = \"a\"\n\
             date = \"2024-01-01\"\n[versions]\npatched = [\">= 1.4.0\"]\n\
             [affected.functions]\n\"a::f\" = [\">= 1.0.0\"]\n```\n# Title\nText\n",
        )
        .unwrap();
        let advised = advised::read(dir).unwrap();
        let versions: Vec<String> = affected(Some(&file), &advised[0])
            .iter()
            .map(|version| version.version.to_string())
            .collect();
        assert_eq!(versions, ["1.2.0", "1.0.0", "1.4.0-rc.1", "1.3.0"]);
        assert!(affected(None, &advised[0]).is_empty());
    }
}

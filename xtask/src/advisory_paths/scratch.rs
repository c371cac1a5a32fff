//! Scratch projects: an empty library that depends on one version of one
//! package.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use palisade_index::IndexVersion;
use serde::Deserialize;

use crate::process;

/// What a scratch project is called; no advisory is about it.
const NAME: &str = "advisory-paths-scratch";

/// Which features of the package are enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Features {
    /// The default ones.
    Default,
    /// All of them.
    All,
}

/// Makes a project that depends on exactly these versions, with its
/// dependencies resolved and downloaded; what a former run made is kept.
///
/// # Errors
///
/// When it cannot be written, or cargo cannot resolve or download.
pub(super) fn project(
    dir: &Utf8Path,
    versions: &[&IndexVersion],
    features: Features,
    platform: &str,
) -> Result<Utf8PathBuf> {
    let mut name: Vec<String> = versions
        .first()
        .map(|first| format!("{}-{}", first.name, first.version))
        .into_iter()
        .collect();
    if versions.len() > 1 {
        name.push(format!("and-{}-more", versions.len() - 1));
    }
    if features == Features::All {
        name.push("all-features".into());
    }
    let project = dir.join("projects").join(platform).join(name.join("-"));
    let text: String = versions
        .iter()
        .map(|version| dependency(version, features))
        .collect();
    let (fetched, failed) = (project.join("fetched"), project.join("failed"));
    let before = std::fs::read_to_string(project.join("Cargo.toml")).unwrap_or_default();
    if before == manifest(&text) {
        if fetched.is_file() {
            return Ok(project);
        }
        if let Ok(reason) = std::fs::read_to_string(&failed) {
            bail!("{reason}");
        }
    }
    if project.is_dir() {
        std::fs::remove_dir_all(&project).with_context(|| format!("cannot remove {project}"))?;
    }
    write(&project, &text)?;
    write_file(&project.join("Cargo.lock"), &lockfile(versions))?;
    let result = process::output(
        process::cargo()
            .args(["fetch", "--quiet", "--target", platform])
            .current_dir(&project),
    );
    if let Err(error) = result {
        let reason = first_lines(&error);
        // So that a second run does not ask again; delete it to try anew.
        write_file(&failed, &reason)?;
        bail!("{reason}");
    }
    write_file(&fetched, "")?;
    Ok(project)
}

/// Those of these packages that another package of the project depends on,
/// in whatever version: it may enable features of theirs.
///
/// # Errors
///
/// When the lockfile cannot be read.
pub(super) fn depended_upon(
    project: &Utf8Path,
    versions: &[&IndexVersion],
) -> Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Lockfile {
        package: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        #[serde(default)]
        dependencies: Vec<String>,
    }
    let file = project.join("Cargo.lock");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let lockfile: Lockfile =
        toml::from_str(&text).with_context(|| format!("cannot read {file}"))?;
    let dependencies: BTreeSet<&str> = lockfile
        .package
        .iter()
        .filter(|package| package.name != NAME)
        .flat_map(|package| &package.dependencies)
        .filter_map(|dependency| dependency.split(' ').next())
        .collect();
    let names = versions.iter().map(|version| &version.name);
    Ok(names
        .filter(|name| dependencies.contains(name.as_str()))
        .cloned()
        .collect())
}

/// Writes an empty library with these lines in its manifest.
///
/// # Errors
///
/// When it cannot be written.
pub(super) fn write(project: &Utf8Path, lines: &str) -> Result<()> {
    let source = project.join("src");
    std::fs::create_dir_all(&source).with_context(|| format!("cannot create {source}"))?;
    write_file(&source.join("lib.rs"), "")?;
    write_file(&project.join("Cargo.toml"), &manifest(lines))
}

fn manifest(lines: &str) -> String {
    format!(
        "[package]\nname = \"{NAME}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [workspace]\n\n{lines}"
    )
}

/// What cargo says went wrong, without the command and the lines around it.
pub(super) fn first_lines(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let said: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("error"))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(4)
        .collect();
    match said.is_empty() {
        true => text.lines().next().unwrap_or_default().to_owned(),
        false => said.join(" "),
    }
}

fn write_file(file: &Utf8Path, text: &str) -> Result<()> {
    std::fs::write(file, text).with_context(|| format!("cannot write {file}"))
}

fn dependency(version: &IndexVersion, features: Features) -> String {
    let mut text = format!(
        "[dependencies.{}]\nversion = \"={}\"\n",
        version.name, version.version
    );
    if features == Features::All {
        let names: Vec<String> = version
            .features
            .keys()
            .map(|name| format!("{name:?}"))
            .collect();
        text += &format!("features = [{}]\n", names.join(", "));
    }
    text
}

/// A lockfile that already holds the versions, since cargo takes a yanked one
/// only from there.
fn lockfile(versions: &[&IndexVersion]) -> String {
    versions
        .iter()
        .map(|version| {
            format!(
                "\n[[package]]\nname = \"{}\"\nversion = \"{}\"\n\
                 source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
                 checksum = \"{}\"\n",
                version.name, version.version, version.checksum
            )
        })
        .fold("version = 4\n".to_owned(), |text, package| text + &package)
}

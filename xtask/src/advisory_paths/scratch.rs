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

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str) -> IndexVersion {
        let line = format!(
            r#"{{"name":"{name}","vers":"1.0.0+build","deps":[],"cksum":"{}","features":{{"default":["x"],"x":[]}},"yanked":true}}"#,
            "0".repeat(64)
        );
        IndexVersion::parse(&line).unwrap()
    }

    /// Guards that cargo is asked for exactly the version, yanked or not, and
    /// that features are named when they are wanted.
    #[test]
    fn projects_pin_versions_and_features() {
        let version = version("a-b");
        let text = dependency(&version, Features::Default);
        assert_eq!(text, "[dependencies.a-b]\nversion = \"=1.0.0+build\"\n");
        let text = dependency(&version, Features::All);
        assert!(
            text.ends_with("features = [\"default\", \"x\"]\n"),
            "{text}"
        );
        let parsed: toml::Table = toml::from_str(&lockfile(&[&version])).unwrap();
        assert_eq!(
            parsed["package"][0]["version"].as_str(),
            Some("1.0.0+build")
        );
        toml::from_str::<toml::Table>(&manifest(&text)).unwrap();
    }

    /// Guards that no package is judged with features that a neighbour of the
    /// same project enabled.
    #[test]
    fn packages_that_others_use_stand_apart() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let package = |name: &str, dependencies: &str| {
            format!("[[package]]\nname = \"{name}\"\ndependencies = [{dependencies}]\n")
        };
        let text = package(NAME, r#""a", "b", "c""#)
            + &package("a", r#""b 1.0.0""#)
            + &package("b", "")
            + &package("c", "");
        std::fs::write(dir.join("Cargo.lock"), text).unwrap();
        let versions = [version("a"), version("b"), version("c")];
        let versions: Vec<&IndexVersion> = versions.iter().collect();
        let apart = depended_upon(dir, &versions).unwrap();
        assert_eq!(apart.into_iter().collect::<Vec<_>>(), ["b"]);
    }

    /// Guards that the table holds cargo's reason, not its command line.
    #[test]
    fn reasons_are_what_cargo_says() {
        let error = anyhow::anyhow!(
            "`cargo fetch` failed (exit status: 101)\n    Updating index\n\
             error: failed to select a version\n\n  version 1.0.0 is yanked"
        );
        assert_eq!(
            first_lines(&error),
            "error: failed to select a version version 1.0.0 is yanked"
        );
        assert_eq!(first_lines(&anyhow::anyhow!("plain\nmore")), "plain");
    }
}

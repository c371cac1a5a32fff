//! Whether a lockfile still fits the manifests, as far as files tell.
//!
//! The quick answer "nothing applies" rests on the lockfile alone. When a
//! manifest requires what the lockfile does not have, cargo would change the
//! lockfile first, so the quick answer must not be given. Only what is certain
//! counts as stale: whatever cannot be read here is left to cargo.

use camino::{Utf8Path, Utf8PathBuf};
use palisade_project::Lockfile;
use toml::{Table, Value};

use crate::remedy::requirements;

/// Most members that are looked at.
const MOST_MEMBERS: usize = 2_000;

/// Whether a member of the workspace requires a package that is not locked.
pub(crate) fn is_stale(root: &Utf8Path, lock: &Lockfile) -> bool {
    let Some(manifest) = requirements::read(&root.join("Cargo.toml")) else {
        return false;
    };
    let inherited = requirements::workspace_dependencies(&manifest);
    let members = members(root, &manifest);
    let others = members
        .iter()
        .take(MOST_MEMBERS)
        .filter_map(|dir| requirements::read(&dir.join("Cargo.toml")));
    std::iter::once(manifest.clone())
        .chain(others)
        .any(|member| {
            requirements::all(&member, &inherited, true)
                .iter()
                .any(|(name, requirement)| {
                    // `*` allows pre-releases too when cargo reads a lockfile.
                    let fits = |version| {
                        requirement.comparators.is_empty() || requirement.matches(version)
                    };
                    !lock
                        .packages
                        .iter()
                        .any(|package| package.name == *name && fits(&package.version))
                })
        })
}

/// The directories that `workspace.members` names; of patterns only a last
/// component `*` is understood, which is what workspaces use.
fn members(root: &Utf8Path, manifest: &Table) -> Vec<Utf8PathBuf> {
    let workspace = manifest.get("workspace");
    let list = |key: &str| {
        let values = workspace.and_then(|workspace| workspace.get(key)?.as_array());
        let values = values.into_iter().flatten().filter_map(Value::as_str);
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let excluded = list("exclude");
    let mut dirs = Vec::new();
    for member in list("members") {
        match member.strip_suffix("/*") {
            Some(parent) => {
                let entries = root.join(parent).read_dir_utf8();
                dirs.extend(
                    entries
                        .into_iter()
                        .flatten()
                        .flatten()
                        .map(|entry| entry.into_path()),
                );
            }
            None if member.contains('*') => {}
            None => dirs.push(root.join(member)),
        }
    }
    dirs.retain(|dir| {
        !excluded
            .iter()
            .any(|excluded| dir.starts_with(root.join(excluded)))
    });
    dirs.sort();
    dirs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::package;

    fn stale(manifests: &[(&str, &str)], locked: &[&str]) -> bool {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        for (name, text) in manifests {
            let file = root.join(name).join("Cargo.toml");
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        let packages = locked.iter().map(|text| package(text)).collect();
        is_stale(
            root,
            &Lockfile {
                packages,
                ..Lockfile::default()
            },
        )
    }

    /// Guards that a requirement which the lockfile does not fulfil is seen,
    /// wherever it stands.
    #[test]
    fn requirements_without_a_locked_package() {
        let app = "[dependencies]\ndemo = \"1.2\"\n";
        assert!(stale(&[("", app)], &[]));
        assert!(stale(&[("", app)], &["demo 1.1.0"]));
        assert!(stale(&[("", "[dev-dependencies]\ndemo = \"1\"\n")], &[]));
        assert!(stale(
            &[("", "[target.'cfg(windows)'.dependencies]\ndemo = \"1\"\n")],
            &[]
        ));
        let root = "[workspace]\nmembers = [\"crates/*\", \"xtask\"]\n[workspace.dependencies]\ndemo = \"1\"\n";
        let member = "[dependencies]\ndemo.workspace = true\n";
        assert!(stale(&[("", root), ("crates/a", member)], &[]));
        assert!(stale(&[("", root), ("xtask", member)], &["other 1.0.0"]));
    }

    /// Guards the quick answer for lockfiles that fit.
    #[test]
    fn lockfiles_that_fit() {
        let app =
            "[dependencies]\ndemo = \"1.2\"\nalias = { package = \"other\", version = \"2\" }\n";
        assert!(!stale(&[("", app)], &["demo 1.2.3", "other 2.0.0"]));
        assert!(!stale(
            &[("", "[dependencies]\ndemo = { git = \"x\" }\n")],
            &["demo 1.0.0-rc.1"]
        ));
        let root = "[workspace]\nmembers = [\"*/*\"]\nexclude = [\"a\"]\n[workspace.dependencies]\ndemo = \"1\"\n";
        assert!(!stale(&[("", root), ("a", app)], &[]));
        assert!(!stale(&[("", "not toml")], &[]));
    }
}

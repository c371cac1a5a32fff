//! What a package requires of another, from its manifest read as data.

use camino::Utf8Path;
use palisade_model::{Package, PackageSource};
use semver::VersionReq;
use toml::{Table, Value};

/// Largest manifest that is read, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// The tables that list dependencies, with the old spellings that cargo still
/// accepts.
const TABLES: &[&str] = &["dependencies", "build-dependencies", "build_dependencies"];

/// Development dependencies count only for packages of the workspace.
const DEV_TABLES: &[&str] = &["dev-dependencies", "dev_dependencies"];

/// The requirements of `parent`, whose manifest is in `dir`, that the locked
/// `child` satisfies; `None` when there is no telling.
pub(super) fn of(
    dir: &Utf8Path,
    root: &Utf8Path,
    parent: &Package,
    child: &Package,
) -> Option<Vec<VersionReq>> {
    let manifest = read(&dir.join("Cargo.toml"))?;
    let is_own = parent.source == PackageSource::Path;
    let inherited = match is_own {
        true => read(&root.join("Cargo.toml")).map(|root| workspace_dependencies(&root)),
        // What is published names its requirements itself.
        false => None,
    };
    let mut found: Vec<VersionReq> = all(&manifest, &inherited.unwrap_or_default(), is_own)
        .into_iter()
        .filter(|(name, _)| *name == child.name)
        .map(|(_, requirement)| requirement)
        .collect();
    // Several versions of one package may be required under different names;
    // only what the locked version satisfies is about it.
    found.retain(|requirement| requirement.matches(&child.version));
    (!found.is_empty()).then_some(found)
}

/// Every package that a manifest requires, with the requirement; `inherited`
/// holds the workspace's dependencies.
pub(crate) fn all(
    manifest: &Table,
    inherited: &Table,
    with_dev: bool,
) -> Vec<(String, VersionReq)> {
    let mut tables: Vec<&str> = TABLES.to_vec();
    if with_dev {
        tables.extend(DEV_TABLES);
    }
    let targets = manifest.get("target").and_then(Value::as_table);
    let per_target = targets
        .into_iter()
        .flat_map(|targets| targets.values())
        .filter_map(Value::as_table);
    let mut found = Vec::new();
    for level in std::iter::once(manifest).chain(per_target) {
        for table in &tables {
            let entries = level.get(*table).and_then(Value::as_table);
            for (key, value) in entries.into_iter().flatten() {
                let is_inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
                let value = match is_inherited {
                    true => inherited.get(key).unwrap_or(value),
                    false => value,
                };
                found.extend(requirement(key, value));
            }
        }
    }
    found
}

/// A manifest as a table; `None` when it cannot be read.
pub(crate) fn read(file: &Utf8Path) -> Option<Table> {
    let metadata = std::fs::metadata(file).ok()?;
    if metadata.len() > MAX_BYTES {
        return None;
    }
    std::fs::read_to_string(file).ok()?.parse().ok()
}

/// The dependencies that members of a workspace may inherit.
pub(crate) fn workspace_dependencies(manifest: &Table) -> Table {
    let workspace = manifest.get("workspace");
    let table = workspace.and_then(|workspace| workspace.get("dependencies")?.as_table());
    table.cloned().unwrap_or_default()
}

fn requirement(key: &str, value: &Value) -> Option<(String, VersionReq)> {
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    let name = field("package").unwrap_or(key).to_owned();
    let text = match value {
        Value::String(text) => text,
        _ => field("version").unwrap_or("*"),
    };
    Some((name, VersionReq::parse(text).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::package;

    fn requirements(
        manifest: &str,
        parent_source: PackageSource,
        child: &str,
    ) -> Option<Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        std::fs::write(dir.join("Cargo.toml"), manifest).unwrap();
        let parent = Package {
            source: parent_source,
            ..package("parent 1.0.0")
        };
        let found = of(dir, dir, &parent, &package(child))?;
        Some(found.iter().map(ToString::to_string).collect())
    }

    /// Guards every place where a requirement may stand.
    #[test]
    fn wherever_it_stands() {
        let of = |manifest| requirements(manifest, PackageSource::CratesIo, "demo 1.2.0");
        let is = |text: &str| Some(vec![text.to_owned()]);
        assert_eq!(of("[dependencies]\ndemo = \"1\""), is("^1"));
        assert_eq!(
            of("[dependencies.demo]\nversion = \"1.1\"\noptional = true"),
            is("^1.1")
        );
        assert_eq!(
            of("[dependencies]\nalias = { package = \"demo\", version = \"~1.2\" }"),
            is("~1.2")
        );
        assert_eq!(of("[build-dependencies]\ndemo = \"=1.2.0\""), is("=1.2.0"));
        assert_eq!(
            of("[target.'cfg(unix)'.dependencies]\ndemo = \"1\""),
            is("^1")
        );
        assert_eq!(
            requirements(
                "[workspace.dependencies]\ndemo = \"1.0\"\n[dependencies]\ndemo.workspace = true",
                PackageSource::Path,
                "demo 1.2.0"
            ),
            is("^1.0")
        );
        assert_eq!(
            of("[dependencies]\ndemo = \"1\"\nold = { package = \"demo\", version = \"0.9\" }"),
            is("^1"),
            "only what the locked version satisfies"
        );
    }

    /// Guards that what cannot be told is not taken for freedom.
    #[test]
    fn no_telling() {
        let dev = "[dev-dependencies]\ndemo = \"1\"";
        assert_eq!(
            requirements(dev, PackageSource::CratesIo, "demo 1.2.0"),
            None
        );
        assert!(requirements(dev, PackageSource::Path, "demo 1.2.0").is_some());
        assert_eq!(
            requirements("[dependencies", PackageSource::Path, "demo 1.2.0"),
            None
        );
        assert_eq!(requirements("", PackageSource::Path, "demo 1.2.0"), None);
    }
}

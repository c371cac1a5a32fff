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
    let mut tables: Vec<&str> = TABLES.to_vec();
    if parent.source == PackageSource::Path {
        tables.extend(DEV_TABLES);
    }
    let targets = manifest.get("target").and_then(Value::as_table);
    let per_target = targets
        .into_iter()
        .flat_map(|targets| targets.values())
        .filter_map(Value::as_table);
    let mut inherited = None;
    let mut found = Vec::new();
    for level in std::iter::once(&manifest).chain(per_target) {
        for table in &tables {
            for (key, value) in level
                .get(*table)
                .and_then(Value::as_table)
                .into_iter()
                .flatten()
            {
                let value = match is_inherited(value) {
                    true => inherited
                        .get_or_insert_with(|| workspace_dependencies(root))
                        .get(key)
                        .unwrap_or(value),
                    false => value,
                };
                found.extend(requirement(key, value, child));
            }
        }
    }
    // Several versions of one package may be required under different names;
    // only what the locked version satisfies is about it.
    found.retain(|requirement| requirement.matches(&child.version));
    (!found.is_empty()).then_some(found)
}

fn read(file: &Utf8Path) -> Option<Table> {
    let metadata = std::fs::metadata(file).ok()?;
    if metadata.len() > MAX_BYTES {
        return None;
    }
    std::fs::read_to_string(file).ok()?.parse().ok()
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

fn workspace_dependencies(root: &Utf8Path) -> Table {
    let dependencies = |manifest: Table| {
        manifest
            .get("workspace")?
            .get("dependencies")?
            .as_table()
            .cloned()
    };
    read(&root.join("Cargo.toml"))
        .and_then(dependencies)
        .unwrap_or_default()
}

fn requirement(key: &str, value: &Value, child: &Package) -> Option<VersionReq> {
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    if field("package").unwrap_or(key) != child.name {
        return None;
    }
    let text = match value {
        Value::String(text) => text,
        _ => field("version").unwrap_or("*"),
    };
    VersionReq::parse(text).ok()
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
            of("[workspace.dependencies]\ndemo = \"1.0\"\n[dependencies]\ndemo.workspace = true"),
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

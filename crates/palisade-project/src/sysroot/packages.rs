//! Manifests of the standard library's packages, read as data.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_platform::{Cfg, Platform};
use toml::{Table, Value};

use crate::{LoadError, read};

/// One package, for one target.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: semver::Version,
    pub(super) dir: Utf8PathBuf,
    pub(super) edition: String,
    pub(super) lib_name: String,
    pub(super) lib_file: Utf8PathBuf,
    pub(super) features: BTreeMap<String, Vec<String>>,
    pub(super) dependencies: Vec<Dependency>,
}

/// One dependency that applies to the target.
#[derive(Clone, Debug)]
pub(super) struct Dependency {
    /// The name in the manifest.
    pub(super) key: String,
    /// The name of the package.
    pub(super) package: String,
    pub(super) requirement: Option<semver::VersionReq>,
    pub(super) optional: bool,
    pub(super) default_features: bool,
    pub(super) features: Vec<String>,
}

impl Package {
    /// Reads the manifest in `dir` and keeps what applies to the target.
    pub(super) fn read(
        dir: &Utf8Path,
        triple: &str,
        cfgs: &[Cfg],
        limit: u64,
    ) -> Result<Package, LoadError> {
        let file = dir.join("Cargo.toml");
        let table = read::toml(&file, limit)?;
        let package = table.get("package").and_then(Value::as_table);
        let field = |key: &str| package.and_then(|package| package.get(key)?.as_str());
        let name = field("name").unwrap_or_default().to_owned();
        let lib = table.get("lib");
        let lib_field = |key: &str| lib.and_then(|lib| lib.get(key)?.as_str());

        let mut dependencies = dependencies_of(table.get("dependencies"));
        for (spec, section) in table
            .get("target")
            .and_then(Value::as_table)
            .into_iter()
            .flatten()
        {
            if Platform::from_str(spec).is_ok_and(|platform| platform.matches(triple, cfgs)) {
                dependencies.extend(dependencies_of(section.get("dependencies")));
            }
        }
        Ok(Package {
            version: field("version")
                .and_then(|version| version.parse().ok())
                .unwrap_or(semver::Version::new(0, 0, 0)),
            dir: dir.to_owned(),
            edition: field("edition").unwrap_or("2015").to_owned(),
            lib_name: lib_field("name").unwrap_or(&name).replace('-', "_"),
            lib_file: dir.join(lib_field("path").unwrap_or("src/lib.rs")),
            features: features_of(&table, &dependencies),
            dependencies,
            name,
        })
    }
}

fn dependencies_of(section: Option<&Value>) -> Vec<Dependency> {
    section
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            let detail = value.as_table();
            let get = |name: &str| detail.and_then(|detail| detail.get(name));
            let text = |name: &str| get(name).and_then(Value::as_str);
            Dependency {
                key: key.clone(),
                package: text("package").unwrap_or(key).to_owned(),
                requirement: value
                    .as_str()
                    .or_else(|| text("version"))
                    .and_then(|requirement| requirement.parse().ok()),
                optional: get("optional").and_then(Value::as_bool).unwrap_or(false),
                default_features: get("default-features")
                    .or_else(|| get("default_features"))
                    .and_then(Value::as_bool)
                    .unwrap_or(true),
                features: read::strings(get("features")),
            }
        })
        .collect()
}

/// The features, and those that optional dependencies imply when no feature
/// names them with `dep:`.
fn features_of(table: &Table, dependencies: &[Dependency]) -> BTreeMap<String, Vec<String>> {
    let mut features: BTreeMap<String, Vec<String>> = table
        .get("features")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .map(|(name, values)| (name.clone(), read::strings(Some(values))))
        .collect();
    let named: BTreeSet<String> = features
        .values()
        .flatten()
        .filter_map(|value| value.strip_prefix("dep:"))
        .map(str::to_owned)
        .collect();
    for dependency in dependencies {
        if dependency.optional && !named.contains(&dependency.key) {
            features
                .entry(dependency.key.clone())
                .or_insert_with(|| vec![format!("dep:{}", dependency.key)]);
        }
    }
    features
}

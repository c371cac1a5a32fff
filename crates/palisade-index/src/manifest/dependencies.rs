//! The tables of dependencies.

use semver::VersionReq;
use toml::{Table, Value};

use super::Problems;
use crate::{Dependency, DependencyKind};

const KINDS: [DependencyKind; 3] = [
    DependencyKind::Normal,
    DependencyKind::Build,
    DependencyKind::Development,
];

/// Every dependency, those for some platforms behind those for all.
pub(super) fn read(manifest: &Table, problems: &mut Problems) -> Vec<Dependency> {
    let mut found = Vec::new();
    tables(manifest, None, "", &mut found, problems);
    let targets = manifest.get("target").and_then(Value::as_table);
    for (target, table) in targets.into_iter().flatten() {
        if let Some(table) = table.as_table() {
            let at = format!("target.{target}.");
            tables(table, Some(target), &at, &mut found, problems);
        }
    }
    found
}

fn tables(
    table: &Table,
    target: Option<&str>,
    at: &str,
    found: &mut Vec<Dependency>,
    problems: &mut Problems,
) {
    for kind in KINDS {
        let [name, old] = kind.tables();
        // With both spellings, cargo takes the one with the dash.
        let Some((name, list)) = [name, old]
            .into_iter()
            .find_map(|name| Some((name, table.get(name)?.as_table()?)))
        else {
            continue;
        };
        for (key, value) in list {
            let at = format!("{at}{name}.{key}");
            found.extend(dependency(key, value, kind, target, &at, problems));
        }
    }
}

fn dependency(
    name: &str,
    value: &Value,
    kind: DependencyKind,
    target: Option<&str>,
    at: &str,
    problems: &mut Problems,
) -> Option<Dependency> {
    let empty = Table::new();
    let (table, text) = match value {
        Value::String(text) => (&empty, Some(text.clone())),
        Value::Table(table) => (table, problems.string(table, at, "version")),
        other => {
            problems.add(at, format!("it is a {}", other.type_str()));
            return None;
        }
    };
    if table.get("workspace").and_then(Value::as_bool) == Some(true) {
        problems.add(at, "it is left to a workspace");
    }
    for elsewhere in ["git", "path"] {
        if text.is_none() && table.contains_key(elsewhere) {
            problems.add(at, format!("it has a {elsewhere} and no version"));
        }
    }
    let requirement = match text.as_deref().map(VersionReq::parse) {
        None => VersionReq::STAR,
        Some(Ok(requirement)) => requirement,
        Some(Err(error)) => {
            problems.add(
                at,
                format!("requirement `{}`: {error}", text.unwrap_or_default()),
            );
            return None;
        }
    };
    let flag = |keys: [&str; 2]| keys.into_iter().find_map(|key| table.get(key)?.as_bool());
    let features = table.get("features").and_then(Value::as_array);
    let features = features.into_iter().flatten();
    Some(Dependency {
        name: name.to_owned(),
        package: problems
            .string(table, at, "package")
            .unwrap_or_else(|| name.to_owned()),
        requirement,
        features: features
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect(),
        optional: flag(["optional", "optional"]).unwrap_or(false),
        default_features: flag(["default-features", "default_features"]).unwrap_or(true),
        target: target.map(str::to_owned),
        kind,
        registry: problems
            .string(table, at, "registry-index")
            .or_else(|| problems.string(table, at, "registry")),
    })
}

//! The line of the index, as cargo's book describes it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade_index::{Dependency, Manifest};
use semver::Version;
use serde::Serialize;
use toml::Value;

use super::Candidate;

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    vers: String,
    deps: Vec<LineDependency<'a>>,
    cksum: String,
    features: BTreeMap<&'a str, Vec<&'a str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    features2: BTreeMap<&'a str, Vec<&'a str>>,
    yanked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rust_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<u32>,
    pubtime: String,
}

#[derive(Serialize)]
struct LineDependency<'a> {
    name: &'a str,
    req: String,
    features: &'a [String],
    optional: bool,
    default_features: bool,
    target: Option<&'a str>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
}

/// What no second version of a crate may have: everything but the build
/// metadata, which no requirement can tell apart.
pub(crate) fn version_identity(version: &Version) -> String {
    let mut version = version.clone();
    version.build = semver::BuildMetadata::EMPTY;
    version.to_string()
}

pub(super) fn line(candidate: &Candidate, manifest: &Manifest, now: Timestamp) -> String {
    // Clients that do not know the newer syntax leave a line with it out,
    // instead of misreading it.
    let (mut features, mut features2) = (BTreeMap::new(), BTreeMap::new());
    let written = manifest.table().get("features").and_then(Value::as_table);
    for (name, values) in written.into_iter().flatten() {
        let values: Vec<&str> = values
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let newer = values
            .iter()
            .any(|value| value.starts_with("dep:") || value.contains("?/"));
        if newer {
            features2.insert(name.as_str(), values);
        } else {
            features.insert(name.as_str(), values);
        }
    }
    let line = Line {
        name: &candidate.name,
        vers: candidate.version.to_string(),
        deps: candidate.dependencies.iter().map(dependency).collect(),
        cksum: candidate.checksum.to_string(),
        v: (!features2.is_empty()).then_some(2),
        features,
        features2,
        yanked: false,
        links: manifest.links.as_deref(),
        rust_version: manifest.rust_version.as_deref(),
        pubtime: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn dependency(dependency: &Dependency) -> LineDependency<'_> {
    let renamed = dependency.name != dependency.package;
    LineDependency {
        name: &dependency.name,
        req: dependency.requirement.to_string(),
        features: &dependency.features,
        optional: dependency.optional,
        default_features: dependency.default_features,
        target: dependency.target.as_deref(),
        kind: dependency.kind.as_str(),
        registry: dependency.registry.as_deref(),
        package: renamed.then_some(dependency.package.as_str()),
    }
}

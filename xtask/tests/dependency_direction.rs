//! The arrows between the workspace's crates point one way.
//!
//! `docs/architecture.md` shows the same order; this is what keeps it true.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The crates from the innermost outwards. A crate may depend on crates of
/// earlier layers alone, never on one of its own layer or a later one.
const LAYERS: &[&[&str]] = &[
    &["palisade-model"],
    &[
        "palisade-archive",
        "palisade-index",
        "palisade-project",
        "palisade-advisory",
        "palisade-expand",
        "palisade-sandbox",
        "palisade-store",
        "palisade-tables",
    ],
    &["palisade-engine", "palisade-gateway", "palisade-scan"],
    &["palisade-check", "palisade-graph"],
    &["palisade"],
];

/// The only crate that may name rust-analyzer's semantic libraries, which
/// change every week.
const ENGINE: &str = "palisade-engine";

/// The compiler's lexer under rust-analyzer's name, which the scanner may use
/// as well: it has no semantics that could change.
const LEXER: (&str, &str) = ("palisade-scan", "ra-ap-rustc_lexer");

/// What the task runner may use of the product: readers of published data, so
/// that a survey sees the advisories and versions that the product sees; and
/// the tables, so that a synthetic ecosystem is written as a real one is.
const READERS: &[&str] = &[
    "palisade-advisory",
    "palisade-index",
    "palisade-model",
    "palisade-tables",
];

/// Asked at run time: a build directory that several checkouts share must not
/// make the test read another one's manifests.
fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the test");
    let parent = Path::new(&own).parent();
    parent.expect("xtask lies in the workspace").to_owned()
}

/// Every member's name, manifest and the names that it depends on.
fn members() -> Vec<(String, PathBuf, BTreeSet<String>)> {
    let crates = root().join("crates");
    let mut manifests: Vec<PathBuf> = std::fs::read_dir(&crates)
        .expect("the crates directory is readable")
        .map(|entry| {
            entry
                .expect("the entry is readable")
                .path()
                .join("Cargo.toml")
        })
        .filter(|path| path.is_file())
        .collect();
    manifests.push(root().join("xtask/Cargo.toml"));
    manifests.sort();
    manifests
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("the manifest is readable");
            let manifest: toml::Table = text.parse().expect("the manifest parses");
            let name = manifest["package"]["name"]
                .as_str()
                .expect("the package has a name")
                .to_owned();
            let mut names = BTreeSet::new();
            collect_dependencies(&manifest, &mut names);
            (name, path, names)
        })
        .collect()
}

/// Dependencies of every kind, those under `[target.'cfg(…)']` included, by
/// the package's real name.
fn collect_dependencies(table: &toml::Table, names: &mut BTreeSet<String>) {
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(dependencies) = table.get(kind).and_then(toml::Value::as_table) else {
            continue;
        };
        for (name, value) in dependencies {
            let renamed = value.get("package").and_then(toml::Value::as_str);
            names.insert(renamed.unwrap_or(name).to_owned());
        }
    }
    if let Some(targets) = table.get("target").and_then(toml::Value::as_table) {
        for target in targets.values().filter_map(toml::Value::as_table) {
            collect_dependencies(target, names);
        }
    }
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

/// Guards the order of the layers, and that a new crate is given a place.
#[test]
fn arrows_point_inwards() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, path, dependencies) in members() {
        if name == "xtask" {
            continue;
        }
        let Some(own) = layer(&name) else {
            wrong.push(format!("{}: {name} has no layer", path.display()));
            continue;
        };
        for dependency in &dependencies {
            match layer(dependency) {
                Some(other) if other >= own => wrong.push(format!(
                    "{}: {name} depends on {dependency}, which is not further in",
                    path.display()
                )),
                None if dependency == "xtask" || dependency.starts_with("palisade") => {
                    wrong.push(format!("{}: {dependency} has no layer", path.display()));
                }
                _ => {}
            }
        }
        seen.insert(name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let expected: BTreeSet<String> = LAYERS.concat().iter().map(|&name| name.into()).collect();
    assert_eq!(seen, expected, "a layer names a crate that does not exist");
}

/// Guards the wall around rust-analyzer: an update of its libraries touches
/// one crate.
#[test]
fn only_the_engine_names_rust_analyzer() {
    for (name, path, dependencies) in members() {
        if name == ENGINE {
            continue;
        }
        let leaks: Vec<&String> = dependencies
            .iter()
            .filter(|dependency| {
                (dependency.starts_with("ra_ap_") || dependency.starts_with("ra-ap-"))
                    && (name.as_str(), dependency.as_str()) != LEXER
            })
            .collect();
        assert!(leaks.is_empty(), "{}: {leaks:?}", path.display());
    }
}

/// Guards that nothing of the product depends on the task runner, and that the
/// task runner uses the product's readers of data only: what it measures, it
/// measures from outside, by the binary.
#[test]
fn the_task_runner_stands_apart() {
    for (name, path, dependencies) in members() {
        if name == "xtask" {
            let inside: Vec<&String> = dependencies
                .iter()
                .filter(|name| layer(name).is_some() && !READERS.contains(&name.as_str()))
                .collect();
            assert!(inside.is_empty(), "{}: {inside:?}", path.display());
        }
    }
}

//! The crates of a package: those that the manifest lists, and those that
//! cargo finds in the usual places.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::{Manifest, is_proc_macro};

/// One crate of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// Its name. A library's is the crate name, with underscores.
    pub name: String,
    /// Its root file, relative to the manifest, with `/`. Listed crates may
    /// name a file that does not exist.
    pub path: String,
    /// Its edition, the package's unless given.
    pub edition: String,
    /// Features without which it is not built.
    pub required_features: Vec<String>,
}

/// What a crate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetKind {
    /// The library.
    Library,
    /// The library, a procedural macro.
    ProcMacro,
    /// A program.
    Binary,
    /// An example.
    Example,
    /// An integration test.
    Test,
    /// A benchmark.
    Benchmark,
    /// A build script.
    BuildScript,
}

type Paths<'p> = BTreeSet<&'p str>;

/// Where a kind of crate is listed and found.
struct Place {
    kind: TargetKind,
    section: &'static str,
    directory: &'static str,
    switch: &'static str,
}

const PLACES: [Place; 4] = [
    Place {
        kind: TargetKind::Binary,
        section: "bin",
        directory: "src/bin",
        switch: "autobins",
    },
    Place {
        kind: TargetKind::Example,
        section: "example",
        directory: "examples",
        switch: "autoexamples",
    },
    Place {
        kind: TargetKind::Test,
        section: "test",
        directory: "tests",
        switch: "autotests",
    },
    Place {
        kind: TargetKind::Benchmark,
        section: "bench",
        directory: "benches",
        switch: "autobenches",
    },
];

pub(super) fn find(manifest: &Manifest, paths: &Paths<'_>) -> Vec<Target> {
    let mut targets = Vec::new();
    targets.extend(library(manifest, paths));
    for place in &PLACES {
        targets.extend(others(manifest, place, paths));
    }
    targets.extend(build_scripts(manifest, paths));
    targets
}

fn library(manifest: &Manifest, paths: &Paths<'_>) -> Option<Target> {
    let usual = paths
        .contains("src/lib.rs")
        .then(|| "src/lib.rs".to_owned());
    let empty = Table::new();
    let listed = manifest.table.get("lib").and_then(Value::as_table);
    if listed.is_none() && flag(manifest.package(), "autolib") == Some(false) {
        return None;
    }
    let table = listed.unwrap_or(&empty);
    let name = text(table, "name").unwrap_or_else(|| manifest.name.replace('-', "_"));
    let path = text(table, "path")
        .map(|path| normalised(&path))
        .or(usual)
        .or_else(|| {
            // Before the 2018 edition, a library could be called by its name.
            let old = format!("src/{name}.rs");
            (listed.is_some() && paths.contains(old.as_str())).then_some(old)
        })?;
    let kind = if is_proc_macro(table) {
        TargetKind::ProcMacro
    } else {
        TargetKind::Library
    };
    Some(target(manifest, kind, name, path, table))
}

fn others(manifest: &Manifest, place: &Place, paths: &Paths<'_>) -> Vec<Target> {
    let found = inferred(manifest, place, paths);
    let listed: Vec<&Table> = manifest
        .table
        .get(place.section)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_table)
        .collect();
    let mut targets: Vec<Target> = listed
        .iter()
        .filter_map(|table| {
            let name = text(table, "name")?;
            let path = text(table, "path")
                .map(|path| normalised(&path))
                .or_else(|| found.get(&name).cloned())
                .or_else(|| old_place(place, &name, listed.len(), paths))?;
            Some(target(manifest, place.kind, name, path, table))
        })
        .collect();
    // In the first edition, listing one meant listing all.
    let by_default = manifest.edition != "2015" || listed.is_empty();
    if flag(manifest.package(), place.switch).unwrap_or(by_default) {
        for (name, path) in found {
            if targets
                .iter()
                .all(|target| target.name != name && target.path != path)
            {
                targets.push(target(manifest, place.kind, name, path, &Table::new()));
            }
        }
    }
    targets
}

/// Files in the usual places, by the name that the crate gets.
fn inferred(manifest: &Manifest, place: &Place, paths: &Paths<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if place.kind == TargetKind::Binary && paths.contains("src/main.rs") {
        found.insert(manifest.name.clone(), "src/main.rs".to_owned());
    }
    let below = format!("{}/", place.directory);
    for path in paths
        .range(below.as_str()..)
        .take_while(|path| path.starts_with(&below))
    {
        let rest = &path[below.len()..];
        let name = match rest.split_once('/') {
            None => rest.strip_suffix(".rs"),
            Some((directory, "main.rs")) => Some(directory),
            Some(_) => None,
        };
        if let Some(name) = name.filter(|name| !name.starts_with('.')) {
            found
                .entry(name.to_owned())
                .or_insert_with(|| (*path).to_owned());
        }
    }
    found
}

/// Where the first edition looked for a listed crate without a path.
fn old_place(place: &Place, name: &str, listed: usize, paths: &Paths<'_>) -> Option<String> {
    let mut candidates = vec![format!("{}/{name}.rs", place.directory)];
    if place.kind == TargetKind::Binary {
        candidates.push(format!("src/{name}.rs"));
        candidates.push("src/bin/main.rs".to_owned());
        if listed == 1 {
            candidates.push("src/main.rs".to_owned());
        }
    }
    candidates
        .into_iter()
        .find(|path| paths.contains(path.as_str()))
}

fn build_scripts(manifest: &Manifest, paths: &Paths<'_>) -> Vec<Target> {
    let files: Vec<String> = match manifest.package().get("build") {
        Some(Value::Boolean(false)) => Vec::new(),
        Some(Value::String(path)) => vec![normalised(path)],
        // Several scripts are a newer possibility.
        Some(Value::Array(list)) => {
            let list = list.iter().filter_map(Value::as_str);
            list.map(normalised).collect()
        }
        _ if paths.contains("build.rs") => vec!["build.rs".to_owned()],
        _ => Vec::new(),
    };
    files
        .into_iter()
        .map(|path| {
            let stem = path.rsplit('/').next().unwrap_or_default();
            let name = format!("build-script-{}", stem.strip_suffix(".rs").unwrap_or(stem));
            target(manifest, TargetKind::BuildScript, name, path, &Table::new())
        })
        .collect()
}

fn target(
    manifest: &Manifest,
    kind: TargetKind,
    name: String,
    path: String,
    table: &Table,
) -> Target {
    let required = ["required-features", "required_features"]
        .into_iter()
        .find_map(|key| table.get(key)?.as_array());
    let required = required.into_iter().flatten();
    Target {
        kind,
        name,
        path,
        edition: text(table, "edition").unwrap_or_else(|| manifest.edition.clone()),
        required_features: required
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect(),
    }
}

fn text(table: &Table, key: &str) -> Option<String> {
    table.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn flag(table: &Table, key: &str) -> Option<bool> {
    table.get(key).and_then(Value::as_bool)
}

/// A path as lists of paths have it: authors write `./src/lib.rs`, and on
/// Windows `src\lib.rs`. One that leads out of the package stays as it is and
/// matches nothing.
fn normalised(path: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    for component in path.split(['/', '\\']) {
        match component {
            "" | "." => {}
            ".." if components.last().is_some_and(|last| *last != "..") => {
                components.pop();
            }
            component => components.push(component),
        }
    }
    components.join("/")
}

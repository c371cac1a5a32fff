//! What manifests say, for comparing them: the author's with the repository's,
//! and cargo's normalised one with the author's.

use std::collections::{BTreeMap, BTreeSet};

use palisade_archive::SourceTree;
use palisade_index::Manifest;
use toml::{Table, Value};

/// The most bytes of a manifest that is compared.
const BYTES: usize = 4 << 20;
/// The most keys that a message lists.
const KEYS: usize = 6;

fn parse(text: &str) -> Option<Table> {
    if text.len() > BYTES {
        return None;
    }
    text.trim_start_matches('\u{feff}').parse().ok()
}

fn package(table: &Table) -> Option<&Table> {
    ["package", "project"]
        .into_iter()
        .find_map(|key| table.get(key)?.as_table())
}

/// The name of the package that a manifest is of.
pub(super) fn package_name(text: &str) -> Option<String> {
    let table = parse(text)?;
    Some(package(&table)?.get("name")?.as_str()?.to_owned())
}

/// Whether two manifests differ in the package's version alone. Tools for
/// releases set it in the moment of publishing.
pub(super) fn only_the_version(ours: &str, theirs: &str) -> bool {
    let (Some(mut ours), Some(mut theirs)) = (parse(ours), parse(theirs)) else {
        return false;
    };
    for table in [&mut ours, &mut theirs] {
        for key in ["package", "project"] {
            if let Some(package) = table.get_mut(key).and_then(Value::as_table_mut) {
                package.remove("version");
            }
        }
    }
    ours == theirs
}

/// The keys in which two manifests differ, in words.
pub(super) fn changes(ours: &str, theirs: &str) -> String {
    let (Some(ours), Some(theirs)) = (parse(ours), parse(theirs)) else {
        return "it is no valid manifest".to_owned();
    };
    let (mut one, mut other) = (BTreeMap::new(), BTreeMap::new());
    flatten(&ours, "", &mut one);
    flatten(&theirs, "", &mut other);
    let differing: BTreeSet<&String> = one
        .iter()
        .filter(|(key, value)| other.get(*key) != Some(value))
        .map(|(key, _)| key)
        .chain(other.keys().filter(|key| !one.contains_key(*key)))
        .collect();
    let count = differing.len();
    let shown: Vec<String> = differing
        .into_iter()
        .take(KEYS)
        .map(|key| format!("`{}`", palisade_archive::visible(key)))
        .collect();
    let more = match count.saturating_sub(KEYS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match count {
        0 => "comments or order differ".to_owned(),
        _ => format!("{}{more} differ", shown.join(", ")),
    }
}

/// Every value that is no table, by its keys. Its own stack: a manifest can
/// nest as deeply as it likes.
fn flatten(table: &Table, at: &str, out: &mut BTreeMap<String, String>) {
    let mut todo: Vec<(String, &Table)> = vec![(at.to_owned(), table)];
    while let Some((at, table)) = todo.pop() {
        for (key, value) in table {
            let path = if at.is_empty() {
                key.clone()
            } else {
                format!("{at}.{key}")
            };
            match value {
                Value::Table(table) => todo.push((path, table)),
                value => {
                    out.insert(path, value.to_string());
                }
            }
        }
    }
}

/// The files that a manifest has cargo copy into the package: readme and
/// licence, of the package or of the workspace.
pub(super) fn copied_files(text: Option<&str>) -> Vec<String> {
    let Some(table) = text.and_then(parse) else {
        return Vec::new();
    };
    let workspace = table
        .get("workspace")
        .and_then(|workspace| workspace.get("package")?.as_table());
    let mut files = Vec::new();
    for table in package(&table).into_iter().chain(workspace) {
        for key in ["readme", "license-file"] {
            files.extend(table.get(key).and_then(Value::as_str).map(str::to_owned));
        }
    }
    files
}

/// In what the normalised manifest says more than the author's: cargo
/// resolves and removes, but it never adds a dependency. What a registry and
/// cargo read is the normalised one; what a reviewer reads is the other.
pub(crate) fn disagreement(tree: &SourceTree) -> Vec<String> {
    let (Some(normalised), Some(original)) =
        (tree.text("Cargo.toml"), tree.text("Cargo.toml.orig"))
    else {
        return Vec::new();
    };
    let (Ok(manifest), Some(original)) = (Manifest::parse(normalised), parse(original)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let known = dependency_keys(&original);
    for dependency in &manifest.dependencies {
        let key = (
            dependency.name.replace('_', "-"),
            dependency.kind.as_str(),
            dependency.target.is_some(),
        );
        match known.get(&key) {
            None => found.push(format!(
                "the manifest that cargo reads depends on {} ({}), and its original does not",
                dependency.package,
                dependency.kind.as_str()
            )),
            // An inherited dependency is renamed in the workspace.
            Some(Some(package)) if *package != dependency.package => found.push(format!(
                "`{}` is {} in the manifest that cargo reads, and {package} in its original",
                dependency.name, dependency.package
            )),
            Some(_) => {}
        }
    }
    if let Some(own) = package(&original) {
        let name = own.get("name").and_then(Value::as_str);
        if name.is_some_and(|name| name != manifest.name) {
            found.push(format!(
                "the package is called {} in the manifest that cargo reads, and {} in its original",
                manifest.name,
                name.unwrap_or_default()
            ));
        }
        let build = |table: Option<&Table>| match table?.get("build")? {
            Value::String(path) => Some(path.trim_start_matches("./").replace('\\', "/")),
            Value::Boolean(false) => Some(String::new()),
            _ => None,
        };
        let (ours, theirs) = (build(package(manifest.table())), build(Some(own)));
        if let (Some(ours), Some(theirs)) = (ours, theirs)
            && ours != theirs
            && !ours.is_empty()
        {
            found.push(format!(
                "the build script is `{ours}` in the manifest that cargo reads, and {} in its original",
                if theirs.is_empty() { "there is none".to_owned() } else { format!("`{theirs}`") }
            ));
        }
    }
    found
}

/// Kind of dependency, whether for some platforms only, and the package where
/// that is known.
type Keys = BTreeMap<(String, &'static str, bool), Option<String>>;

fn dependency_keys(original: &Table) -> Keys {
    let mut keys = Keys::new();
    let mut tables: Vec<(&Table, bool)> = vec![(original, false)];
    let targets = original.get("target").and_then(Value::as_table);
    tables.extend(
        targets
            .into_iter()
            .flat_map(|targets| targets.values())
            .filter_map(|table| Some((table.as_table()?, true))),
    );
    for (table, targeted) in tables {
        for (key, kind) in [
            ("dependencies", "normal"),
            ("build-dependencies", "build"),
            ("build_dependencies", "build"),
            ("dev-dependencies", "dev"),
            ("dev_dependencies", "dev"),
        ] {
            for (name, value) in table
                .get(key)
                .and_then(Value::as_table)
                .into_iter()
                .flatten()
            {
                let inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
                let package = match value.get("package").and_then(Value::as_str) {
                    Some(package) => Some(package.to_owned()),
                    None if inherited => None,
                    None => Some(name.clone()),
                };
                keys.insert((name.replace('_', "-"), kind, targeted), package);
            }
        }
    }
    keys
}

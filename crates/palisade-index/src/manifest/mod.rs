//! A `Cargo.toml` as data. No cargo process runs; what cargo would find by
//! looking into the directory is found in a list of paths.

mod dependencies;
mod targets;

use std::collections::BTreeMap;

use semver::Version;
use toml::Value;

use crate::feature::{self, Features, Named};
use crate::{Dependency, DependencyKind};

pub use targets::{Target, TargetKind};

/// The most bytes of a manifest.
const MANIFEST_BYTES: usize = 4 << 20;

/// What a package's manifest says. What is malformed costs itself alone and is
/// listed in [`Manifest::problems`].
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// Its version; 0.0.0 where it has none.
    pub version: Version,
    /// The edition, `2015` unless given.
    pub edition: String,
    /// The oldest compiler that it promises to work with.
    pub rust_version: Option<String>,
    /// The native library that it alone may link.
    pub links: Option<String>,
    /// What it depends on, in the manifest's order.
    pub dependencies: Vec<Dependency>,
    /// Its features, those implied by optional dependencies included.
    pub features: Features,
    /// Whether its library is a procedural macro.
    pub proc_macro: bool,
    /// The resolver that it asks for in its own workspace: `1`, `2` or `3`;
    /// `None` where the edition decides.
    pub resolver: Option<String>,
    /// What was not understood.
    pub problems: Vec<ManifestProblem>,
    /// The whole of it, for targets and whatever else is asked.
    table: toml::Table,
}

/// A part of a manifest that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestProblem {
    /// Which part, its keys joined by dots.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Manifest {
    /// Reads the text of a manifest.
    ///
    /// # Errors
    /// It is not TOML, is too large, or names no package; the text says which.
    pub fn parse(text: &str) -> Result<Manifest, String> {
        if text.len() > MANIFEST_BYTES {
            return Err(format!("it has more than {MANIFEST_BYTES} bytes"));
        }
        let table: toml::Table = text
            .trim_start_matches('\u{feff}')
            .parse()
            .map_err(|error: toml::de::Error| error.message().to_owned())?;
        let mut problems = Problems::default();
        // `project` was its name before 1.0.
        let package = ["package", "project"]
            .into_iter()
            .find_map(|key| table.get(key)?.as_table())
            .ok_or("it has no [package]")?;
        let name = package
            .get("name")
            .and_then(Value::as_str)
            .ok_or("its package has no name")?
            .to_owned();
        let version = match problems.string(package, "package", "version") {
            None => Version::new(0, 0, 0),
            Some(text) => text.trim().parse().unwrap_or_else(|error| {
                problems.add("package.version", format!("`{text}`: {error}"));
                Version::new(0, 0, 0)
            }),
        };
        let edition = problems.string(package, "package", "edition");
        let rust_version = problems.string(package, "package", "rust-version");
        let links = problems.string(package, "package", "links");
        let resolver = problems.string(package, "package", "resolver");
        let dependencies = dependencies::read(&table, &mut problems);
        let features = features(&table, &dependencies, &mut problems);
        let library = table.get("lib").and_then(Value::as_table);
        let proc_macro = library.is_some_and(is_proc_macro);
        Ok(Manifest {
            name,
            version,
            edition: edition.unwrap_or_else(|| "2015".to_owned()),
            rust_version,
            links,
            dependencies,
            features,
            proc_macro,
            resolver,
            problems: problems.0,
            table,
        })
    }

    /// The manifest's text as a table, for what has no field here.
    pub fn table(&self) -> &toml::Table {
        &self.table
    }

    /// Its crates, as cargo would find them among `paths`: the library first,
    /// then binaries, examples, tests, benchmarks and the build script. Paths
    /// are relative to the manifest, with `/`.
    pub fn targets<'p>(&self, paths: impl IntoIterator<Item = &'p str>) -> Vec<Target> {
        targets::find(self, &paths.into_iter().collect())
    }

    fn package(&self) -> &toml::Table {
        // `parse` found it.
        static EMPTY: std::sync::LazyLock<toml::Table> = std::sync::LazyLock::new(toml::Table::new);
        ["package", "project"]
            .into_iter()
            .find_map(|key| self.table.get(key)?.as_table())
            .unwrap_or(&EMPTY)
    }
}

fn is_proc_macro(library: &toml::Table) -> bool {
    let flag = |key| library.get(key).and_then(Value::as_bool) == Some(true);
    let kinds = ["crate-type", "crate_type"]
        .into_iter()
        .find_map(|key| library.get(key)?.as_array());
    flag("proc-macro")
        || flag("proc_macro")
        || kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind.as_str() == Some("proc-macro")))
}

fn features(table: &toml::Table, dependencies: &[Dependency], problems: &mut Problems) -> Features {
    let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, values) in table
        .get("features")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
    {
        let Some(values) = values.as_array() else {
            problems.add(format!("features.{name}"), "it is not a list");
            continue;
        };
        let values = values
            .iter()
            .filter_map(|value| value.as_str().map(str::to_owned));
        lists.insert(name.clone(), values.collect());
    }
    let names: Vec<Named<'_>> = dependencies
        .iter()
        .map(|dependency| Named {
            name: &dependency.name,
            optional: dependency.optional,
        })
        .collect();
    feature::build(&lists, &names).unwrap_or_else(|reason| {
        problems.add("features", reason);
        Features::new()
    })
}

/// Problems as they are collected.
#[derive(Default)]
struct Problems(Vec<ManifestProblem>);

impl Problems {
    fn add(&mut self, key: impl Into<String>, reason: impl Into<String>) {
        self.0.push(ManifestProblem {
            key: key.into(),
            reason: reason.into(),
        });
    }

    /// A string; anything else there is a problem.
    fn string(&mut self, table: &toml::Table, at: &str, key: &str) -> Option<String> {
        match table.get(key)? {
            Value::String(text) => Some(text.clone()),
            other => {
                let what = match other.as_table() {
                    Some(table) if table.contains_key("workspace") => {
                        "it is left to a workspace".to_owned()
                    }
                    _ => format!("it is a {}, not a string", other.type_str()),
                };
                self.add(format!("{at}.{key}"), what);
                None
            }
        }
    }
}

impl DependencyKind {
    /// The tables of a manifest that hold this kind, in both spellings.
    fn tables(self) -> [&'static str; 2] {
        match self {
            DependencyKind::Normal => ["dependencies", "dependencies"],
            DependencyKind::Build => ["build-dependencies", "build_dependencies"],
            DependencyKind::Development => ["dev-dependencies", "dev_dependencies"],
        }
    }
}

//! The checkout's `.cargo/config.toml`, read as data.
//!
//! cargo never sees these files (see [`crate::neutral`]). What is needed to
//! find the packages (source replacement, registries, patches) is copied key by
//! key into a file of ours; everything else stays behind. So a key that cargo
//! learns tomorrow is harmless until somebody adds it here.

use camino::{Utf8Path, Utf8PathBuf};
use toml::{Table, Value};

use crate::manifest::{lexically_normal, parent};
use crate::neutral::Neutral;
use crate::read;
use crate::{Limits, LoadError};

/// Configuration, from the checkout and from the caller's own files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// What is handed to cargo; nothing in it names a program.
    pub(crate) harmless: Table,
    /// `build.target`, when it is one triple.
    pub(crate) target: Option<String>,
    /// `build.rustflags`, unchecked.
    pub(crate) build_rustflags: Vec<String>,
    /// `target.<triple or cfg(…)>.rustflags`, unchecked.
    pub(crate) target_rustflags: Vec<(String, Vec<String>)>,
}

/// Keys of the `[source.NAME]` tables that only say where packages are.
const SOURCE: [&str; 8] = [
    "replace-with",
    "directory",
    "local-registry",
    "registry",
    "git",
    "branch",
    "tag",
    "rev",
];

/// Tables and keys in which nothing can name a program to run.
const HARMLESS: [&str; 14] = [
    "alias",
    "build",
    "cache",
    "cargo-new",
    "doc",
    "future-incompat-report",
    "http",
    "install",
    "net",
    "patch",
    "paths",
    "profile",
    "resolver",
    "term",
];

/// Reads the configuration that applies in `dir`: its own and that of the
/// directories above, then the caller's home.
pub(crate) fn load(
    dir: &Utf8Path,
    neutral: &Neutral,
    limits: &Limits,
) -> Result<Config, LoadError> {
    let own = neutral.own_config_files();
    for file in &own {
        if neutral.is_inside(file) {
            refuse_programs(file, &read::toml(file, limits.manifest_bytes)?)?;
        }
    }
    let mut config = Config::default();
    // cargo lets the nearest file win; the caller's home comes last.
    let above = dir
        .ancestors()
        .take(limits.ancestors)
        .map(|ancestor| ancestor.join(".cargo"))
        .filter_map(|cargo| {
            // The name without an extension wins where both exist.
            [cargo.join("config"), cargo.join("config.toml")]
                .into_iter()
                .find(|file| file.is_file())
        });
    let mut seen: Vec<Utf8PathBuf> = Vec::new();
    for file in above.chain(own.iter().cloned()) {
        if seen.contains(&file) {
            continue;
        }
        let table = read::toml(&file, limits.manifest_bytes)?;
        config.add_data(&table);
        if !own.contains(&file) {
            let base = lexically_normal(&parent(&parent(&file)));
            merge(&mut config.harmless, harmless(&table, &base));
        }
        seen.push(file);
    }
    Ok(config)
}

impl Config {
    /// Takes what a nearer file has not said.
    fn add_data(&mut self, table: &Table) {
        let build = table.get("build");
        let build = |key: &str| build.and_then(|build| build.get(key));
        if self.target.is_none() {
            self.target = match build("target") {
                Some(Value::String(target)) => Some(target.clone()),
                // With several, one analysis cannot model them all; the first
                // is as good as any.
                Some(Value::Array(targets)) => {
                    targets.first().and_then(Value::as_str).map(str::to_owned)
                }
                _ => None,
            };
        }
        // cargo joins the lists of all files.
        self.build_rustflags.extend(flags(build("rustflags")));
        for (spec, target) in table
            .get("target")
            .and_then(Value::as_table)
            .into_iter()
            .flatten()
        {
            let flags = flags(target.get("rustflags"));
            if !flags.is_empty() {
                self.target_rustflags.push((spec.clone(), flags));
            }
        }
    }
}

/// Flags given as a list, or as one string with spaces.
fn flags(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(flags)) => flags.split_whitespace().map(str::to_owned).collect(),
        other => read::strings(other),
    }
}

/// The part of a configuration that is handed to cargo, its paths absolute.
fn harmless(table: &Table, base: &Utf8Path) -> Table {
    let mut kept = Table::new();
    let mut keep = |key: &str, value: Table| {
        if !value.is_empty() {
            kept.insert(key.to_owned(), Value::Table(value));
        }
    };
    let tables = |key: &str| {
        table
            .get(key)
            .and_then(Value::as_table)
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name, value.as_table()?)))
    };

    let mut sources = Table::new();
    for (name, source) in tables("source") {
        let mut copy = Table::new();
        for key in SOURCE {
            if let Some(Value::String(value)) = source.get(key) {
                let value = if matches!(key, "directory" | "local-registry") {
                    absolute(base, value)
                } else {
                    value.clone()
                };
                copy.insert(key.to_owned(), Value::String(value));
            }
        }
        sources.insert(name.clone(), Value::Table(copy));
    }
    keep("source", sources);

    let mut registries = Table::new();
    for (name, registry) in tables("registries") {
        if let Some(Value::String(index)) = registry.get("index") {
            let mut copy = Table::new();
            copy.insert("index".to_owned(), Value::String(index.clone()));
            registries.insert(name.clone(), Value::Table(copy));
        }
    }
    keep("registries", registries);

    let mut patches = Table::new();
    for (name, patch) in tables("patch") {
        let mut copy = patch.clone();
        for (_, dependency) in &mut copy {
            if let Some(Value::String(path)) = dependency.get_mut("path") {
                *path = absolute(base, path);
            }
        }
        patches.insert(name.clone(), Value::Table(copy));
    }
    keep("patch", patches);

    let paths: Vec<Value> = read::strings(table.get("paths"))
        .iter()
        .map(|path| Value::String(absolute(base, path)))
        .collect();
    if !paths.is_empty() {
        kept.insert("paths".to_owned(), Value::Array(paths));
    }
    if let Some(Value::Boolean(offline)) = table.get("net").and_then(|net| net.get("offline")) {
        let mut net = Table::new();
        net.insert("offline".to_owned(), Value::Boolean(*offline));
        kept.insert("net".to_owned(), Value::Table(net));
    }
    kept
}

fn absolute(base: &Utf8Path, path: &str) -> String {
    lexically_normal(&base.join(path)).into_string()
}

/// Adds what a file further away says and a nearer one does not.
fn merge(near: &mut Table, far: Table) {
    for (key, value) in far {
        match (near.get_mut(&key), value) {
            (None, value) => {
                near.insert(key, value);
            }
            (Some(Value::Table(near)), Value::Table(far)) => merge(near, far),
            (Some(Value::Array(near)), Value::Array(far)) => near.extend(far),
            (Some(_), _) => {}
        }
    }
}

/// Refuses a configuration of the checkout that cargo will read by itself and
/// that could name a program which no variable overrides.
fn refuse_programs(file: &Utf8Path, table: &Table) -> Result<(), LoadError> {
    let refuse = |key: String| LoadError::Refused {
        file: file.to_owned(),
        key,
        advice: "move cargo's home (CARGO_HOME) outside the checkout, or remove the key".to_owned(),
    };
    for (key, value) in table {
        let inner = |allowed: &[&str]| {
            value
                .as_table()
                .into_iter()
                .flatten()
                .find(|(name, _)| !allowed.contains(&name.as_str()))
                .map(|(name, _)| name.clone())
        };
        match key.as_str() {
            key if HARMLESS.contains(&key) => {}
            // A linker or a runner is not called for metadata.
            "target" => {}
            "source" | "registries" => {
                for (name, entry) in value.as_table().into_iter().flatten() {
                    let allowed = |key: &str| {
                        matches!(key, "index" | "protocol" | "token") || SOURCE.contains(&key)
                    };
                    if let Some((inner, _)) = entry
                        .as_table()
                        .into_iter()
                        .flatten()
                        .find(|(inner, _)| !allowed(inner))
                    {
                        return Err(refuse(format!("{key}.{name}.{inner}")));
                    }
                }
            }
            "registry" => {
                if let Some(inner) = inner(&["default", "token"]) {
                    return Err(refuse(format!("registry.{inner}")));
                }
            }
            _ => return Err(refuse(key.clone())),
        }
    }
    Ok(())
}

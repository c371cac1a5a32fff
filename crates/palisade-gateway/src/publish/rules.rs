//! The rules for what is published, those of crates.io where they are not
//! about crates.io itself. Each says what it keeps out.

use palisade_index::{Dependency, DependencyKind, Manifest, is_crate_name};
use semver::{Version, VersionReq};
use toml::{Table, Value};

use super::body::Claimed;
use crate::config::Config;
use crate::failure::Failure;

/// Names that mean something else to compilers and systems: crates of the
/// standard library, words of the language that cannot be imported, and
/// devices of Windows, which cannot unpack a directory of such a name.
const RESERVED: [&str; 44] = [
    "alloc",
    "arena",
    "ast",
    "aux",
    "builtins",
    "collections",
    "com1",
    "com2",
    "com3",
    "com4",
    "com5",
    "com6",
    "com7",
    "com8",
    "com9",
    "compiler-builtins",
    "con",
    "core",
    "crate",
    "debug",
    "driver",
    "fmt-macros",
    "grammar",
    "lpt1",
    "lpt2",
    "lpt3",
    "nul",
    "panic-abort",
    "panic-unwind",
    "prn",
    "proc-macro",
    "rustc",
    "rustc-std-workspace-core",
    "rustdoc",
    "self",
    "serialize",
    "std",
    "super",
    "syntax",
    "sysroot",
    "term",
    "test",
    "unicode",
    "unwind",
];

/// The most features. Each costs the resolver of everybody.
const FEATURES: usize = 300;
/// The most dependencies.
const DEPENDENCIES: usize = 500;
/// The most characters of a version.
const VERSION: usize = 150;
/// The most characters of a description.
const DESCRIPTION: usize = 1000;
/// The most keywords, and the most characters of one.
const KEYWORDS: (usize, usize) = (5, 20);

pub(super) fn name(name: &str) -> Result<String, Failure> {
    let shown = name.escape_debug();
    // A name becomes part of paths, addresses and file names, everywhere.
    if !is_crate_name(name) || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(Failure::bad(format!(
            "`{shown}` cannot be the name of a crate: a letter, then letters, digits, `-` and \
             `_`, all ASCII, 64 at most"
        )));
    }
    if RESERVED.contains(&palisade_index::canonical_name(name).as_str()) {
        return Err(Failure::bad(format!("the name `{shown}` is reserved")));
    }
    Ok(name.to_owned())
}

pub(super) fn version(text: &str) -> Result<Version, Failure> {
    // Versions become file names as well.
    if text.len() > VERSION {
        return Err(Failure::bad(format!(
            "the version has more than {VERSION} characters"
        )));
    }
    text.parse()
        .map_err(|error| Failure::bad(format!("the version `{}`: {error}", text.escape_debug())))
}

/// Rules for the archive's own manifest.
pub(super) fn manifest(
    manifest: &Manifest,
    name: &str,
    version: &Version,
    config: &Config,
) -> Result<(), Failure> {
    if let Some(problem) = manifest.problems.first() {
        return Err(Failure::bad(format!(
            "the archive's Cargo.toml: {}: {}",
            problem.key, problem.reason
        )));
    }
    // Otherwise a token for one crate could publish another.
    if manifest.name != name || manifest.version != *version {
        return Err(Failure::bad(format!(
            "the request is about {name} {version}, the archive's Cargo.toml about {} {}",
            manifest.name.escape_debug(),
            manifest.version
        )));
    }
    // It would replace crates for whoever builds in the unpacked directory.
    if manifest.table().contains_key("patch") {
        return Err(Failure::bad("a published Cargo.toml has no [patch]"));
    }
    if manifest.features.len() > FEATURES {
        return Err(Failure::bad(format!("more than {FEATURES} features")));
    }
    if manifest.dependencies.len() > DEPENDENCIES {
        return Err(Failure::bad(format!(
            "more than {DEPENDENCIES} dependencies"
        )));
    }
    let empty = Table::new();
    let package = manifest.table().get("package").and_then(Value::as_table);
    package_rules(package.unwrap_or(&empty), config)
}

fn package_rules(package: &Table, config: &Config) -> Result<(), Failure> {
    let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
    let description = text("description");
    if description.chars().count() > DESCRIPTION {
        return Err(Failure::bad(format!(
            "the description has more than {DESCRIPTION} characters"
        )));
    }
    let licence = text("license");
    if config.publish.require_metadata {
        let mut missing = Vec::new();
        if description.is_empty() {
            missing.push("description");
        }
        if licence.is_empty() && text("license-file").is_empty() {
            missing.push("license");
        }
        if !missing.is_empty() {
            return Err(Failure::bad(format!(
                "missing or empty in Cargo.toml: {}",
                missing.join(", ")
            )));
        }
    }
    if !licence.is_empty() && spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX).is_err() {
        return Err(Failure::bad(format!(
            "the licence `{}` is no SPDX expression, such as `MIT OR Apache-2.0`",
            licence.escape_debug()
        )));
    }
    let keywords = package.get("keywords").and_then(Value::as_array);
    let keywords = keywords.map_or(&[][..], Vec::as_slice);
    let (most, longest) = KEYWORDS;
    let odd = |keyword: &Value| {
        keyword.as_str().is_none_or(|keyword| {
            keyword.len() > longest
                || !keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
                || !keyword
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte))
        })
    };
    if keywords.len() > most || keywords.iter().any(odd) {
        return Err(Failure::bad(format!(
            "at most {most} keywords, each of at most {longest} letters, digits, `-`, `_` and `+`"
        )));
    }
    // Pages make links of them; another scheme would run as a script there.
    for key in ["homepage", "documentation", "repository"] {
        let address = text(key);
        if !address.is_empty()
            && !["https://", "http://"]
                .iter()
                .any(|scheme| address.starts_with(scheme))
        {
            return Err(Failure::bad(format!(
                "`{key}` is no address that begins with https:// or http://"
            )));
        }
    }
    Ok(())
}

/// The dependencies as the index will give them.
pub(super) fn dependencies(
    manifest: &Manifest,
    claimed: &[Claimed],
    config: &Config,
) -> Result<Vec<Dependency>, Failure> {
    let mut open: Vec<&Claimed> = claimed.iter().collect();
    let mut dependencies = Vec::new();
    for dependency in &manifest.dependencies {
        let name = dependency.package.escape_debug();
        if !is_crate_name(&dependency.package) {
            return Err(Failure::bad(format!(
                "the dependency `{name}` cannot be the name of a crate"
            )));
        }
        // Whatever is published later would fit.
        if dependency.requirement == VersionReq::STAR {
            return Err(Failure::bad(format!(
                "the dependency `{name}` accepts every version; name one"
            )));
        }
        let at = open.iter().position(|claimed| agrees(claimed, dependency));
        let Some(at) = at else {
            return Err(Failure::bad(format!(
                "the request and the archive's Cargo.toml disagree about the dependency `{name}`"
            )));
        };
        let claimed = open.swap_remove(at);
        dependencies.push(Dependency {
            registry: registry(dependency, claimed, config)?,
            ..dependency.clone()
        });
    }
    if let Some(extra) = open.first() {
        return Err(Failure::bad(format!(
            "the request has a dependency `{}` that the archive's Cargo.toml does not have",
            extra.name.escape_debug()
        )));
    }
    Ok(dependencies)
}

fn agrees(claimed: &Claimed, dependency: &Dependency) -> bool {
    let kind = match claimed.kind.as_deref() {
        Some("build") => DependencyKind::Build,
        Some("dev") => DependencyKind::Development,
        _ => DependencyKind::Normal,
    };
    let name = claimed
        .explicit_name_in_toml
        .as_ref()
        .unwrap_or(&claimed.name);
    claimed.name == dependency.package
        && *name == dependency.name
        && kind == dependency.kind
        && claimed.target == dependency.target
        && VersionReq::parse(&claimed.version_req)
            .is_ok_and(|requirement| requirement == dependency.requirement)
}

/// The registry of a dependency: none for this one. A manifest names this
/// registry, or none for cargo's default one; only the client knows the
/// default one's address.
fn registry(
    dependency: &Dependency,
    claimed: &Claimed,
    config: &Config,
) -> Result<Option<String>, Failure> {
    let own = config.index_address();
    let is_own = |address: &str| address.trim_end_matches('/') == own.trim_end_matches('/');
    let disagree = || {
        Failure::bad(format!(
            "the request and the archive's Cargo.toml disagree about the registry of `{}`; this \
             one is `{own}`",
            dependency.package
        ))
    };
    match (&dependency.registry, &claimed.registry) {
        (Some(manifest), None) if is_own(manifest) => Ok(None),
        (Some(manifest), Some(claimed)) if is_own(manifest) && is_own(claimed) => Ok(None),
        (None, Some(default)) if !is_own(default) => Ok(Some(default.clone())),
        (Some(manifest), Some(claimed)) if manifest == claimed => {
            if config.publish.registries.contains(manifest) {
                return Ok(Some(manifest.clone()));
            }
            Err(Failure::bad(format!(
                "the dependency `{}` comes from `{}`, which gateway.publish.registries does not list",
                dependency.package,
                manifest.escape_debug()
            )))
        }
        _ => Err(disagree()),
    }
}

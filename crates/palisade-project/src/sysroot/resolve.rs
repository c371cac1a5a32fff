//! The standard library's crates as units.
//!
//! They are resolved from `library/Cargo.lock` and the manifests beside it,
//! without cargo: about 25 packages, so features are found by repeating until
//! nothing changes.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_platform::Cfg;
use palisade_model::{Package as Named, PackageSource};

use super::Source;
use super::packages::{Dependency, Package};
use crate::lockfile::{Lockfile, read_lock};
use crate::plan::{Unit, UnitId, UnitKind};
use crate::{Limits, LoadError};

/// The standard library, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Std {
    /// Its crates, dependencies first.
    pub(crate) units: Vec<Unit>,
    /// Packages that it needs and that no store holds.
    pub(crate) missing: Vec<Named>,
}

/// Packages of the standard library that vendored packages call by a name on
/// the registry, so that they can be built outside it.
const WORKSPACE_PREFIX: &str = "rustc-std-workspace-";

/// The crates of the standard library as distributed for a target: unwinding
/// and backtraces on.
pub(crate) fn units(
    source: &Source,
    triple: &str,
    cfgs: &[String],
    toolchain: &semver::Version,
    limits: &Limits,
) -> Result<Std, LoadError> {
    let resolver = Resolver::new(source, triple, cfgs, limits)?;
    let (nodes, missing) = resolver.run();
    let mut units = Vec::new();
    let mut ids: BTreeMap<usize, UnitId> = BTreeMap::new();
    for index in order(&nodes) {
        let node = &nodes[&index];
        let package = &node.package;
        // A crate without content that only exists to pull in the others.
        if package.name == "sysroot" {
            continue;
        }
        let local = package.dir.starts_with(&source.library)
            && !package.dir.starts_with(source.library.join("vendor"));
        ids.insert(index, UnitId(units.len()));
        units.push(Unit {
            package: Named {
                name: package.name.clone(),
                version: if local {
                    toolchain.clone()
                } else {
                    package.version.clone()
                },
                source: PackageSource::Sysroot,
            },
            name: package.lib_name.clone(),
            kind: UnitKind::Sysroot,
            root_file: package.lib_file.clone(),
            // The crates include each other's files by relative paths.
            package_dir: if local {
                source.library.clone()
            } else {
                package.dir.clone()
            },
            edition: package.edition.clone(),
            features: node.features.iter().cloned().collect(),
            extra_cfgs: build_script_cfgs(&package.name, cfgs),
            unknown_cfgs: Vec::new(),
            env: environment(package, cfgs),
            deps: node
                .deps
                .iter()
                .filter_map(|(name, to)| {
                    let dependency = &nodes[to].package;
                    // A renamed dependency goes by its new name.
                    let renamed = package
                        .dependencies
                        .iter()
                        .any(|known| known.key == *name && known.package != known.key);
                    let name = if renamed {
                        name.replace('-', "_")
                    } else {
                        dependency.lib_name.clone()
                    };
                    Some((name, *ids.get(to)?))
                })
                .collect(),
            host: false,
            build_script: None,
        });
    }
    Ok(Std { units, missing })
}

/// What the build scripts of the standard library's own crates set.
fn build_script_cfgs(name: &str, cfgs: &[String]) -> Vec<String> {
    let flags: &[&str] = match name {
        "std" => &["backtrace_in_libstd"],
        "compiler_builtins" => {
            let aligned = ["x86_64", "x86", "aarch64", "bpf"]
                .iter()
                .all(|arch| !cfgs.contains(&format!("target_arch=\"{arch}\"")));
            let all = &[
                "intrinsics_enabled",
                "arch_enabled",
                "optimizations_enabled",
                "feature=\"unstable-intrinsics\"",
                "feature=\"mem-unaligned\"",
            ];
            if aligned { &all[..4] } else { all }
        }
        _ => &[],
    };
    flags.iter().map(|&flag| flag.to_owned()).collect()
}

fn environment(package: &Package, cfgs: &[String]) -> BTreeMap<String, String> {
    let arch = cfgs
        .iter()
        .find_map(|cfg| cfg.strip_prefix("target_arch=\"")?.strip_suffix('"'))
        .unwrap_or_default();
    [
        ("CARGO_CRATE_NAME", package.lib_name.clone()),
        ("CARGO_MANIFEST_DIR", package.dir.to_string()),
        ("CARGO_PKG_NAME", package.name.clone()),
        ("CARGO_PKG_VERSION", package.version.to_string()),
        ("STD_ENV_ARCH", arch.to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// A package in the build, by its index in the lockfile.
struct Node {
    package: Package,
    features: BTreeSet<String>,
    /// Manifest name of the dependency to lockfile index.
    deps: BTreeMap<String, usize>,
}

struct Resolver<'a> {
    lock: Lockfile,
    locals: BTreeMap<String, Utf8PathBuf>,
    source: &'a Source,
    triple: &'a str,
    cfgs: Vec<Cfg>,
    limits: &'a Limits,
}

impl<'a> Resolver<'a> {
    fn new(
        source: &'a Source,
        triple: &'a str,
        cfgs: &[String],
        limits: &'a Limits,
    ) -> Result<Self, LoadError> {
        Ok(Resolver {
            lock: read_lock(&source.library.join("Cargo.lock"), limits)?,
            locals: locals(&source.library),
            source,
            triple,
            cfgs: cfgs
                .iter()
                .filter_map(|cfg| Cfg::from_str(cfg).ok())
                .collect(),
            limits,
        })
    }

    fn run(&self) -> (BTreeMap<usize, Node>, Vec<Named>) {
        let mut nodes: BTreeMap<usize, Node> = BTreeMap::new();
        let mut missing: BTreeSet<usize> = BTreeSet::new();
        // What is still to do: a package, and features to turn on.
        let mut wanted: Vec<(usize, Vec<String>)> = self
            .lock
            .packages
            .iter()
            .position(|package| package.name == "sysroot")
            .map(|root| (root, vec!["default".to_owned(), "backtrace".to_owned()]))
            .into_iter()
            .collect();
        while let Some((index, features)) = wanted.pop() {
            if missing.contains(&index) {
                continue;
            }
            let new = !nodes.contains_key(&index);
            if new {
                let Some(package) = self.read(index) else {
                    missing.insert(index);
                    continue;
                };
                nodes.insert(
                    index,
                    Node {
                        package,
                        features: BTreeSet::new(),
                        deps: BTreeMap::new(),
                    },
                );
            }
            let Some(node) = nodes.get_mut(&index) else {
                continue;
            };
            let grown = node.enable(features);
            if new || grown {
                wanted.extend(self.follow(index, node));
            }
        }
        for node in nodes.values_mut() {
            node.deps.retain(|_, to| !missing.contains(to));
        }
        let missing = missing
            .into_iter()
            .map(|index| self.lock.packages[index].clone())
            .collect();
        (nodes, missing)
    }

    fn read(&self, index: usize) -> Option<Package> {
        let package = &self.lock.packages[index];
        let dir = if package.source == PackageSource::Path {
            self.locals.get(&package.name).cloned()
        } else {
            let name = format!("{}-{}", package.name, package.version);
            self.source
                .stores
                .iter()
                .map(|store| store.join(&name))
                .find(|dir| dir.join("Cargo.toml").is_file())
        }?;
        Package::read(&dir, self.triple, &self.cfgs, self.limits.manifest_bytes).ok()
    }

    /// Records a node's active dependencies and returns what they need.
    fn follow(&self, index: usize, node: &mut Node) -> Vec<(usize, Vec<String>)> {
        let mut wanted = Vec::new();
        for dependency in &node.package.dependencies {
            if !node.is_active(dependency) {
                continue;
            }
            let Some(to) = self.find(index, dependency) else {
                continue;
            };
            node.deps.insert(dependency.key.clone(), to);
            let mut features = dependency.features.clone();
            if dependency.default_features {
                features.push("default".to_owned());
            }
            features.extend(node.features_for(&dependency.key));
            wanted.push((to, features));
        }
        wanted
    }

    /// The locked package that a dependency means.
    fn find(&self, from: usize, dependency: &Dependency) -> Option<usize> {
        if let Some(name) = dependency.package.strip_prefix(WORKSPACE_PREFIX) {
            return self
                .lock
                .packages
                .iter()
                .position(|package| package.name == name && package.source == PackageSource::Path);
        }
        let candidates: Vec<usize> = self
            .lock
            .edges
            .iter()
            .filter(|&&(parent, to)| {
                parent == from && self.lock.packages[to].name == dependency.package
            })
            .map(|&(_, to)| to)
            .collect();
        candidates
            .iter()
            .copied()
            .find(|&to| {
                candidates.len() == 1
                    || dependency
                        .requirement
                        .as_ref()
                        .is_some_and(|req| req.matches(&self.lock.packages[to].version))
            })
            .or_else(|| candidates.first().copied())
    }
}

impl Node {
    /// Turns features on, with those that they imply; whether any was new.
    fn enable(&mut self, features: Vec<String>) -> bool {
        let mut grown = false;
        let mut wanted = features;
        while let Some(feature) = wanted.pop() {
            let Some(values) = self.package.features.get(&feature) else {
                continue;
            };
            if self.features.insert(feature) {
                grown = true;
                wanted.extend(
                    values
                        .iter()
                        .filter(|value| !value.contains(['/', ':']))
                        .cloned(),
                );
            }
        }
        grown
    }

    fn values(&self) -> impl Iterator<Item = &str> {
        self.features
            .iter()
            .filter_map(|feature| self.package.features.get(feature))
            .flatten()
            .map(String::as_str)
    }

    fn is_active(&self, dependency: &Dependency) -> bool {
        !dependency.optional
            || self.values().any(|value| {
                value.strip_prefix("dep:") == Some(&dependency.key)
                    || value
                        .split_once('/')
                        .is_some_and(|(name, _)| name == dependency.key)
            })
    }

    /// The features of a dependency that this package's features turn on.
    fn features_for(&self, key: &str) -> Vec<String> {
        self.values()
            .filter_map(|value| value.split_once('/'))
            .filter(|(name, _)| name.trim_end_matches('?') == key)
            .map(|(_, feature)| feature.to_owned())
            .collect()
    }
}

/// The packages of the `library` directory by name.
fn locals(library: &Utf8Path) -> BTreeMap<String, Utf8PathBuf> {
    let mut locals: BTreeMap<String, Utf8PathBuf> = library
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| (entry.file_name().to_owned(), entry.path().to_owned()))
        .collect();
    // Two directories are not called like their package.
    for (name, dir) in [
        ("compiler_builtins", "compiler-builtins/compiler-builtins"),
        ("windows-link", "windows_link"),
    ] {
        let dir = library.join(dir);
        if dir.is_dir() {
            locals.insert(name.to_owned(), dir);
        }
    }
    locals
}

/// Dependencies first, without recursion.
fn order(nodes: &BTreeMap<usize, Node>) -> Vec<usize> {
    let mut ordered = Vec::new();
    let mut seen = BTreeSet::new();
    let mut stack: Vec<(usize, bool)> = nodes.keys().rev().map(|&index| (index, false)).collect();
    while let Some((index, ready)) = stack.pop() {
        if ready {
            ordered.push(index);
        } else if seen.insert(index) {
            stack.push((index, true));
            stack.extend(nodes[&index].deps.values().map(|&to| (to, false)));
        }
    }
    ordered
}

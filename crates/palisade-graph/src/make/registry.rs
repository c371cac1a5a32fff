//! Plans for versions of a registry: resolved from the index, read from what
//! cargo has unpacked. Nothing is run, and no cargo looks at them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_index::{
    BuildOptions, BuiltPackages, CargoCache, FeatureResolver, IndexVersion, Manifest, Platform,
    Resolution, ResolveOptions, Resolver, Root, Target, TargetKind,
};
use palisade_model::{Package, PackageSource};
use palisade_project::{Limits, Plan, Published, Unit, UnitId, UnitKind, published_unit};
use semver::Version;

use super::work::{Piece, Work};
use crate::{Key, Origin};

/// How to choose what a version is resolved with.
#[derive(Clone, Debug)]
pub struct RegistryOptions {
    /// Versions to prefer, by the crate's name: those of a lockfile, or those
    /// whose source is there.
    pub prefer: BTreeMap<String, Vec<Version>>,
    /// How much is read of manifests and build scripts.
    pub limits: Limits,
}

impl Work {
    /// Each of these versions by itself, with its default features.
    pub fn of_registry(
        base: Plan,
        cache: &CargoCache,
        versions: &[(String, Version)],
        options: &RegistryOptions,
    ) -> Work {
        let printed = base.cfgs.join("\n");
        let build = BuildOptions::native(Platform::new(&base.triple, &printed));
        let resolver = Resolver::new(
            cache.clone(),
            ResolveOptions {
                locked: options.prefer.clone(),
                ..ResolveOptions::default()
            },
        );
        let mut planner = Planner {
            plan: base,
            cache,
            limits: &options.limits,
            packages: HashMap::new(),
            known: HashMap::new(),
        };
        let (mut pieces, mut unplanned) = (Vec::new(), Vec::new());
        for (name, version) in versions {
            let planned = resolver
                .resolve(&[Root::requiring(name, version)])
                .map_err(|error| error.to_string())
                .and_then(|resolution| planner.piece(&resolution, &build, name, version));
            match planned {
                Ok(piece) => pieces.push(piece),
                Err(reason) => {
                    let key = Key {
                        package: name.clone(),
                        version: version.to_string(),
                        features: Vec::new(),
                    };
                    unplanned.push((key, reason));
                }
            }
        }
        Work {
            plan: planner.plan,
            pieces,
            unplanned,
            program: None,
        }
    }
}

/// A package as it lies on the disk.
struct Unpacked {
    directory: Utf8PathBuf,
    manifest: Manifest,
    targets: Vec<Target>,
}

impl Unpacked {
    fn target(&self, wanted: &[TargetKind]) -> Option<&Target> {
        let mut targets = self.targets.iter();
        targets.find(|target| wanted.contains(&target.kind))
    }

    fn library(&self) -> Option<&Target> {
        self.target(&[TargetKind::Library, TargetKind::ProcMacro])
    }
}

struct Planner<'a> {
    plan: Plan,
    cache: &'a CargoCache,
    limits: &'a Limits,
    packages: HashMap<(String, Version), Option<Arc<Unpacked>>>,
    /// Units that exist, so that what is the same is loaded once.
    known: HashMap<Same, UnitId>,
}

/// What makes two units the same.
#[derive(PartialEq, Eq, Hash)]
struct Same {
    root_file: Utf8PathBuf,
    kind: UnitKind,
    features: Vec<String>,
    deps: Vec<(String, UnitId)>,
    build_script: Option<UnitId>,
}

/// What became of one built package.
#[derive(Clone, Default)]
struct Planned {
    library: Option<UnitId>,
    script: Option<UnitId>,
    /// Dependencies of the library, by the names that code uses.
    deps: Vec<(String, UnitId)>,
    /// What is not there of everything below.
    missing: BTreeSet<String>,
}

impl Planner<'_> {
    fn piece(
        &mut self,
        resolution: &Resolution,
        build: &BuildOptions,
        name: &str,
        version: &Version,
    ) -> Result<Piece, String> {
        let built = FeatureResolver::new(resolution, build, |version| {
            let unpacked = self.unpacked(&version.name, &version.version);
            unpacked.is_some_and(|unpacked| unpacked.manifest.proc_macro)
        })
        .resolve();
        let planned = self.packages(resolution, &built);
        let own = |version: &&IndexVersion, wanted: &Version| {
            version.name.eq_ignore_ascii_case(name) && version.version == *wanted
        };
        let root = built.packages.iter().position(|package| {
            let found = resolution.packages[package.package].version();
            own(&found, version)
        });
        let root = root.ok_or("nothing of it is built for this platform")?;
        let unpacked = self
            .unpacked(name, version)
            .ok_or("its source is not there")?;
        let features: Vec<String> = built.packages[root].features.iter().cloned().collect();
        let Planned {
            library,
            script,
            mut deps,
            missing,
        } = planned[root].clone();
        let mut units: Vec<UnitId> = library.into_iter().chain(script).collect();
        // The package's programs use its library by name.
        if let (Some(library), Some(target)) = (library, unpacked.library()) {
            deps.push((target.name.clone(), library));
        }
        let package = package(name, version);
        for target in &unpacked.targets {
            let enabled = target
                .required_features
                .iter()
                .all(|feature| features.contains(feature));
            if target.kind == TargetKind::Binary && enabled {
                let unit = self.unit(&package, &unpacked, target, &features, &deps, script);
                units.push(unit);
            }
        }
        if units.is_empty() {
            return Err("it has neither a library nor a program".to_owned());
        }
        Ok(Piece {
            key: Key {
                package: name.to_owned(),
                version: version.to_string(),
                features,
            },
            origin: Origin::Registry,
            units,
            missing: missing.into_iter().collect(),
        })
    }

    /// Units for everything that is built, dependencies first.
    fn packages(&mut self, resolution: &Resolution, built: &BuiltPackages) -> Vec<Planned> {
        let mut planned: Vec<Option<Planned>> = vec![None; built.packages.len()];
        let mut entered = vec![false; built.packages.len()];
        let mut todo: Vec<(usize, bool)> =
            (0..built.packages.len()).map(|at| (at, false)).collect();
        while let Some((at, ready)) = todo.pop() {
            let package = &built.packages[at];
            if ready {
                let version = resolution.packages[package.package].version();
                planned[at] = Some(self.package(version, package, &planned, resolution, built));
            } else if !std::mem::replace(&mut entered[at], true) {
                todo.push((at, true));
                let below = package
                    .dependencies
                    .iter()
                    .chain(&package.build_dependencies);
                todo.extend(below.map(|(_, to)| (*to, false)));
            }
        }
        planned.into_iter().map(Option::unwrap_or_default).collect()
    }

    fn package(
        &mut self,
        version: &IndexVersion,
        built: &palisade_index::BuiltPackage,
        planned: &[Option<Planned>],
        resolution: &Resolution,
        all: &BuiltPackages,
    ) -> Planned {
        let mut result = Planned::default();
        let mut named = |this: &mut Self, edges: &[(String, usize)]| {
            let mut deps = Vec::new();
            for (name, to) in edges {
                let Some(below) = &planned[*to] else {
                    continue;
                };
                result.missing.extend(below.missing.iter().cloned());
                let Some(library) = below.library else {
                    continue;
                };
                let found = resolution.packages[all.packages[*to].package].version();
                // A dependency that keeps its package's name goes by the name
                // of the library, which may be another one.
                let target = this.unpacked(&found.name, &found.version);
                let target = target.as_ref().and_then(|unpacked| unpacked.library());
                let name = match target {
                    Some(target) if *name == found.name => target.name.clone(),
                    _ => name.replace('-', "_"),
                };
                deps.push((name, library));
            }
            deps
        };
        let deps = named(self, &built.dependencies);
        let build_deps = named(self, &built.build_dependencies);
        let Some(unpacked) = self.unpacked(&version.name, &version.version) else {
            result
                .missing
                .insert(format!("{} {}", version.name, version.version));
            return result;
        };
        let features: Vec<String> = built.features.iter().cloned().collect();
        let package = package(&version.name, &version.version);
        result.script = unpacked
            .target(&[TargetKind::BuildScript])
            .map(|script| self.unit(&package, &unpacked, script, &features, &build_deps, None));
        result.library = unpacked.library().map(|library| {
            self.unit(
                &package,
                &unpacked,
                library,
                &features,
                &deps,
                result.script,
            )
        });
        result.deps = deps;
        result
    }

    fn unit(
        &mut self,
        package: &Package,
        unpacked: &Unpacked,
        target: &Target,
        features: &[String],
        deps: &[(String, UnitId)],
        build_script: Option<UnitId>,
    ) -> UnitId {
        let kind = match target.kind {
            TargetKind::Library => UnitKind::Lib,
            TargetKind::ProcMacro => UnitKind::ProcMacro,
            TargetKind::BuildScript => UnitKind::BuildScript,
            _ => UnitKind::Bin,
        };
        let same = Same {
            root_file: unpacked.directory.join(&target.path),
            kind,
            features: features.to_vec(),
            deps: deps.to_vec(),
            build_script,
        };
        if let Some(&known) = self.known.get(&same) {
            return known;
        }
        let unit: Unit = published_unit(
            &self.plan,
            Published {
                package: package.clone(),
                manifest: unpacked.manifest.table(),
                package_dir: unpacked.directory.clone(),
                name: &target.name,
                kind,
                root_file: &target.path,
                edition: &target.edition,
                features: features.to_vec(),
                deps: deps.to_vec(),
                build_script,
            },
            self.limits,
        );
        self.plan.units.push(unit);
        let id = UnitId(self.plan.units.len() - 1);
        self.known.insert(same, id);
        id
    }

    /// The package as it lies on the disk; `None` where it does not, or where
    /// its manifest cannot be read.
    fn unpacked(&mut self, name: &str, version: &Version) -> Option<Arc<Unpacked>> {
        let key = (name.to_owned(), version.clone());
        if let Some(known) = self.packages.get(&key) {
            return known.clone();
        }
        let read = || {
            let directory = self.cache.unpacked(name, version)?;
            let text = std::fs::read_to_string(directory.join("Cargo.toml")).ok()?;
            let manifest = Manifest::parse(&text).ok()?;
            let paths = paths(&directory);
            let targets = manifest.targets(paths.iter().map(String::as_str));
            Some(Arc::new(Unpacked {
                directory,
                manifest,
                targets,
            }))
        };
        let found = read();
        self.packages.insert(key, found.clone());
        found
    }
}

fn package(name: &str, version: &Version) -> Package {
    Package {
        name: name.to_owned(),
        version: version.clone(),
        source: PackageSource::CratesIo,
    }
}

/// Where cargo looks for crates that a manifest does not list, and `build.rs`.
fn paths(directory: &Utf8Path) -> Vec<String> {
    let mut paths = Vec::new();
    for below in ["", "src", "src/bin"] {
        let entries = directory.join(below).read_dir_utf8().into_iter().flatten();
        for entry in entries.flatten() {
            let path = match below {
                "" => entry.file_name().to_owned(),
                _ => format!("{below}/{}", entry.file_name()),
            };
            if below == "src/bin" && entry.path().join("main.rs").is_file() {
                paths.push(format!("{path}/main.rs"));
            }
            if entry.path().is_file() {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths
}

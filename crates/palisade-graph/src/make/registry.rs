//! Plans for versions of a registry: resolved from the index, read from their
//! archives. Nothing is unpacked or run, and no cargo looks at them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use palisade_archive::{CrateArchive, CrateName, ReadOptions};
use palisade_index::{
    Archives, BuildOptions, BuiltPackages, FeatureResolver, IndexError, IndexVersion, Manifest,
    Platform, Resolution, ResolveError, ResolveOptions, Resolver, Root, Target, TargetKind,
};
use palisade_model::{Package, PackageSource};
use palisade_project::{
    Limits, PackageFiles, Plan, Published, Unit, UnitId, UnitKind, published_unit,
};
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
    ///
    /// # Errors
    /// The registry cannot be asked at all. What is wrong with one version is
    /// in [`Work::unplanned`] instead.
    pub fn of_registry(
        base: Plan,
        archives: &dyn Archives,
        versions: &[(String, Version)],
        options: &RegistryOptions,
    ) -> Result<Work, IndexError> {
        let printed = base.cfgs.join("\n");
        let build = BuildOptions::native(Platform::new(&base.triple, &printed));
        let resolver = Resolver::new(
            archives,
            ResolveOptions {
                locked: options.prefer.clone(),
                ..ResolveOptions::default()
            },
        );
        let mut planner = Planner {
            plan: base,
            archives,
            limits: &options.limits,
            packages: HashMap::new(),
            stopped: None,
            known: HashMap::new(),
        };
        let (mut pieces, mut unplanned) = (Vec::new(), Vec::new());
        for (name, version) in versions {
            let planned = match resolver.resolve(&[Root::requiring(name, version)]) {
                Ok(resolution) => planner.piece(&resolution, &build, name, version)?,
                Err(ResolveError::Registry { source, .. }) if is_lasting(&source) => {
                    return Err(source);
                }
                Err(error) => Err(error.to_string()),
            };
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
        Ok(Work {
            plan: planner.plan,
            pieces,
            unplanned,
            program: None,
        })
    }
}

/// Whether an error would meet the next version as well: the registry cannot
/// be reached, or the disk is full.
fn is_lasting(error: &IndexError) -> bool {
    matches!(
        error,
        IndexError::Fetch { .. }
            | IndexError::Write { .. }
            | IndexError::Status {
                status: 401 | 403 | 500..,
                ..
            }
    )
}

/// A package as it lies in its archive.
struct Unpacked {
    archive: Utf8PathBuf,
    manifest: Manifest,
    targets: Vec<Target>,
    /// What its build script may be made of, by path; nothing without one.
    texts: BTreeMap<String, String>,
}

impl PackageFiles for Unpacked {
    fn text(&self, file: &Utf8Path, limit: u64) -> Option<String> {
        let path = file.strip_prefix(&self.archive).ok()?;
        let text = self.texts.get(path.as_str())?;
        (text.len() as u64 <= limit).then(|| text.clone())
    }

    fn contains(&self, file: &Utf8Path) -> bool {
        let path = file.strip_prefix(&self.archive);
        path.is_ok_and(|path| self.texts.contains_key(path.as_str()))
    }
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
    archives: &'a dyn Archives,
    limits: &'a Limits,
    packages: HashMap<(String, Version), Result<Arc<Unpacked>, String>>,
    /// Why the registry can no longer be asked.
    stopped: Option<IndexError>,
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
    ) -> Result<Result<Piece, String>, IndexError> {
        let built = FeatureResolver::new(resolution, build, |version| {
            let unpacked = self.unpacked(version);
            unpacked.is_ok_and(|unpacked| unpacked.manifest.proc_macro)
        })
        .resolve();
        let planned = self.packages(resolution, &built);
        let piece = self.piece_of(resolution, &built, planned, name, version);
        match self.stopped.take() {
            Some(error) => Err(error),
            None => Ok(piece),
        }
    }

    fn piece_of(
        &mut self,
        resolution: &Resolution,
        built: &BuiltPackages,
        planned: Vec<Planned>,
        name: &str,
        version: &Version,
    ) -> Result<Piece, String> {
        let own = |version: &&IndexVersion, wanted: &Version| {
            version.name.eq_ignore_ascii_case(name) && version.version == *wanted
        };
        let root = built.packages.iter().position(|package| {
            let found = resolution.packages[package.package].version();
            own(&found, version)
        });
        let root = root.ok_or("nothing of it is built for this platform")?;
        let found = resolution.packages[built.packages[root].package].version();
        let unpacked = self.unpacked(found)?;
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
                let target = this.unpacked(found).ok();
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
        let Ok(unpacked) = self.unpacked(version) else {
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
            root_file: unpacked.archive.join(&target.path),
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
                package_dir: unpacked.archive.clone(),
                name: &target.name,
                kind,
                root_file: &target.path,
                edition: &target.edition,
                features: features.to_vec(),
                deps: deps.to_vec(),
                build_script,
                files: unpacked,
            },
            self.limits,
        );
        self.plan.units.push(unit);
        let id = UnitId(self.plan.units.len() - 1);
        self.known.insert(same, id);
        id
    }

    /// The package as it lies in its archive.
    ///
    /// # Errors
    /// Why there is none, or none that can be read.
    fn unpacked(&mut self, version: &IndexVersion) -> Result<Arc<Unpacked>, String> {
        let key = (version.name.clone(), version.version.clone());
        if let Some(known) = self.packages.get(&key) {
            return known.clone();
        }
        let found = match self.archives.archive_file(version) {
            Ok(Some(archive)) => unpack(archive, version),
            Ok(None) => Err("its archive is not there".to_owned()),
            Err(error) => {
                let reason = error.to_string();
                if is_lasting(&error) {
                    self.stopped = Some(error);
                }
                Err(reason)
            }
        };
        self.packages.insert(key, found.clone());
        found
    }
}

fn unpack(archive: Utf8PathBuf, version: &IndexVersion) -> Result<Arc<Unpacked>, String> {
    let expected = CrateName {
        name: version.name.clone(),
        version: version.version.clone(),
    };
    // Versions that were published under older rules are read as well.
    let options = ReadOptions::lenient().expecting(expected);
    let tree = CrateArchive::open(&archive, &options)
        .map_err(|error| format!("its archive cannot be read: {error}"))?
        .into_tree();
    let text = tree.manifest_path().and_then(|path| tree.text(path));
    let text = text.ok_or("its archive has no manifest")?;
    let manifest =
        Manifest::parse(text).map_err(|error| format!("its manifest cannot be read: {error}"))?;
    let targets = manifest.targets(tree.paths());
    let has_script = targets.iter().any(|it| it.kind == TargetKind::BuildScript);
    let paths = tree
        .paths()
        .filter(|path| has_script && (path.ends_with(".rs") || tree.manifest_path() == Some(path)));
    let texts = paths
        .filter_map(|path| Some((path.to_owned(), tree.text(path)?.to_owned())))
        .collect();
    Ok(Arc::new(Unpacked {
        archive,
        manifest,
        targets,
        texts,
    }))
}

fn package(name: &str, version: &Version) -> Package {
    Package {
        name: name.to_owned(),
        version: version.clone(),
        source: PackageSource::CratesIo,
    }
}

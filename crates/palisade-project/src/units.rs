//! From resolved packages to units: one per crate that the compiler would see.
//!
//! cargo compiles a package once for the target and once for the host when the
//! two differ in features or dependencies. Where they coincide, one unit
//! stands for both, which halves the work of everything that comes after.

use std::collections::{BTreeMap, HashMap, HashSet};

use camino::Utf8Path;
use guppy::DependencyKind;
use guppy::graph::cargo::{BuildPlatform, CargoSet};
use guppy::graph::feature::{FeatureLabel, FeatureSet};
use guppy::graph::{
    BuildTarget, BuildTargetId, BuildTargetKind, PackageLink, PackageMetadata, PackageSource,
};
use guppy::platform::{EnabledTernary, PlatformSpec};
use guppy::{PackageId, graph::PackageGraph};
use palisade_model::Package;

use crate::build_cfg::{self, Probe};
use crate::environment;
use crate::lockfile::source_kind;
use crate::plan::{Diagnostic, Unit, UnitId, UnitKind};
use crate::{Limits, OnDisk, manifest};

/// What a unit is made from, apart from test variants and executables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key<'g> {
    package: &'g PackageId,
    platform: BuildPlatform,
    build_script: bool,
}

/// What the units of one workspace are built from.
pub(crate) struct Context<'a, 'g> {
    pub(crate) graph: &'g PackageGraph,
    pub(crate) resolved: &'a CargoSet<'g>,
    pub(crate) target: &'a PlatformSpec,
    pub(crate) host: &'a PlatformSpec,
    /// Whether target and host are the same machine.
    pub(crate) native: bool,
    pub(crate) cfgs: &'a [String],
    pub(crate) host_cfgs: &'a [String],
    pub(crate) triple: &'a str,
    pub(crate) host_triple: &'a str,
    pub(crate) toolchain: &'a semver::Version,
    pub(crate) limits: &'a Limits,
}

/// Collects units, dependencies first.
pub(crate) struct Units<'a, 'g> {
    context: Context<'a, 'g>,
    units: Vec<Unit>,
    ids: HashMap<Key<'g>, UnitId>,
    build_cfgs: HashMap<(&'g PackageId, BuildPlatform), build_cfg::Outcome>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a, 'g> Units<'a, 'g> {
    /// Starts after the units that exist already.
    pub(crate) fn new(context: Context<'a, 'g>, units: Vec<Unit>) -> Self {
        Units {
            context,
            units,
            ids: HashMap::new(),
            build_cfgs: HashMap::new(),
            diagnostics: Vec::new(),
        }
    }

    /// The units and what was wrong on the way.
    pub(crate) fn finish(self) -> (Vec<Unit>, Vec<Diagnostic>) {
        (self.units, self.diagnostics)
    }

    /// The features of a package on the target, sorted; `None` when it is not
    /// built for it.
    pub(crate) fn features(&self, package: PackageMetadata<'g>) -> Option<Vec<String>> {
        self.features_on(package, platform_of(package))
    }

    /// The unit of a member's library; `None` when it has none.
    pub(crate) fn library(&mut self, package: PackageMetadata<'g>) -> Option<UnitId> {
        library_of(package)?;
        let key = Key {
            package: package.id(),
            platform: platform_of(package),
            build_script: false,
        };
        Some(self.build(key))
    }

    /// The unit of a member's executable: a binary, a test, a bench, an
    /// example, or with `as_test` the unit tests of a library or binary.
    pub(crate) fn executable(
        &mut self,
        package: PackageMetadata<'g>,
        target: &BuildTarget<'g>,
        as_test: bool,
    ) -> UnitId {
        let platform = platform_of(package);
        let kind = if as_test {
            UnitKind::Test
        } else {
            match target.id() {
                BuildTargetId::Binary(_) => UnitKind::Bin,
                BuildTargetId::Test(_) => UnitKind::Test,
                BuildTargetId::Benchmark(_) => UnitKind::Bench,
                BuildTargetId::Example(_) => UnitKind::Example,
                BuildTargetId::Library => UnitKind::Lib,
                _ => UnitKind::BuildScript,
            }
        };
        let mut deps = self.edges(package, platform, DependencyKind::Normal);
        if kind != UnitKind::Bin {
            deps.extend(self.edges(package, platform, DependencyKind::Development));
        }
        let mut ids: Vec<(String, UnitId)> = Vec::new();
        // A binary sees its own package's library; the unit tests of the
        // library are that library.
        if target.id() != BuildTargetId::Library
            && let Some(library) = library_of(package)
            && let Some(id) = self.library(package)
        {
            ids.push((crate_name(library.name()), id));
        }
        for (name, key) in deps {
            let id = self.build(key);
            if !ids.iter().any(|(known, _)| *known == name) {
                ids.push((name, id));
            }
        }
        let build_script = self.build_script(package, platform);
        let mut unit = self.unit(package, target, kind, platform, ids, build_script);
        if matches!(kind, UnitKind::Test | UnitKind::Bench) {
            unit.extra_cfgs.push("test".to_owned());
        }
        self.push(unit)
    }

    /// The unit for a key, and before it those it depends on; without
    /// recursion, as a checkout may chain any number of packages.
    fn build(&mut self, key: Key<'g>) -> UnitId {
        let mut stack = vec![(key, false)];
        while let Some((key, ready)) = stack.pop() {
            if self.ids.contains_key(&key) {
                continue;
            }
            let dependencies = self.dependencies(key);
            if !ready {
                stack.push((key, true));
                // A host unit is compared with the target's, so that comes
                // first.
                let needed = dependencies
                    .into_iter()
                    .map(|(_, key)| key)
                    .chain(self.script_of(key))
                    .chain(self.counterpart(key));
                for needed in needed.collect::<Vec<_>>() {
                    if !self.ids.contains_key(&needed) && !stack.contains(&(needed, true)) {
                        stack.push((needed, false));
                    }
                }
                continue;
            }
            let Some((package, target)) = self.crate_of(key) else {
                continue;
            };
            let deps = dependencies
                .into_iter()
                .filter_map(|(name, key)| Some((name, *self.ids.get(&key)?)))
                .collect();
            let build_script = self
                .script_of(key)
                .and_then(|script| self.ids.get(&script).copied());
            let kind = if key.build_script {
                UnitKind::BuildScript
            } else if matches!(target.kind(), BuildTargetKind::ProcMacro) {
                UnitKind::ProcMacro
            } else {
                UnitKind::Lib
            };
            let unit = self.unit(package, &target, kind, key.platform, deps, build_script);
            let twin = self
                .counterpart(key)
                .and_then(|twin| self.ids.get(&twin).copied())
                .filter(|&twin| interchangeable(&self.units[twin.0], &unit));
            let id = match twin {
                Some(twin) => twin,
                None => self.push(unit),
            };
            self.ids.insert(key, id);
        }
        self.ids[&key]
    }

    /// The same crate for the target, for a key for the host that could be the
    /// same unit.
    fn counterpart(&self, key: Key<'g>) -> Option<Key<'g>> {
        let on_target = Key {
            platform: BuildPlatform::Target,
            ..key
        };
        let package = self.context.graph.metadata(key.package).ok()?;
        let built = self.features_on(package, BuildPlatform::Target).is_some();
        (key.platform == BuildPlatform::Host
            && self.context.native
            && !package.is_proc_macro()
            && built)
            .then_some(on_target)
    }

    /// What a crate links against, by the names that its code uses.
    fn dependencies(&self, key: Key<'g>) -> Vec<(String, Key<'g>)> {
        let Ok(package) = self.context.graph.metadata(key.package) else {
            return Vec::new();
        };
        if key.build_script {
            return self.edges(package, key.platform, DependencyKind::Build);
        }
        self.edges(package, key.platform, DependencyKind::Normal)
    }

    fn script_key(&self, package: PackageMetadata<'g>, platform: BuildPlatform) -> Option<Key<'g>> {
        package.has_build_script().then(|| Key {
            package: package.id(),
            platform,
            build_script: true,
        })
    }

    /// The build script that must run before a library is compiled.
    fn script_of(&self, key: Key<'g>) -> Option<Key<'g>> {
        let package = self.context.graph.metadata(key.package).ok()?;
        self.script_key(package, key.platform)
            .filter(|_| !key.build_script)
    }

    fn build_script(
        &mut self,
        package: PackageMetadata<'g>,
        platform: BuildPlatform,
    ) -> Option<UnitId> {
        let key = self.script_key(package, platform)?;
        Some(self.build(key))
    }

    fn crate_of(&self, key: Key<'g>) -> Option<(PackageMetadata<'g>, BuildTarget<'g>)> {
        let package = self.context.graph.metadata(key.package).ok()?;
        let target = if key.build_script {
            package.build_target(&BuildTargetId::BuildScript)?
        } else {
            library_of(package)?
        };
        Some((package, target))
    }

    /// The enabled dependencies of one kind that have a library.
    fn edges(
        &self,
        package: PackageMetadata<'g>,
        platform: BuildPlatform,
        kind: DependencyKind,
    ) -> Vec<(String, Key<'g>)> {
        let features = self.context.resolved.platform_features(platform);
        let spec = match (kind, platform) {
            (DependencyKind::Build, _) | (_, BuildPlatform::Host) => self.context.host,
            _ => self.context.target,
        };
        let mut edges: Vec<(String, Key<'g>)> = package
            .direct_links()
            .filter(|link| is_enabled(features, link, kind, spec))
            .filter(|link| library_of(link.to()).is_some())
            .map(|link| {
                let on_host = kind == DependencyKind::Build || link.to().is_proc_macro();
                let key = Key {
                    package: link.to().id(),
                    platform: if on_host {
                        BuildPlatform::Host
                    } else {
                        platform
                    },
                    build_script: false,
                };
                (crate_name(link.resolved_name()), key)
            })
            .collect();
        edges.sort_by(|(left, _), (right, _)| left.cmp(right));
        edges
    }

    fn features_on(
        &self,
        package: PackageMetadata<'g>,
        platform: BuildPlatform,
    ) -> Option<Vec<String>> {
        let list = self
            .context
            .resolved
            .platform_features(platform)
            .features_for(package.id())
            .ok()??;
        let mut features: Vec<String> = list.named_features().map(str::to_owned).collect();
        features.sort();
        Some(features)
    }

    fn unit(
        &mut self,
        package: PackageMetadata<'g>,
        target: &BuildTarget<'g>,
        kind: UnitKind,
        platform: BuildPlatform,
        deps: Vec<(String, UnitId)>,
        build_script: Option<UnitId>,
    ) -> Unit {
        let features = self.features_on(package, platform).unwrap_or_default();
        let outcome = if kind == UnitKind::BuildScript {
            build_cfg::Outcome::default()
        } else {
            self.build_cfg(package, platform, &features)
        };
        let name = crate_name(target.name());
        Unit {
            package: package_of(package),
            env: environment::of(package, target, &name),
            name,
            kind,
            root_file: target.path().to_owned(),
            package_dir: manifest::parent(package.manifest_path()),
            edition: target.edition().to_owned(),
            features,
            extra_cfgs: outcome.cfgs,
            unknown_cfgs: outcome.unknown,
            deps,
            host: platform == BuildPlatform::Host || kind == UnitKind::BuildScript,
            build_script,
        }
    }

    /// The configuration flags that the package's build script sets, once per
    /// package and platform.
    fn build_cfg(
        &mut self,
        package: PackageMetadata<'g>,
        platform: BuildPlatform,
        features: &[String],
    ) -> build_cfg::Outcome {
        let Some(script) = package.build_target(&BuildTargetId::BuildScript) else {
            return build_cfg::Outcome::default();
        };
        if let Some(known) = self.build_cfgs.get(&(package.id(), platform)) {
            return known.clone();
        }
        let (triple, cfgs) = match platform {
            BuildPlatform::Target => (self.context.triple, self.context.cfgs),
            BuildPlatform::Host => (self.context.host_triple, self.context.host_cfgs),
        };
        let outcome = build_cfg::evaluate(
            script.path(),
            &Probe {
                name: package.name(),
                version: package.version(),
                toolchain: self.context.toolchain,
                triple,
                cfgs,
                features,
            },
            &OnDisk,
            self.context.limits,
        );
        self.build_cfgs
            .insert((package.id(), platform), outcome.clone());
        outcome
    }

    fn push(&mut self, unit: Unit) -> UnitId {
        if !unit.root_file.is_file() {
            self.diagnostics.push(Diagnostic {
                file: unit.root_file.clone(),
                message: format!(
                    "the root of the crate `{}` of {} does not exist",
                    unit.name, unit.package
                ),
                hint: Some(missing_source_hint(&unit.package_dir)),
            });
        }
        self.units.push(unit);
        UnitId(self.units.len() - 1)
    }

    /// The build scripts and procedural macros that run when a unit is built,
    /// their own included.
    pub(crate) fn build_units(&self, unit: UnitId) -> Vec<UnitId> {
        let mut seen: HashSet<UnitId> = HashSet::new();
        let mut stack = vec![unit];
        let mut found = Vec::new();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) {
                continue;
            }
            let current = &self.units[id.0];
            if id != unit && matches!(current.kind, UnitKind::BuildScript | UnitKind::ProcMacro) {
                found.push(id);
            }
            stack.extend(current.deps.iter().map(|&(_, dep)| dep));
            stack.extend(current.build_script);
        }
        found.sort();
        found
    }
}

/// A package as the rest of Palisade names it.
pub(crate) fn package_of(package: PackageMetadata<'_>) -> Package {
    Package {
        name: package.name().to_owned(),
        version: package.version().clone(),
        source: match package.source() {
            PackageSource::External(source) => source_kind(Some(source)),
            _ => source_kind(None),
        },
    }
}

/// Whether two units of one crate would compile to the same thing.
fn interchangeable(target: &Unit, host: &Unit) -> bool {
    target.features == host.features
        && target.deps == host.deps
        && target.extra_cfgs == host.extra_cfgs
        && target.unknown_cfgs == host.unknown_cfgs
        && target.build_script == host.build_script
}

/// Whether a dependency is part of the build, as guppy itself decides while it
/// walks: optional ones when their feature is on.
fn is_enabled(
    features: &FeatureSet<'_>,
    link: &PackageLink<'_>,
    kind: DependencyKind,
    platform: &PlatformSpec,
) -> bool {
    let status = link.req_for_kind(kind).status();
    let optional = features
        .contains((
            link.from().id(),
            FeatureLabel::OptionalDependency(link.dep_name()),
        ))
        // A dependency that nobody declared optional has no such feature.
        .unwrap_or(false);
    let enabled = if optional {
        status.enabled_on(platform)
    } else {
        status.required_on(platform)
    };
    enabled != EnabledTernary::Disabled
}

fn library_of(package: PackageMetadata<'_>) -> Option<BuildTarget<'_>> {
    package.build_target(&BuildTargetId::Library)
}

fn platform_of(package: PackageMetadata<'_>) -> BuildPlatform {
    if package.is_proc_macro() {
        BuildPlatform::Host
    } else {
        BuildPlatform::Target
    }
}

/// A crate's name as code writes it.
pub(crate) fn crate_name(name: &str) -> String {
    name.replace('-', "_")
}

fn missing_source_hint(package_dir: &Utf8Path) -> String {
    if package_dir.is_dir() {
        "restore the file, or correct the path in the package's Cargo.toml".to_owned()
    } else {
        "run `cargo fetch`".to_owned()
    }
}

/// Environment variables by name.
pub(crate) type Environment = BTreeMap<String, String>;

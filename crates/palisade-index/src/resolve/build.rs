//! What is really built: which packages and with which features, for some
//! platforms.

use std::collections::{BTreeMap, BTreeSet};

use super::{Platform, Requested, Resolution, ResolvedDependency};
use crate::feature::{FeatureValue, Features};
use crate::{Dependency, DependencyKind, IndexVersion};

/// What to build for.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Whether features are kept apart where they need not be shared: between
    /// what runs on the host and what does not, between platforms, and from
    /// what only development needs. Cargo's resolvers 2 and 3 do, resolver 1
    /// does not. The workspace that builds decides, not the packages.
    pub separate: bool,
    /// The platforms to build for.
    pub targets: Vec<Platform>,
    /// The platform to build on, where build scripts and macros run.
    pub host: Platform,
    /// Whether tests and examples of the roots are built.
    pub development: bool,
}

impl BuildOptions {
    /// A build for and on one platform, as a new workspace would.
    pub fn native(platform: Platform) -> BuildOptions {
        BuildOptions {
            separate: true,
            targets: vec![platform.clone()],
            host: platform,
            development: false,
        }
    }
}

/// Everything that is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuiltPackages {
    /// Each package, once for the targets and once for the host where both
    /// need it; in the order of the resolution, the host's behind.
    pub packages: Vec<BuiltPackage>,
    /// What each root depends on: the name that it calls the dependency and
    /// its place in [`BuiltPackages::packages`].
    pub roots: Vec<Vec<(String, usize)>>,
}

/// A package as it is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltPackage {
    /// Its place in [`Resolution::packages`].
    pub package: usize,
    /// Whether it is built for the host: a build script's or a macro's
    /// dependency, or a macro itself.
    pub host: bool,
    /// The features that are enabled.
    pub features: BTreeSet<String>,
    /// What its library depends on: the name that it calls the dependency and
    /// its place in [`BuiltPackages::packages`].
    pub dependencies: Vec<(String, usize)>,
    /// The same for its build script.
    pub build_dependencies: Vec<(String, usize)>,
}

/// A root or a package, by its place: packages first, then roots.
type Node = usize;
/// A node, and whether it is for the host.
type Unit = (Node, bool);

/// Works out features for a build.
pub struct FeatureResolver<'a> {
    resolution: &'a Resolution,
    options: &'a BuildOptions,
    proc_macro: Vec<bool>,
    features: BTreeMap<Unit, BTreeSet<String>>,
    /// Optional dependencies that are enabled, by name.
    enabled: BTreeMap<Unit, BTreeSet<String>>,
    /// Features of optional dependencies that wait for these to be enabled.
    waiting: BTreeMap<(Unit, String), BTreeSet<String>>,
    seen: BTreeSet<Unit>,
    tasks: Vec<Task>,
}

enum Task {
    Package(Unit, Vec<FeatureValue>),
    Value(Unit, FeatureValue),
}

impl<'a> FeatureResolver<'a> {
    /// For a resolution. An index does not say which packages are procedural
    /// macros; `is_proc_macro` is asked once for each.
    pub fn new(
        resolution: &'a Resolution,
        options: &'a BuildOptions,
        mut is_proc_macro: impl FnMut(&IndexVersion) -> bool,
    ) -> FeatureResolver<'a> {
        let packages = resolution.packages.iter();
        FeatureResolver {
            resolution,
            options,
            proc_macro: packages
                .map(|package| is_proc_macro(package.version()))
                .collect(),
            features: BTreeMap::new(),
            enabled: BTreeMap::new(),
            waiting: BTreeMap::new(),
            seen: BTreeSet::new(),
            tasks: Vec::new(),
        }
    }

    /// The packages that are built.
    pub fn resolve(mut self) -> BuiltPackages {
        for at in 0..self.resolution.requested.len() {
            let root = self.resolution.packages.len() + at;
            let values = self.asked_of_root(at);
            self.tasks.push(Task::Package((root, false), values));
        }
        // Enabling only ever adds, so the order does not matter.
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Package(unit, values) => self.package(unit, values),
                Task::Value(unit, value) => self.value(unit, value),
            }
        }
        self.collect()
    }

    fn asked_of_root(&self, at: usize) -> Vec<FeatureValue> {
        let root = &self.resolution.requested[at];
        let feature = |name: &String| FeatureValue::parse(name);
        match &root.requested {
            Requested::All => {
                let optional = root.dependencies.iter().filter(|known| known.optional);
                let optional = optional.map(|known| FeatureValue::Dependency(known.name.clone()));
                root.features.keys().map(feature).chain(optional).collect()
            }
            Requested::Some { features, default } => {
                let default = *default && root.features.contains_key("default");
                let default = default.then(|| FeatureValue::parse("default"));
                features.iter().map(feature).chain(default).collect()
            }
        }
    }

    fn package(&mut self, unit: Unit, values: Vec<FeatureValue>) {
        let key = self.key(unit);
        self.features.entry(key).or_default();
        self.tasks
            .extend(values.into_iter().map(|value| Task::Value(unit, value)));
        if !self.seen.insert(unit) {
            return;
        }
        for (edge, to) in self.edges(unit) {
            let dependency = self.dependency(unit.0, edge);
            if !dependency.optional {
                let values = self.asked(dependency, edge.package);
                self.tasks.push(Task::Package(to, values));
            }
        }
    }

    fn value(&mut self, unit: Unit, value: FeatureValue) {
        match value {
            FeatureValue::Feature(name) => self.feature(unit, name),
            FeatureValue::Dependency(name) => self.enable(unit, &name),
            FeatureValue::DependencyFeature {
                dependency,
                feature,
                weak,
            } => {
                self.dependency_feature(unit, &dependency, &feature, weak);
            }
        }
    }

    fn feature(&mut self, unit: Unit, name: String) {
        let values = self.parts(unit.0).1.get(&name).cloned().unwrap_or_default();
        let key = self.key(unit);
        if self.features.entry(key).or_default().insert(name) {
            self.tasks
                .extend(values.into_iter().map(|value| Task::Value(unit, value)));
        }
    }

    fn enable(&mut self, unit: Unit, name: &str) {
        let key = self.key(unit);
        let new = self.enabled.entry(key).or_default().insert(name.to_owned());
        let waiting = self.waiting.remove(&(unit, name.to_owned()));
        if !new && waiting.is_none() {
            return;
        }
        for (edge, to) in self.edges(unit) {
            let dependency = self.dependency(unit.0, edge);
            if dependency.name != name {
                continue;
            }
            let mut values = self.asked(dependency, edge.package);
            let waiting = waiting.iter().flatten();
            values.extend(waiting.map(|feature| FeatureValue::parse(feature)));
            self.tasks.push(Task::Package(to, values));
        }
    }

    fn dependency_feature(&mut self, unit: Unit, name: &str, feature: &str, weak: bool) {
        for (edge, to) in self.edges(unit) {
            let dependency = self.dependency(unit.0, edge);
            if dependency.name != name {
                continue;
            }
            if dependency.optional {
                let key = self.key(unit);
                let enabled = self
                    .enabled
                    .get(&key)
                    .is_some_and(|names| names.contains(name));
                if weak && !enabled {
                    let waiting = self.waiting.entry((unit, name.to_owned())).or_default();
                    waiting.insert(feature.to_owned());
                    continue;
                }
                let itself = FeatureValue::Dependency(name.to_owned());
                self.tasks.push(Task::Value(unit, itself));
                if !weak && self.parts(unit.0).1.contains_key(name) {
                    let same = FeatureValue::Feature(name.to_owned());
                    self.tasks.push(Task::Value(unit, same));
                }
            }
            self.tasks
                .push(Task::Value(to, FeatureValue::parse(feature)));
        }
    }

    /// The features that a dependency asks for.
    fn asked(&self, dependency: &Dependency, package: usize) -> Vec<FeatureValue> {
        let has_default = self.parts(package).1.contains_key("default");
        let default = (dependency.default_features && has_default).then(|| "default".to_owned());
        dependency
            .features
            .iter()
            .chain(&default)
            .map(|name| FeatureValue::parse(name))
            .collect()
    }

    /// The unit under which features are kept.
    fn key(&self, (node, host): Unit) -> Unit {
        (node, host && self.options.separate)
    }

    /// The dependencies of a unit that count for features, and their units.
    fn edges(&self, unit: Unit) -> Vec<(ResolvedDependency, Unit)> {
        let separate = self.options.separate;
        self.resolved(unit.0)
            .iter()
            .filter(|edge| {
                let dependency = self.dependency(unit.0, **edge);
                !separate || (self.is_built(dependency) && self.is_for(dependency, unit.1))
            })
            .map(|edge| {
                let dependency = self.dependency(unit.0, *edge);
                let host = separate && self.runs_on_host(dependency, edge.package);
                (*edge, (edge.package, unit.1 || host))
            })
            .collect()
    }

    fn is_built(&self, dependency: &Dependency) -> bool {
        dependency.kind != DependencyKind::Development || self.options.development
    }

    fn is_for(&self, dependency: &Dependency, host: bool) -> bool {
        let Some(target) = &dependency.target else {
            return true;
        };
        if host {
            self.options.host.matches(target)
        } else {
            self.options
                .targets
                .iter()
                .any(|platform| platform.matches(target))
        }
    }

    fn runs_on_host(&self, dependency: &Dependency, package: usize) -> bool {
        dependency.kind == DependencyKind::Build || self.proc_macro[package]
    }

    fn resolved(&self, node: Node) -> &'a [ResolvedDependency] {
        let packages = &self.resolution.packages;
        match packages.get(node) {
            Some(package) => &package.dependencies,
            None => &self.resolution.roots[node - packages.len()],
        }
    }

    fn parts(&self, node: Node) -> (&'a [Dependency], &'a Features) {
        let packages = &self.resolution.packages;
        match packages.get(node) {
            Some(package) => (&package.version().dependencies, &package.version().features),
            None => {
                let root = &self.resolution.requested[node - packages.len()];
                (&root.dependencies, &root.features)
            }
        }
    }

    fn dependency(&self, node: Node, edge: ResolvedDependency) -> &'a Dependency {
        &self.parts(node).0[edge.dependency]
    }

    /// Walks from the roots over the dependencies that are enabled.
    fn collect(&self) -> BuiltPackages {
        let count = self.resolution.packages.len();
        let roots = 0..self.resolution.requested.len();
        let mut built: BTreeMap<Unit, Vec<(ResolvedDependency, Unit)>> = BTreeMap::new();
        let mut pending: Vec<Unit> = roots.clone().map(|at| (count + at, false)).collect();
        while let Some(unit) = pending.pop() {
            if built.contains_key(&unit) {
                continue;
            }
            let edges = self.built_edges(unit);
            pending.extend(edges.iter().map(|(_, to)| *to));
            built.insert(unit, edges);
        }
        let units = || built.keys().filter(|(node, _)| *node < count);
        let places: BTreeMap<Unit, usize> =
            units().enumerate().map(|(at, &unit)| (unit, at)).collect();
        let named = |node: Node, edges: &[(ResolvedDependency, Unit)], build: bool| {
            let mut list: Vec<(String, usize)> = edges
                .iter()
                .map(|(edge, to)| (self.dependency(node, *edge), *to))
                .filter(|(dependency, _)| (dependency.kind == DependencyKind::Build) == build)
                .map(|(dependency, to)| (dependency.name.clone(), places[&to]))
                .collect();
            list.sort();
            list.dedup();
            list
        };
        let packages = units()
            .map(|&unit| BuiltPackage {
                package: unit.0,
                host: unit.1,
                features: self
                    .features
                    .get(&self.key(unit))
                    .cloned()
                    .unwrap_or_default(),
                dependencies: named(unit.0, &built[&unit], false),
                build_dependencies: named(unit.0, &built[&unit], true),
            })
            .collect();
        let roots = roots
            .map(|at| {
                let root = count + at;
                let edges = &built[&(root, false)];
                let mut list = named(root, edges, false);
                list.extend(named(root, edges, true));
                list
            })
            .collect();
        BuiltPackages { packages, roots }
    }

    fn built_edges(&self, unit: Unit) -> Vec<(ResolvedDependency, Unit)> {
        let enabled = self.enabled.get(&self.key(unit));
        self.resolved(unit.0)
            .iter()
            .filter_map(|&edge| {
                let dependency = self.dependency(unit.0, edge);
                let on = !dependency.optional
                    || enabled.is_some_and(|names| names.contains(&dependency.name));
                let host = unit.1 || dependency.kind == DependencyKind::Build;
                (on && self.is_built(dependency) && self.is_for(dependency, host)).then(|| {
                    let host = host || self.proc_macro[edge.package];
                    (edge, (edge.package, host))
                })
            })
            .collect()
    }
}

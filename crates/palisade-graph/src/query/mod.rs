//! Questions to many fragments at once.

mod able;
mod graph;
mod meant;
mod name;
mod screen;
mod walk;

use std::collections::BTreeMap;

use palisade_model::facts::CrateKind;
use rustc_hash::FxHashSet;
use semver::Version;

use crate::{Fragment, Origin};
pub use able::{Ability, Able, UnsafeFunction};
use graph::{CrateId, Graph, Input, Node, place};
pub use meant::{Meant, closure};
pub use name::{FunctionName, NameError};
pub use screen::{Gaps, Reach};
use walk::{Walk, linked};

/// Fragments stitched together.
///
/// What a fragment names in another crate is found in the same version where
/// the universe holds it, else in the newest one that is compatible. Answers
/// are conservative: whatever a program of these crates calls is found, apart
/// from what the fragments' blind spots hide, and more.
#[derive(Debug)]
pub struct Universe {
    graph: Graph,
}

/// When code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// In the program.
    Run,
    /// While something is built: a build script or a procedural macro.
    Build,
}

/// A function on the way from an entry point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The function's crate.
    pub krate: String,
    /// Its package's version.
    pub version: String,
    /// The path in the crate.
    pub path: String,
    /// Where it is defined, relative to its package; empty where that is not
    /// known.
    pub file: String,
    /// The line of the call of the next one, or, for the last, of the
    /// definition; 0 where it is not known.
    pub line: u32,
    /// The trait's method through which the next one is found.
    pub through: Option<String>,
}

/// A crate that reaches a function, or that only lists its crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The crate's name.
    pub krate: String,
    /// What kind of crate.
    pub kind: CrateKind,
    /// When the function runs, if it can be reached.
    pub when: Option<When>,
    /// A shortest way there, from an entry point; empty when it is not
    /// reached.
    pub path: Vec<Step>,
    /// How many places could not be followed in what the crate is linked with.
    pub blind_spots: usize,
    /// How many crates of the universe are linked with this one.
    pub dependents: usize,
}

/// What is looked for: any of these functions, in these versions.
pub struct Question<'a> {
    /// The functions.
    pub names: Vec<FunctionName>,
    /// Whether a version of their crate is meant.
    pub versions: &'a dyn Fn(&Version) -> bool,
}

impl Universe {
    /// Stitches fragments together. Of several that are made from one crate
    /// with different features, what any of them does counts.
    pub fn new(fragments: &[Fragment]) -> Universe {
        let mut inputs = Vec::new();
        let mut capabilities: Vec<Vec<(u32, u16)>> = Vec::new();
        for fragment in fragments {
            for place in 0..fragment.crates.len() {
                let own = fragment.capabilities.iter();
                let own = own.filter(|capable| capable.krate as usize == place);
                let own = own.map(|capable| (capable.function, capable.capabilities));
                capabilities.push(own.collect());
            }
        }
        let crates = fragments
            .iter()
            .flat_map(|fragment| fragment.crates.iter().map(move |facts| (fragment, facts)));
        for ((fragment, facts), capabilities) in crates.zip(&capabilities) {
            inputs.push(Input {
                package: &fragment.package,
                version: &fragment.version,
                facts,
                capabilities,
            });
        }
        Universe {
            graph: Graph::new(&inputs),
        }
    }

    /// Of several versions of a crate that a requirement of one would accept
    /// as another, the newest: what a new program would be made of.
    pub fn newest(fragments: Vec<Fragment>) -> Vec<Fragment> {
        let mut newest: BTreeMap<(String, u64, u64, u64), Version> = BTreeMap::new();
        let range = |fragment: &Fragment| {
            let version = Version::parse(&fragment.version).ok()?;
            let (minor, patch) = match (version.major, version.minor) {
                (0, 0) => (0, version.patch),
                (0, minor) => (minor, 0),
                _ => (0, 0),
            };
            let key = (fragment.package.clone(), version.major, minor, patch);
            Some((key, version))
        };
        for (key, version) in fragments.iter().filter_map(range) {
            let known = newest.entry(key).or_insert_with(|| version.clone());
            if *known < version {
                *known = version;
            }
        }
        let is_newest = |fragment: &Fragment| {
            fragment.origin == Origin::Sysroot
                || range(fragment).is_none_or(|(key, version)| newest[&key] == version)
        };
        fragments.into_iter().filter(is_newest).collect()
    }

    /// The number of functions and of calls.
    pub fn size(&self) -> (usize, usize) {
        let functions = self.graph.functions.values();
        (
            self.graph.functions.len(),
            functions.map(|function| function.calls.len()).sum(),
        )
    }

    /// The functions that a question means, with their crate's version and
    /// their paths.
    pub fn functions(&self, question: &Question<'_>) -> Vec<(String, String)> {
        let targets = self.targets(question);
        let shown = targets.iter().map(|&node| {
            let (krate, path) = &self.graph.nodes[node as usize];
            let krate = &self.graph.crates[*krate as usize];
            (krate.version.clone(), format!("{}::{path}", krate.name))
        });
        shown.collect()
    }

    fn targets(&self, question: &Question<'_>) -> Vec<Node> {
        let mut found = Vec::new();
        for (id, krate) in self.graph.crates.iter().enumerate() {
            let version = Version::parse(&krate.version);
            if !version.is_ok_and(|version| (question.versions)(&version)) {
                continue;
            }
            for name in question
                .names
                .iter()
                .filter(|name| name.krate == krate.name)
            {
                found.extend(name::find(&self.graph, place(id), name));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// For each question, the crates that are linked with, or built by, a crate
    /// that it is about: whether they reach one of the functions, and how. `of` says which crates are
    /// asked about, by package and version; those that reach it come first,
    /// with the most dependents in front.
    pub fn exposed(
        &self,
        questions: &[Question<'_>],
        of: impl Fn(&str, &str) -> bool,
    ) -> Vec<Vec<Exposure>> {
        let graph = &self.graph;
        let targets: Vec<Vec<Node>> = questions.iter().map(|it| self.targets(it)).collect();
        let in_crates: Vec<FxHashSet<CrateId>> = targets
            .iter()
            .map(|nodes| {
                nodes
                    .iter()
                    .map(|node| graph.nodes[*node as usize].0)
                    .collect()
            })
            .collect();
        let links: Vec<FxHashSet<CrateId>> = (0..graph.crates.len())
            .map(|id| linked(graph, place(id)))
            .collect();
        let mut dependents = vec![0; graph.crates.len()];
        for (id, linked) in links.iter().enumerate() {
            for &krate in linked.iter().filter(|krate| **krate as usize != id) {
                dependents[krate as usize] += 1;
            }
        }
        let mut found: Vec<Vec<Exposure>> = questions.iter().map(|_| Vec::new()).collect();
        for (id, krate) in graph.crates.iter().enumerate() {
            let asked = matches!(krate.kind, CrateKind::Library | CrateKind::Binary);
            if !asked || !of(&krate.package, &krate.version) {
                continue;
            }
            let builders = self.builders(&links[id]);
            let mut walks: Vec<(When, CrateId, Option<Walk<'_>>)> =
                vec![(When::Run, place(id), None)];
            walks.extend(builders.iter().map(|&id| (When::Build, id, None)));
            for (index, nodes) in targets.iter().enumerate() {
                let touches = |linked: &FxHashSet<CrateId>| {
                    in_crates[index].iter().any(|krate| linked.contains(krate))
                };
                let concerned = walks
                    .iter()
                    .any(|(_, root, _)| touches(&links[*root as usize]));
                // That a library has a function of its own is no news.
                let own = krate.kind == CrateKind::Library && in_crates[index].contains(&place(id));
                if !concerned || own {
                    continue;
                }
                let mut exposure = Exposure {
                    package: krate.package.clone(),
                    version: krate.version.clone(),
                    krate: krate.name.clone(),
                    kind: krate.kind,
                    when: None,
                    path: Vec::new(),
                    blind_spots: links[id]
                        .iter()
                        .map(|krate| graph.crates[*krate as usize].blind_spots)
                        .sum(),
                    dependents: dependents[id],
                };
                for (when, root, walk) in &mut walks {
                    if !touches(&links[*root as usize]) {
                        continue;
                    }
                    let walk = walk.get_or_insert_with(|| {
                        let mut walk = Walk::new(graph, *root);
                        let kind = graph.crates[*root as usize].kind;
                        walk.run(*root, kind == CrateKind::Library);
                        walk
                    });
                    let mut ways = nodes.iter().filter(|node| walk.reached.contains_key(node));
                    if let Some(&node) = ways.next() {
                        exposure.when = Some(*when);
                        exposure.path = self.way(walk, node);
                        break;
                    }
                }
                found[index].push(exposure);
            }
        }
        for list in &mut found {
            list.sort_by(|a, b| {
                let rank = |it: &Exposure| (it.when.is_none(), std::cmp::Reverse(it.dependents));
                let name = |it: &Exposure| (it.package.clone(), it.version.clone(), it.kind);
                rank(a).cmp(&rank(b)).then_with(|| name(a).cmp(&name(b)))
            });
        }
        found
    }

    /// What runs when something is built: the macros and build scripts of
    /// everything that it is linked with, and of what those are linked with.
    fn builders(&self, linked_with: &FxHashSet<CrateId>) -> Vec<CrateId> {
        let graph = &self.graph;
        let mut scripts: BTreeMap<(&str, &str), Vec<CrateId>> = BTreeMap::new();
        for (id, krate) in graph.crates.iter().enumerate() {
            if krate.kind == CrateKind::BuildScript {
                let package = (krate.package.as_str(), krate.version.as_str());
                scripts.entry(package).or_default().push(place(id));
            }
        }
        let mut known: FxHashSet<CrateId> = linked_with.clone();
        let mut todo: Vec<CrateId> = known.iter().copied().collect();
        let mut found = Vec::new();
        while let Some(id) = todo.pop() {
            let krate = &graph.crates[id as usize];
            let own = scripts.get(&(krate.package.as_str(), krate.version.as_str()));
            for &builder in krate.macros.iter().chain(own.into_iter().flatten()) {
                if known.insert(builder) {
                    found.push(builder);
                    todo.push(builder);
                }
            }
            for &link in &krate.links {
                if known.insert(link) {
                    todo.push(link);
                }
            }
        }
        found.sort_unstable();
        found
    }

    /// The steps from an entry point to a node.
    fn way(&self, walk: &Walk<'_>, node: Node) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut next = Some((node, 0, None));
        while let Some((node, line, through)) = next {
            let mut step = self.step(node);
            if line != 0 || !steps.is_empty() {
                step.line = line;
            }
            step.through = through;
            steps.push(step);
            let origin = walk.reached.get(&node);
            next = origin.and_then(|origin| {
                let through = origin.through.map(|method| {
                    let (_, path) = &self.graph.nodes[method as usize];
                    path.clone()
                });
                Some((origin.from?, origin.line, through))
            });
        }
        steps.reverse();
        steps
    }

    fn step(&self, node: Node) -> Step {
        let (krate, path) = &self.graph.nodes[node as usize];
        let krate = &self.graph.crates[*krate as usize];
        let function = self.graph.functions.get(&node);
        Step {
            krate: krate.name.clone(),
            version: krate.version.clone(),
            path: path.clone(),
            file: function.map(|it| it.file.clone()).unwrap_or_default(),
            line: function.map_or(0, |it| it.line),
            through: None,
        }
    }
}

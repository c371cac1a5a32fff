//! What a program certainly cannot reach, told without a precise walk.
//!
//! The stitched graph holds whatever visible code calls. What code that nobody
//! sees may call is bounded by what it can name: a crate with a place that
//! could not be followed may call anything of the crates that it depends on,
//! and of itself; a call whose callee is not known but for its name may mean
//! every function of that name in those crates. A function of a crate that no
//! such place can name gets there only through a generic argument, a trait
//! object or a function pointer, and those count where they are made.

use palisade_model::facts::{CrateFacts, CrateKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::graph::{CrateId, Graph, Node, place};
use super::walk::{Walk, linked};
use super::{Question, Universe};
use crate::Fragment;

/// What one program may reach at all.
#[derive(Debug, Default)]
pub struct Reach {
    reached: FxHashSet<Node>,
    /// Crates of which unseen code may call anything.
    open: FxHashSet<CrateId>,
}

/// What makes the visible code incomplete.
#[derive(Debug, Default)]
pub struct Gaps {
    /// Crates with places that could not be followed.
    opaque: FxHashSet<CrateId>,
    /// The names of what functions call, where only those are known.
    unresolved: FxHashMap<Node, Vec<String>>,
    /// The functions of each name, by crate.
    named: FxHashMap<(CrateId, String), Vec<Node>>,
}

impl Universe {
    /// What is not known of the crates in these fragments, which are those
    /// that the universe was made of.
    pub fn gaps(&self, fragments: &[Fragment]) -> Gaps {
        let graph = &self.graph;
        let mut gaps = Gaps::default();
        let mut ids: FxHashMap<(&str, &str, &str, CrateKind), CrateId> = FxHashMap::default();
        for (id, krate) in graph.crates.iter().enumerate() {
            let key = (
                krate.package.as_str(),
                krate.version.as_str(),
                krate.name.as_str(),
                krate.kind,
            );
            ids.insert(key, place(id));
            for &node in &krate.functions {
                let (_, path) = &graph.nodes[node as usize];
                let name = path.rsplit("::").next().unwrap_or(path).to_owned();
                gaps.named.entry((place(id), name)).or_default().push(node);
            }
        }
        for fragment in fragments {
            for facts in &fragment.crates {
                let key = (
                    fragment.package.as_str(),
                    fragment.version.as_str(),
                    facts.name.as_str(),
                    facts.kind,
                );
                let Some(&id) = ids.get(&key) else { continue };
                if !fragment.missing.is_empty() || !facts.blind_spots.is_empty() {
                    gaps.opaque.insert(id);
                }
                gaps.unresolved(graph, id, facts);
            }
        }
        gaps
    }

    /// What a crate of the universe may reach when it runs and while it is
    /// built; `None` when it is not there.
    pub fn reach(&self, gaps: &Gaps, package: &str, version: &str, name: &str) -> Option<Reach> {
        let graph = &self.graph;
        let of = |krate: &super::graph::CrateNode| {
            krate.package == package
                && krate.version == version
                && krate.name == name
                && matches!(krate.kind, CrateKind::Library | CrateKind::Binary)
        };
        let roots = graph
            .crates
            .iter()
            .enumerate()
            .filter(|(_, krate)| of(krate));
        let mut roots: Vec<CrateId> = roots.map(|(id, _)| place(id)).collect();
        if roots.is_empty() {
            return None;
        }
        let run: FxHashSet<CrateId> = roots.iter().flat_map(|root| linked(graph, *root)).collect();
        roots.extend(self.builders(&run));
        let mut reach = Reach::default();
        for root in roots {
            let mut walk = Walk::new(graph, root);
            let library = graph.crates[root as usize].kind == CrateKind::Library;
            walk.run(root, library);
            reach.open_from(graph, gaps, &mut walk, root);
            reach.reached.extend(walk.reached.keys().copied());
        }
        Some(reach)
    }
}

impl Gaps {
    fn unresolved(&mut self, graph: &Graph, id: CrateId, facts: &CrateFacts) {
        for function in &facts.functions {
            if function.unresolved.is_empty() {
                continue;
            }
            let path = &facts.items[function.item as usize].path;
            if let Some(node) = graph.find(id, path) {
                let names = function.unresolved.iter().map(|it| it.name.clone());
                self.unresolved.entry(node).or_default().extend(names);
            }
        }
    }
}

impl Reach {
    /// Whether the functions whose own paths a question gives cannot be
    /// reached; `None` when one of them is no path of a definition. A name that
    /// means others, through a re-export say, is left to a precise walk.
    pub fn spares(&self, universe: &Universe, question: &Question<'_>) -> Option<bool> {
        let graph = &universe.graph;
        let is_own = |node: &Node| {
            let (krate, path) = &graph.nodes[*node as usize];
            question.names.iter().any(|name| {
                name.krate == graph.crates[*krate as usize].name && name.path.join("::") == *path
            })
        };
        let targets = universe.targets(question);
        if !targets.iter().all(is_own) {
            return None;
        }
        let nodes = &graph.nodes;
        let may = |node: &Node| {
            self.reached.contains(node) || self.open.contains(&nodes[*node as usize].0)
        };
        (!targets.is_empty()).then(|| !targets.iter().any(may))
    }

    /// Follows what is only known by name, and takes note of the crates that
    /// unseen code may call.
    fn open_from(&mut self, graph: &Graph, gaps: &Gaps, walk: &mut Walk<'_>, root: CrateId) {
        let mut done: FxHashSet<Node> = FxHashSet::default();
        let mut closures: FxHashMap<CrateId, Vec<CrateId>> = FxHashMap::default();
        loop {
            let mut reached: Vec<Node> = walk.reached.keys().copied().collect();
            reached.retain(|node| !done.contains(node));
            if reached.is_empty() {
                break;
            }
            reached.sort_unstable();
            for node in reached {
                done.insert(node);
                let Some(names) = gaps.unresolved.get(&node) else {
                    continue;
                };
                let krate = graph.nodes[node as usize].0;
                let closure = closures.entry(krate).or_insert_with(|| {
                    let mut closure: Vec<CrateId> = linked(graph, krate).into_iter().collect();
                    closure.sort_unstable();
                    closure
                });
                for name in names {
                    for &krate in closure.iter() {
                        let named = gaps.named.get(&(krate, name.clone()));
                        for &callee in named.into_iter().flatten() {
                            walk.enter(callee, node);
                        }
                    }
                }
            }
            walk.drain();
        }
        let nodes = walk.reached.keys();
        let mut running: Vec<CrateId> = nodes.map(|node| graph.nodes[*node as usize].0).collect();
        running.push(root);
        running.sort_unstable();
        running.dedup();
        for krate in running {
            if gaps.opaque.contains(&krate) {
                self.open.extend(linked(graph, krate));
            }
        }
    }
}

//! What a crate can do to the world outside, itself and through others.

use palisade_model::facts::{CrateKind, FunctionKind};

use super::graph::{CrateId, Node, place};
use super::walk::{Walk, linked};
use super::{Step, Universe, When};
use crate::Capability;
use crate::capability::Capabilities;

/// One thing that a crate can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ability {
    /// What.
    pub capability: Capability,
    /// When.
    pub when: When,
    /// How many of the functions that it reaches do it by themselves.
    pub functions: usize,
    /// A shortest way from an entry point to the nearest of them.
    pub path: Vec<Step>,
}

/// What one crate can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Able {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The crate's name.
    pub krate: String,
    /// What kind of crate.
    pub kind: CrateKind,
    /// What it can do, in the order of [`Capability::ALL`], at run time first.
    pub abilities: Vec<Ability>,
    /// How many places could not be followed in what it is linked with.
    pub blind_spots: usize,
}

/// A function that is declared `unsafe` or holds an `unsafe` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsafeFunction {
    /// The package.
    pub package: String,
    /// Where it is, and the line.
    pub step: Step,
    /// Whether it is declared `unsafe`, so that its callers answer for it.
    pub declared: bool,
    /// Whether it holds an `unsafe` block.
    pub block: bool,
    /// Whether another crate can name it.
    pub public: bool,
    /// Whether it belongs to the crate itself, not to what it is linked with.
    pub own: bool,
}

impl Universe {
    /// What the libraries and programs of a package can do, with all that they
    /// reach. What the standard library does inside of itself is not looked
    /// into: a function of it that touches the world outside stands for that.
    pub fn capabilities(&self, package: &str, version: &str) -> Vec<Able> {
        let mut found = Vec::new();
        for root in self.roots(package, version) {
            let krate = &self.graph.crates[root as usize];
            let links = linked(&self.graph, root);
            let mut abilities: Vec<Ability> = Vec::new();
            let mut walks = vec![(When::Run, root)];
            walks.extend(
                self.builders(&links)
                    .into_iter()
                    .map(|id| (When::Build, id)),
            );
            for (when, start) in walks {
                let walk = self.walk(start);
                let order = self.by_distance(&walk);
                for capability in Capability::ALL {
                    let able = |node: &&Node| {
                        let bits = self
                            .graph
                            .functions
                            .get(node)
                            .map_or(0, |it| it.capabilities);
                        Capabilities::from_bits(bits)
                            .iter()
                            .any(|one| one == capability)
                    };
                    let all: Vec<Node> = order.iter().filter(able).copied().collect();
                    let Some(&nearest) = all.first() else {
                        continue;
                    };
                    let known = abilities
                        .iter_mut()
                        .find(|it| it.capability == capability && it.when == when);
                    match known {
                        Some(known) => known.functions += all.len(),
                        None => abilities.push(Ability {
                            capability,
                            when,
                            functions: all.len(),
                            path: self.way(&walk, nearest),
                        }),
                    }
                }
            }
            abilities.sort_by_key(|it| (it.when, it.capability as u16));
            found.push(Able {
                package: krate.package.clone(),
                version: krate.version.clone(),
                krate: krate.name.clone(),
                kind: krate.kind,
                abilities,
                blind_spots: self.spots(links.into_iter()),
            });
        }
        found
    }

    /// The functions with `unsafe` of a package, and with `reached` those that
    /// it reaches in what it is linked with, the standard library apart.
    pub fn unsafe_functions(
        &self,
        package: &str,
        version: &str,
        reached: bool,
    ) -> Vec<UnsafeFunction> {
        let roots = self.roots(package, version);
        let mut nodes: Vec<Node> = Vec::new();
        for &root in &roots {
            nodes.extend(&self.graph.crates[root as usize].functions);
            if reached {
                nodes.extend(self.by_distance(&self.walk(root)));
            }
        }
        nodes.sort_unstable();
        nodes.dedup();
        let mut found = Vec::new();
        for node in nodes {
            let Some(function) = self.graph.functions.get(&node) else {
                continue;
            };
            // A declaration has no body to look at; calls of it are unsafe
            // where they stand.
            let declared = function.is_unsafe && function.kind != FunctionKind::Foreign;
            if !declared && !function.has_unsafe {
                continue;
            }
            let (id, _) = &self.graph.nodes[node as usize];
            let krate = &self.graph.crates[*id as usize];
            found.push(UnsafeFunction {
                package: krate.package.clone(),
                step: self.step(node),
                declared,
                block: function.has_unsafe,
                public: function.public,
                own: roots.contains(id),
            });
        }
        found.sort_by(|a, b| {
            let key = |it: &UnsafeFunction| {
                (
                    !it.own,
                    it.package.clone(),
                    it.step.version.clone(),
                    it.step.krate.clone(),
                    it.step.path.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        found
    }

    /// The libraries and programs of a package.
    fn roots(&self, package: &str, version: &str) -> Vec<CrateId> {
        let crates = self.graph.crates.iter().enumerate();
        crates
            .filter(|(_, krate)| {
                krate.package == package
                    && krate.version == version
                    && krate.kind != CrateKind::BuildScript
            })
            .map(|(id, _)| place(id))
            .collect()
    }

    fn walk(&self, root: CrateId) -> Walk<'_> {
        let mut walk = Walk::new(&self.graph, root);
        let kind = self.graph.crates[root as usize].kind;
        walk.run(root, kind == CrateKind::Library);
        walk
    }

    fn spots(&self, crates: impl Iterator<Item = CrateId>) -> usize {
        crates
            .map(|krate| self.graph.crates[krate as usize].blind_spots)
            .sum()
    }

    /// What a walk reached outside of the standard library, the nearest first.
    fn by_distance(&self, walk: &Walk<'_>) -> Vec<Node> {
        let mut order: Vec<(usize, Node)> = walk
            .reached
            .keys()
            .filter(|node| {
                let (krate, _) = &self.graph.nodes[**node as usize];
                self.graph.crates[*krate as usize].kind != CrateKind::Sysroot
            })
            .map(|&node| {
                let mut distance = 0;
                let mut at = node;
                while let Some(from) = walk.reached.get(&at).and_then(|origin| origin.from) {
                    distance += 1;
                    at = from;
                }
                (distance, node)
            })
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, node)| node).collect()
    }
}

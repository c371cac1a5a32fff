//! The walk: a worklist over instances, from entry points to a fixpoint.
//!
//! The nodes form one queue, first in, first out. All workers visit its nodes,
//! and their successors are merged in the order of the queue, so the result
//! (and every witness path, which is a shortest one) does not depend on timing,
//! and nobody waits for a slow node but the merging.

mod again;
mod by_head;
mod expansions;
mod glue;
mod measure;
pub(crate) mod node;
mod prune;
mod store;
mod viewpoint;
mod visit;
mod workers;

use ra_ap_base_db::Crate;
use ra_ap_hir_def::{BuiltinDeriveImplId, DefWithBodyId, FunctionId, HasModule, MacroId};
use ra_ap_hir_ty::next_solver::{DbInterner, GenericArgs, StoredGenericArgs};
use ra_ap_ide_db::RootDatabase;
use rustc_hash::{FxHashMap, FxHashSet};

pub(crate) use by_head::derives;
pub(crate) use expansions::Watched;
pub(crate) use glue::{in_vtable, objects};
pub(crate) use node::{Edge, Node, Site, Unresolved, Visit};
pub(crate) use prune::Prune;
pub(crate) use store::FactStore;
pub(crate) use workers::{STACK_BYTES, Workers};

use crate::{
    api::{Dispatch, Limits},
    facts::erase,
};

/// In which pass a node was met. What may run in the program outweighs what
/// only its build is sure to reach, so the order is that of weight; the walk
/// takes `Build` before `PossibleRun`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(crate) enum Pass {
    /// The program itself.
    Run,
    /// What blind spots of the program may reach.
    PossibleRun,
    /// What runs while it is built.
    Build,
    /// What blind spots of the build may reach.
    PossibleBuild,
}

/// How a node was met first, or with more weight than at first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// The node that led here; `None` for an entry point.
    pub(crate) parent: Option<u32>,
    /// Where in the parent.
    pub(crate) site: Option<Site>,
    pub(crate) dispatch: Dispatch,
    pub(crate) pass: Pass,
    /// For an entry of a possible pass: the blind spot that it belongs to.
    pub(crate) blind_spot: Option<u32>,
}

/// A node that another one leads to, where, and how.
pub(crate) type Successor = (u32, Option<Site>, Dispatch);

/// The state of one target's walk.
pub(crate) struct Walk<'a> {
    limits: &'a Limits,
    pub(crate) nodes: Vec<Node>,
    pub(crate) origins: Vec<Origin>,
    /// How the build got to nodes that the program possibly reaches as well.
    at_build: FxHashMap<u32, Origin>,
    /// Whether to keep the successors of every node, for a call graph.
    record: bool,
    /// Successors of each node; unless `record`, of what the build reaches.
    pub(crate) successors: Vec<Vec<Successor>>,
    index: FxHashMap<Node, u32>,
    instances: FxHashMap<FunctionId, usize>,
    /// How many nodes, from the first one on, were visited and merged.
    merged: usize,
    /// Trait methods that no impl was found for, with the node that met them.
    pub(crate) unresolved: Vec<(Unresolved, u32)>,
    /// Nodes on which a limit was hit, and which.
    pub(crate) limited: Vec<(u32, &'static str)>,
    /// Whether the limit on all instances was hit.
    cut: bool,
    /// Nodes on which the analysis library panicked.
    pub(crate) panicked: Vec<u32>,
    /// Crates of what was left out, and in which pass.
    left_out: FxHashSet<(Crate, Pass)>,
    goals: Goals,
}

/// What the walk looks for.
#[derive(Default)]
pub(crate) struct Goals {
    pub(crate) functions: FxHashMap<FunctionId, Vec<usize>>,
    pub(crate) derives: FxHashMap<(BuiltinDeriveImplId, FunctionId), Vec<usize>>,
    pub(crate) macros: FxHashMap<MacroId, Vec<usize>>,
    pub(crate) crates: FxHashMap<Crate, Vec<usize>>,
    /// The nodes that decided each goal, in the order met.
    pub(crate) hits: Vec<Vec<u32>>,
    /// For a goal that only the build reaches for certain: the first node
    /// through which the program possibly reaches it as well.
    pub(crate) possible_run: Vec<Option<u32>>,
    /// How many nodes to keep per goal.
    pub(crate) wanted: usize,
}

impl Goals {
    /// The crates that define what is looked for.
    pub(crate) fn in_crates(&self, db: &RootDatabase) -> FxHashSet<Crate> {
        let functions = self.functions.keys().map(|f| f.krate(db));
        let derives = self.derives.keys().map(|(derive, _)| derive.krate(db));
        let macros = self.macros.keys().map(|id| id.krate(db));
        let crates = self.crates.keys().copied();
        functions
            .chain(derives)
            .chain(macros)
            .chain(crates)
            .collect()
    }

    /// The crates whose macros count where they are expanded: those of named
    /// macros, and those that are looked for as a whole. Functions of the
    /// standard library are reached in any case.
    pub(crate) fn in_expansions(&self, db: &RootDatabase) -> FxHashSet<Crate> {
        let macros = self.macros.keys().map(|id| id.krate(db));
        let crates = self.crates.keys().copied();
        let crates = crates.filter(|krate| !krate.data(db).origin.is_lang());
        macros.chain(crates).collect()
    }

    /// Adds a goal; gives its index.
    pub(crate) fn add(&mut self) -> usize {
        self.hits.push(Vec::new());
        self.possible_run.push(None);
        self.hits.len() - 1
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(limits: &'a Limits, goals: Goals, record: bool) -> Self {
        Self {
            limits,
            nodes: Vec::new(),
            origins: Vec::new(),
            at_build: FxHashMap::default(),
            record,
            successors: Vec::new(),
            index: FxHashMap::default(),
            instances: FxHashMap::default(),
            merged: 0,
            unresolved: Vec::new(),
            limited: Vec::new(),
            cut: false,
            panicked: Vec::new(),
            left_out: FxHashSet::default(),
            goals,
        }
    }

    pub(crate) fn goals(&self) -> &Goals {
        &self.goals
    }

    /// Adds an entry point for the next [`Self::run`].
    pub(crate) fn enter(
        &mut self,
        db: &RootDatabase,
        node: Node,
        pass: Pass,
        blind_spot: Option<u32>,
    ) {
        let dispatch = if blind_spot.is_some() {
            Dispatch::BlindSpot
        } else {
            Dispatch::Static
        };
        let origin = Origin {
            parent: None,
            site: None,
            dispatch,
            pass,
            blind_spot,
        };
        self.add(db, node, origin);
    }

    /// Adds what an unresolved call in `parent` may mean.
    pub(crate) fn enter_from(&mut self, db: &RootDatabase, node: Node, pass: Pass, parent: u32) {
        let dispatch = Dispatch::BlindSpot;
        let parent = Some(parent);
        let origin = Origin {
            parent,
            site: None,
            dispatch,
            pass,
            blind_spot: None,
        };
        self.add(db, node, origin);
    }

    /// Adds a node unless it is known; gives its index.
    fn add(&mut self, db: &RootDatabase, mut node: Node, origin: Origin) -> Option<u32> {
        if let Some(&known) = self.index.get(&node) {
            self.meet_again(db, known, origin);
            return Some(known);
        }
        let id = u32::try_from(self.nodes.len()).ok()?;
        if self.nodes.len() >= self.limits.instances {
            // Once is enough: from here on the walk as a whole is cut short.
            if !self.cut {
                self.cut = true;
                self.limited.push((origin.parent.unwrap_or(0), "instances"));
            }
            return None;
        }
        if let Node::Body(DefWithBodyId::FunctionId(f), _) = &node {
            let f = *f;
            let count = self.instances.entry(f).or_default();
            *count += 1;
            if *count > self.limits.instances_per_function {
                // One more instance stands for all that follow, its arguments
                // unknown.
                if let Some(parent) = origin.parent {
                    self.limited.push((parent, "instances of one function"));
                }
                let it = DbInterner::new_no_crate(db);
                let args = GenericArgs::error_for_item(it, f.into());
                node = Node::Body(f.into(), erase(it, args).store());
                if let Some(&known) = self.index.get(&node) {
                    self.meet_again(db, known, origin);
                    return Some(known);
                }
            }
        }
        self.index.insert(node.clone(), id);
        self.nodes.push(node);
        self.origins.push(origin);
        self.successors.push(Vec::new());
        self.hit_goals(db, id, origin.pass);
        Some(id)
    }

    fn hit_goals(&mut self, db: &RootDatabase, id: u32, pass: Pass) {
        let (goals, krate) = match &self.nodes[id as usize] {
            Node::Body(DefWithBodyId::FunctionId(f), _) => {
                (self.goals.functions.get(f), f.krate(db))
            }
            Node::Derived(derive, f, _) => {
                (self.goals.derives.get(&(*derive, *f)), derive.krate(db))
            }
            Node::Expansion(id, _) => (self.goals.macros.get(id), id.krate(db)),
            _ => return,
        };
        let goals: Vec<usize> = goals
            .into_iter()
            .chain(self.goals.crates.get(&krate))
            .flatten()
            .copied()
            .collect();
        for goal in goals {
            let hits = &self.goals.hits[goal];
            let first = hits.first().map(|&hit| self.certain_origin(hit).pass);
            match (first, pass) {
                (Some(Pass::Build), Pass::PossibleRun) => {
                    self.goals.possible_run[goal].get_or_insert(id);
                }
                // What is possible bears no witness beside what is certain.
                (Some(Pass::Run | Pass::Build), Pass::PossibleRun | Pass::PossibleBuild) => {}
                _ if hits.len() < self.goals.wanted => self.goals.hits[goal].push(id),
                _ => {}
            }
        }
    }

    /// Whether no goal's answer can change any more. What only the build
    /// reaches so far is open: the program may reach it as well.
    pub(crate) fn is_decided(&self) -> bool {
        let goals = &self.goals;
        let mut open = goals.hits.iter().zip(&goals.possible_run);
        !goals.hits.is_empty()
            && open.all(|(hits, possible_run)| match hits.first() {
                Some(&hit) => {
                    possible_run.is_some() || self.certain_origin(hit).pass != Pass::Build
                }
                None => false,
            })
    }

    /// Walks until nothing new is met or, when `lazy`, until every goal is
    /// decided. Gives whether it stopped early.
    pub(crate) fn run(
        &mut self,
        db: &RootDatabase,
        workers: &Workers<'_>,
        pass: Pass,
        lazy: bool,
        progress: Option<&(dyn Fn(usize) + Sync)>,
    ) -> bool {
        let mut visits = FxHashMap::default();
        let mut sent = self.merged;
        loop {
            if lazy && self.is_decided() {
                return true;
            }
            workers.send(sent, &self.nodes[sent..]);
            sent = self.nodes.len();
            if self.merged == sent {
                return false;
            }
            if let Some(progress) = progress {
                progress(self.nodes.len());
            }
            workers.receive(self.merged, &mut visits);
            while let Some(visit) = visits.remove(&self.merged) {
                self.merge(db, self.merged, visit, pass);
                self.merged += 1;
            }
        }
    }

    fn merge(&mut self, db: &RootDatabase, parent: usize, visit: Visit, pass: Pass) {
        let Ok(parent) = u32::try_from(parent) else {
            return;
        };
        self.unresolved
            .extend(visit.unresolved.into_iter().map(|call| (call, parent)));
        self.leave_out(visit.left_out, pass);
        if let Some(limit) = visit.limit {
            self.limited.push((parent, limit));
        }
        if visit.panicked {
            self.panicked.push(parent);
        }
        for Edge { to, site, dispatch } in visit.edges {
            let origin = Origin {
                parent: Some(parent),
                site,
                dispatch,
                pass,
                blind_spot: None,
            };
            if let Some(to) = self.add(db, to, origin)
                && (self.record || pass == Pass::Build)
            {
                self.successors[parent as usize].push((to, site, dispatch));
            }
        }
    }

    /// Distinct functions met so far.
    pub(crate) fn function_count(&self) -> usize {
        let mut derives: FxHashSet<(BuiltinDeriveImplId, FunctionId)> = FxHashSet::default();
        for node in &self.nodes {
            if let Node::Derived(derive, f, _) = node {
                derives.insert((*derive, *f));
            }
        }
        self.instances.len() + derives.len()
    }
}

/// No generic arguments.
pub(crate) fn no_args() -> StoredGenericArgs {
    GenericArgs::new_from_slice(&[]).store()
}

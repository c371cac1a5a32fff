//! What a crate reaches through the stitched graph.
//!
//! This is rapid type analysis (Bacon and Sweeney, OOPSLA 1996): a trait's
//! method called on a type that is not known means the impls for every type
//! that occurs in a function reached so far. A trait's method is one node, and
//! the impls are only looked up when it is called, so nothing is multiplied.

use std::collections::VecDeque;

use palisade_model::facts::FunctionKind;
use rustc_hash::{FxHashMap, FxHashSet};

use super::graph::{CrateId, Graph, Head, Node};

/// How a function was reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// From which function; `None` for an entry point.
    pub(super) from: Option<Node>,
    /// The line there, 0 where it is not known.
    pub(super) line: u32,
    /// The trait's method through which it was found.
    pub(super) through: Option<Node>,
}

pub(super) struct Walk<'g> {
    graph: &'g Graph,
    /// What the program is linked with.
    linked: FxHashSet<CrateId>,
    pub(super) reached: FxHashMap<Node, Origin>,
    used: FxHashSet<Node>,
    /// Trait methods called on unknown types, by their traits, with who does.
    open: FxHashMap<Node, Vec<(Node, Origin)>>,
    asked: FxHashSet<(Node, Head)>,
    todo: VecDeque<Node>,
}

impl<'g> Walk<'g> {
    /// A walk of what `root` is linked with.
    pub(super) fn new(graph: &'g Graph, root: CrateId) -> Self {
        Walk {
            graph,
            linked: linked(graph, root),
            reached: FxHashMap::default(),
            used: FxHashSet::default(),
            open: FxHashMap::default(),
            asked: FxHashSet::default(),
            todo: VecDeque::new(),
        }
    }

    /// Walks from the entry points of `root`: for a library, everything that
    /// others can name.
    pub(super) fn run(&mut self, root: CrateId, library: bool) {
        let graph = self.graph;
        let start = Origin {
            from: None,
            line: 0,
            through: None,
        };
        let mut crates: Vec<CrateId> = self.linked.iter().copied().collect();
        crates.sort_unstable();
        for krate in crates {
            for &node in &graph.crates[krate as usize].functions {
                let function = &graph.functions[&node];
                // What the linker keeps runs in whatever it is linked into.
                let kept = function.entry && function.kind == FunctionKind::Value;
                let own = krate == root && (function.entry || (library && function.public));
                if kept || own {
                    self.reach(node, start);
                }
            }
        }
        self.drain();
    }

    /// Walks on from what was entered.
    pub(super) fn drain(&mut self) {
        while let Some(node) = self.todo.pop_front() {
            self.visit(node);
        }
    }

    /// Takes a function for one that another one calls.
    pub(super) fn enter(&mut self, node: Node, from: Node) {
        let origin = Origin {
            from: Some(from),
            line: 0,
            through: None,
        };
        self.reach(node, origin);
    }

    fn reach(&mut self, node: Node, origin: Origin) {
        if let std::collections::hash_map::Entry::Vacant(entry) = self.reached.entry(node) {
            entry.insert(origin);
            self.todo.push_back(node);
        }
    }

    fn visit(&mut self, node: Node) {
        let graph = self.graph;
        let Some(function) = graph.functions.get(&node) else {
            return;
        };
        let from = |line| Origin {
            from: Some(node),
            line,
            through: None,
        };
        for &adt in &function.uses {
            self.meet(adt, from(0));
        }
        for call in &function.calls {
            match call.head {
                None => self.reach(call.to, from(call.line)),
                Some(head) => self.method(call.to, head, from(call.line)),
            }
        }
        for &(head, tr, line) in &function.unsizings {
            let Some(object) = graph.traits.get(&tr) else {
                continue;
            };
            for tr in [tr].iter().chain(&object.supertraits) {
                let methods = graph.traits.get(tr).map(|it| it.in_vtable.as_slice());
                for &method in methods.unwrap_or_default() {
                    self.method(method, head, from(line));
                }
            }
        }
        let exporters = function
            .symbol
            .as_ref()
            .and_then(|it| graph.exporters.get(it));
        for &exporter in exporters.into_iter().flatten() {
            if self.linked.contains(&graph.nodes[exporter as usize].0) {
                self.reach(exporter, from(0));
            }
        }
    }

    /// A trait's method on a type.
    fn method(&mut self, method: Node, head: Head, origin: Origin) {
        if !self.asked.insert((method, head)) {
            return;
        }
        let graph = self.graph;
        let Some(&tr) = graph.trait_of.get(&method) else {
            // Not a trait's after all, or of a trait that is not there.
            self.reach(method, origin);
            return;
        };
        if head == Head::Open {
            self.open.entry(tr).or_default().push((method, origin));
        }
        let object = &graph.traits[&tr];
        let mut found = false;
        for &id in &object.impls {
            let node = &graph.impls[id as usize];
            let meant = match (head, node.head) {
                (_, Head::Open) => true,
                (Head::Open, Head::Adt(adt)) => self.used.contains(&adt),
                (Head::Open, _) => true,
                (head, of) => head == of,
            };
            if meant && self.linked.contains(&node.krate) {
                found |= node.head != Head::Open;
                self.member(id, method, origin);
            }
        }
        // The compiler's own impls have no body; a trait's default stands for
        // itself, but what is called through a trait object is its type's.
        let through_object = matches!(head, Head::Dyn(_)) && object.in_vtable.contains(&method);
        if !found && !through_object {
            self.reach(method, origin);
        }
    }

    /// The method of an impl, or the default that it leaves.
    fn member(&mut self, id: u32, method: Node, origin: Origin) {
        let members = &self.graph.impls[id as usize].members;
        let by = members.iter().find(|(of, _)| *of == method);
        let through = Some(method);
        match by {
            Some((_, by)) => self.reach(*by, Origin { through, ..origin }),
            None => self.reach(method, origin),
        }
    }

    /// A type occurs: it may be dropped, and what is called on unknown types
    /// may be called on it.
    fn meet(&mut self, adt: Node, origin: Origin) {
        let mut todo = vec![adt];
        let graph = self.graph;
        while let Some(adt) = todo.pop() {
            if !self.used.insert(adt) {
                continue;
            }
            todo.extend(graph.parts.get(&adt).into_iter().flatten());
            for &id in graph.impls_for.get(&adt).into_iter().flatten() {
                let node = &graph.impls[id as usize];
                if !self.linked.contains(&node.krate) {
                    continue;
                }
                todo.extend(&node.types);
                for (method, caller) in self.open.get(&node.of).cloned().unwrap_or_default() {
                    self.member(id, method, caller);
                }
            }
            if let Some(drop) = graph.drop {
                for &id in graph.impls_for.get(&adt).into_iter().flatten() {
                    if graph.trait_of.get(&drop) == Some(&graph.impls[id as usize].of) {
                        self.member(id, drop, origin);
                    }
                }
            }
        }
    }
}

/// A crate and everything that is linked with it.
pub(super) fn linked(graph: &Graph, root: CrateId) -> FxHashSet<CrateId> {
    let mut found = FxHashSet::default();
    let mut todo = vec![root];
    while let Some(krate) = todo.pop() {
        if found.insert(krate) {
            todo.extend(&graph.crates[krate as usize].links);
        }
    }
    found
}

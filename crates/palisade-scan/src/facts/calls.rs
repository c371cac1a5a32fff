//! Which functions of a package call which, by their names.
//!
//! It is a guess from tokens, for one purpose: facts that lie in two functions
//! of which one calls the other belong together. A name that several functions
//! have leads nowhere unless its file or module decides, so that large crates
//! do not become one large function.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Evidence, Facts, Scope};
use crate::source::{ItemKind, Kind};

/// A function: the index of its file and of its item there.
type Node = (u32, u32);

/// Names of functions that are everywhere, and lead nowhere.
const COMMON: &[&str] = &[
    "new",
    "default",
    "from",
    "into",
    "clone",
    "get",
    "set",
    "len",
    "next",
    "iter",
    "map",
    "push",
    "pop",
    "insert",
    "remove",
    "contains",
    "unwrap",
    "expect",
    "ok",
    "err",
    "as_ref",
    "to_string",
    "fmt",
    "eq",
    "cmp",
    "hash",
    "drop",
    "deref",
    "index",
    "add",
    "sub",
    "mul",
    "div",
    "main",
    "parse",
    "build",
    "write",
    "read",
    "flush",
    "close",
    "open",
    "join",
    "with",
    "is_empty",
];

/// The most functions that one call may mean.
const MEANINGS: usize = 3;
/// The most functions of one scope. Beyond, everything comes together with
/// everything.
const SCOPE: usize = 60;

#[derive(Debug)]
pub(crate) struct Calls {
    edges: FxHashMap<Node, Vec<Node>>,
    nodes: Vec<Node>,
}

impl Calls {
    pub(super) fn find(facts: &Facts<'_>) -> Calls {
        let mut by_name: FxHashMap<&str, Vec<Node>> = FxHashMap::default();
        let mut nodes = Vec::new();
        for (file_index, file) in facts.files.iter().enumerate() {
            for (item_index, item) in file.items.items.iter().enumerate() {
                let node = (index(file_index), index(item_index));
                nodes.push(node);
                if item.kind != ItemKind::File && !item.test {
                    by_name.entry(&item.name).or_default().push(node);
                }
            }
        }
        let mut edges: FxHashMap<Node, Vec<Node>> = FxHashMap::default();
        for (file_index, file) in facts.files.iter().enumerate() {
            for (at, token) in file.tokens.iter().enumerate() {
                if token.kind != Kind::Ident {
                    continue;
                }
                let word = file.word(at);
                let Some(targets) = by_name.get(word) else {
                    continue;
                };
                let (item_index, _) = file.item(at);
                let from = (index(file_index), index(item_index));
                let before = at.checked_sub(1).map_or("", |before| file.word(before));
                if matches!(before, "fn" | "const" | "static" | "mut" | "macro_rules") {
                    continue;
                }
                let next = file.word(at + 1);
                let method = before == ".";
                let qualified = before == ":" && at >= 3;
                let called = matches!(next, "(" | "!") || next == ":";
                // What is listed in a constant, or given away, is called
                // from there.
                let mentioned = called
                    || qualified
                    || next == ","
                    || file.items.items[item_index].kind == ItemKind::Constant;
                let chosen: Vec<Node> = targets
                    .iter()
                    .copied()
                    .filter(|&target| target != from)
                    .filter(|&(file, item)| {
                        match facts.files[file as usize].items.items[item as usize].kind {
                            ItemKind::Constant => !method,
                            ItemKind::Macro => next == "!",
                            ItemKind::Function | ItemKind::File => mentioned,
                        }
                    })
                    .collect();
                let same_file: Vec<Node> = chosen
                    .iter()
                    .copied()
                    .filter(|&(file, _)| file == index(file_index))
                    .collect();
                let chosen = if qualified {
                    let module = file.word(at - 3);
                    let there: Vec<Node> = chosen
                        .iter()
                        .copied()
                        .filter(|&(file, _)| is_module(facts.files[file as usize].path, module))
                        .collect();
                    if there.is_empty() { chosen } else { there }
                } else if method && (targets.len() > 1 || COMMON.contains(&word)) {
                    continue;
                } else if same_file.is_empty() {
                    chosen
                } else {
                    same_file
                };
                if chosen.len() > MEANINGS || (COMMON.contains(&word) && chosen.len() > 1) {
                    continue;
                }
                let list = edges.entry(from).or_default();
                for target in chosen {
                    if !list.contains(&target) {
                        list.push(target);
                    }
                }
            }
        }
        Calls { edges, nodes }
    }

    /// See [`Facts::scopes`]. With `constructors`, only functions that run
    /// before `main` are asked.
    pub(super) fn scopes<'f>(
        &self,
        facts: &'f Facts<'_>,
        depth: usize,
        condition: &dyn Fn(&Scope<'_>) -> bool,
        constructors: bool,
    ) -> Vec<Scope<'f>> {
        let mut of_node: FxHashMap<Node, Vec<&'f Evidence>> = FxHashMap::default();
        for evidence in facts.evidence.iter().filter(|evidence| !evidence.test) {
            let node = (index(evidence.file), index(evidence.item));
            of_node.entry(node).or_default().push(evidence);
        }
        let mut found = Vec::new();
        let mut covered: FxHashSet<Node> = FxHashSet::default();
        let from = if constructors { depth } else { 0 };
        for calls in from..=depth {
            for &node in &self.nodes {
                let item = &facts.files[node.0 as usize].items.items[node.1 as usize];
                if item.test
                    || (constructors && !item.constructor)
                    || (calls > 0 && item.kind == ItemKind::File)
                    || covered.contains(&node)
                {
                    continue;
                }
                let closure = self.closure(node, calls);
                if closure.len() > SCOPE || closure.iter().any(|node| covered.contains(node)) {
                    continue;
                }
                let mut evidence: Vec<&Evidence> = Vec::new();
                for node in &closure {
                    evidence.extend(of_node.get(node).into_iter().flatten());
                }
                if evidence.is_empty() {
                    continue;
                }
                let unit = facts.units.of(facts.files[node.0 as usize].path);
                let scope = Scope::new(unit, evidence);
                if condition(&scope) {
                    covered.extend(closure);
                    found.push(scope);
                }
            }
        }
        found
    }

    /// A function and what it calls, in the order in which they are met.
    fn closure(&self, node: Node, calls: usize) -> BTreeSet<Node> {
        let mut seen = BTreeSet::from([node]);
        let mut frontier = vec![node];
        for _ in 0..calls {
            let mut next = Vec::new();
            for node in frontier {
                for &target in self.edges.get(&node).into_iter().flatten() {
                    if seen.len() <= SCOPE && seen.insert(target) {
                        next.push(target);
                    }
                }
            }
            frontier = next;
        }
        seen
    }
}

fn index(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether a file is the module of that name.
fn is_module(path: &str, module: &str) -> bool {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    stem.rsplit('/').next() == Some(module)
}

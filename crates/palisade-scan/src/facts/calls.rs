//! Which functions of a package call which, by their names.
//!
//! It is a guess from tokens, for one purpose: facts that lie in two functions
//! of which one calls the other belong together. A name that several functions
//! have leads nowhere unless its file or module decides, so that large crates
//! do not become one large function.

use std::collections::hash_map::Entry::Vacant;
use std::collections::{BTreeSet, VecDeque};

use rustc_hash::{FxHashMap, FxHashSet};

use super::entry::{Entry, Reached};
use super::{Evidence, Facts, Scope};
use crate::source::{Item, ItemKind, Kind, SourceFile, Unit};

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

/// Which functions are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// All but tests.
    Functions,
    /// Those that run before `main`.
    Constructors,
    /// Those that only tests run.
    Tests,
}

#[derive(Debug)]
pub(crate) struct Calls {
    edges: FxHashMap<Node, Vec<Node>>,
    callers: FxHashMap<Node, Vec<Node>>,
    /// What is asked of each file's functions once its tokens are gone.
    kept: Vec<Vec<Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    name: String,
    kind: ItemKind,
    test: bool,
    constructor: bool,
    public: bool,
}

impl From<&Item> for Kept {
    fn from(item: &Item) -> Kept {
        Kept {
            name: item.name.clone(),
            kind: item.kind,
            test: item.test,
            constructor: item.constructor,
            public: item.public,
        }
    }
}

impl Calls {
    pub(super) fn find(facts: &Facts<'_>) -> Calls {
        let kept: Vec<Vec<Kept>> = facts
            .files
            .iter()
            .map(|file| {
                let only_tests = facts.units.of(file.path) == Unit::Test;
                file.with_code(|file| {
                    let items = file.items().items.iter().map(Kept::from);
                    let items = items.map(|item| Kept {
                        test: item.test || only_tests,
                        ..item
                    });
                    items.collect()
                })
            })
            .collect();
        let mut by_name: FxHashMap<&str, Vec<Node>> = FxHashMap::default();
        for (file, items) in kept.iter().enumerate() {
            for (at, item) in items.iter().enumerate() {
                if item.kind != ItemKind::File {
                    let node = (index(file), index(at));
                    by_name.entry(&item.name).or_default().push(node);
                }
            }
        }
        let mut edges: FxHashMap<Node, Vec<Node>> = FxHashMap::default();
        for (at, file) in facts.files.iter().enumerate() {
            file.with_code(|file| {
                let finder = Finder {
                    facts,
                    kept: &kept,
                    by_name: &by_name,
                    file_index: at,
                };
                finder.calls_of(file, &mut edges);
            });
        }
        let mut callers: FxHashMap<Node, Vec<Node>> = FxHashMap::default();
        let mut from: Vec<&Node> = edges.keys().collect();
        from.sort_unstable();
        for &node in from {
            for &target in &edges[&node] {
                callers.entry(target).or_default().push(node);
            }
        }
        Calls {
            edges,
            callers,
            kept,
        }
    }

    fn kept(&self, node: Node) -> &Kept {
        &self.kept[node.0 as usize][node.1 as usize]
    }

    fn nodes(&self) -> impl Iterator<Item = Node> {
        let files = self.kept.iter().enumerate();
        files.flat_map(|(file, items)| (0..items.len()).map(move |item| (index(file), index(item))))
    }

    /// See [`Facts::scopes`].
    pub(super) fn scopes<'f>(
        &self,
        facts: &'f Facts<'_>,
        depth: usize,
        condition: &dyn Fn(&Scope<'_>) -> bool,
        which: Which,
    ) -> Vec<Scope<'f>> {
        let mut of_node: FxHashMap<Node, Vec<&'f Evidence>> = FxHashMap::default();
        let (tests, constructors) = (which == Which::Tests, which == Which::Constructors);
        let counts = |evidence: &&Evidence| tests || !evidence.test;
        for evidence in facts.evidence.iter().filter(counts) {
            let node = (index(evidence.file), index(evidence.item));
            of_node.entry(node).or_default().push(evidence);
        }
        let mut found = Vec::new();
        let mut covered: FxHashSet<Node> = FxHashSet::default();
        let from = if constructors { depth } else { 0 };
        for calls in from..=depth {
            for node in self.nodes() {
                let item = self.kept(node);
                if item.test != tests
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
                if evidence.is_empty() || tests && evidence.iter().all(|evidence| !evidence.test) {
                    continue;
                }
                let unit = if tests {
                    Unit::Test
                } else {
                    facts.units.of(facts.files[node.0 as usize].path)
                };
                let mut scope = Scope::new(unit, evidence);
                if condition(&scope) {
                    scope.reached = self.reached(facts, node);
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

    /// How a function is reached from where a program, a build or a user of
    /// the library begins: the most telling entry, and of those the nearest.
    fn reached(&self, facts: &Facts<'_>, node: Node) -> Option<Reached> {
        let mut before: FxHashMap<Node, Option<Node>> = FxHashMap::from_iter([(node, None)]);
        let mut queue = VecDeque::from([(node, 0)]);
        let mut best: Option<(Entry, Node)> = None;
        while let Some((node, steps)) = queue.pop_front() {
            if let Some(entry) = self.entry(facts, node)
                && best.as_ref().is_none_or(|(known, _)| entry < *known)
            {
                best = Some((entry, node));
            }
            if steps >= CHAIN || before.len() > CALLERS {
                continue;
            }
            for &caller in self.callers.get(&node).into_iter().flatten() {
                if let Vacant(unseen) = before.entry(caller) {
                    unseen.insert(Some(node));
                    queue.push_back((caller, steps + 1));
                }
            }
        }
        let (entry, from) = best?;
        let mut chain = Vec::new();
        let mut at = Some(from);
        while let Some(node) = at {
            let name = &self.kept(node).name;
            let file = || facts.files[node.0 as usize].path.to_owned();
            chain.push(if name.is_empty() {
                file()
            } else {
                name.clone()
            });
            at = before.get(&node).copied().flatten();
        }
        Some(Reached { entry, chain })
    }

    /// Whether something begins in this function.
    fn entry(&self, facts: &Facts<'_>, node: Node) -> Option<Entry> {
        let item = self.kept(node);
        let unit = facts.units.of(facts.files[node.0 as usize].path);
        Entry::of(item.kind, &item.name, item.constructor, item.public, unit)
    }
}

/// The most callers on the way from an entry.
const CHAIN: usize = 8;
/// The most functions that are asked for their callers.
const CALLERS: usize = 2000;

/// Finds the calls of one file.
struct Finder<'a> {
    facts: &'a Facts<'a>,
    kept: &'a [Vec<Kept>],
    by_name: &'a FxHashMap<&'a str, Vec<Node>>,
    file_index: usize,
}

impl Finder<'_> {
    fn calls_of(&self, file: &SourceFile<'_>, edges: &mut FxHashMap<Node, Vec<Node>>) {
        for (at, token) in file.tokens().iter().enumerate() {
            if token.kind != Kind::Ident {
                continue;
            }
            let word = file.word(at);
            let Some(targets) = self.by_name.get(word) else {
                continue;
            };
            let (item_index, item) = file.item(at);
            let from = (index(self.file_index), index(item_index));
            let before = at.checked_sub(1).map_or("", |before| file.word(before));
            if matches!(before, "fn" | "const" | "static" | "mut" | "macro_rules") {
                continue;
            }
            // What is only there for tests is not there for anything else.
            let own = self.kept[self.file_index][item_index].test;
            let there =
                |&&(file, item): &&Node| own || !self.kept[file as usize][item as usize].test;
            let targets: Vec<Node> = targets.iter().filter(there).copied().collect();
            if targets.is_empty() {
                continue;
            }
            let next = file.word(at + 1);
            let method = before == ".";
            let qualified = before == ":" && at >= 3;
            let called = matches!(next, "(" | "!") || next == ":";
            // What is listed in a constant, or given away, is called from
            // there.
            let mentioned = called || qualified || next == "," || item.kind == ItemKind::Constant;
            let chosen: Vec<Node> = targets
                .iter()
                .copied()
                .filter(|&target| target != from)
                .filter(
                    |&(file, item)| match self.kept[file as usize][item as usize].kind {
                        ItemKind::Constant => !method,
                        ItemKind::Macro => next == "!",
                        ItemKind::Function | ItemKind::Generated | ItemKind::File => mentioned,
                    },
                )
                .collect();
            let same_file: Vec<Node> = chosen
                .iter()
                .copied()
                .filter(|&(file, _)| file == index(self.file_index))
                .collect();
            let chosen = if qualified {
                let module = file.word(at - 3);
                let there: Vec<Node> = chosen
                    .iter()
                    .copied()
                    .filter(|&(file, _)| is_module(self.facts.files[file as usize].path, module))
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

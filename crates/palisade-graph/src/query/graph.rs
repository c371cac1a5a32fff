//! Fragments stitched together: what lies in another crate is found in the
//! version that the universe holds.

use std::collections::BTreeMap;

use palisade_model::facts::{CrateFacts, CrateKind, CrateRef, FunctionKind, TypeFact};
use rustc_hash::FxHashMap;
use semver::Version;

/// A crate of a version, as it goes into the graph.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a> {
    pub(super) package: &'a str,
    pub(super) version: &'a str,
    pub(super) facts: &'a CrateFacts,
    /// For functions that can do something by themselves, by their places in
    /// the facts: the bits of what they can do.
    pub(super) capabilities: &'a [(u32, u16)],
}

/// A place in [`Graph::nodes`]: a function, a trait's method, a type, a trait.
pub(super) type Node = u32;
/// A place in [`Graph::crates`].
pub(super) type CrateId = u32;

/// A crate of the universe.
#[derive(Debug)]
pub(super) struct CrateNode {
    pub(super) package: String,
    pub(super) version: String,
    pub(super) name: String,
    pub(super) kind: CrateKind,
    /// What it is linked with, procedural macros apart.
    pub(super) links: Vec<CrateId>,
    /// The procedural macros that it uses.
    pub(super) macros: Vec<CrateId>,
    /// Its functions.
    pub(super) functions: Vec<Node>,
    /// How many places of it could not be followed.
    pub(super) blind_spots: usize,
}

/// What decides which impls a call of a trait's method can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Head {
    /// Nothing is known.
    Open,
    /// A struct, enum or union.
    Adt(Node),
    /// A type of the language, by its place in the list of those.
    Builtin(&'static str),
    /// A trait object.
    Dyn(Option<Node>),
}

/// A call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) to: Node,
    /// For a trait's method, the type that implements the trait.
    pub(super) head: Option<Head>,
    pub(super) line: u32,
}

/// A function, and what it does.
#[derive(Debug, Default)]
pub(super) struct FunctionNode {
    pub(super) kind: FunctionKind,
    pub(super) public: bool,
    pub(super) entry: bool,
    pub(super) symbol: Option<String>,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) is_unsafe: bool,
    pub(super) has_unsafe: bool,
    /// What it can do by itself: the bits of [`crate::Capabilities`].
    pub(super) capabilities: u16,
    pub(super) calls: Vec<Call>,
    pub(super) unsizings: Vec<(Head, Node, u32)>,
    pub(super) uses: Vec<Node>,
}

/// An impl of a trait.
#[derive(Debug)]
pub(super) struct ImplNode {
    pub(super) krate: CrateId,
    pub(super) of: Node,
    pub(super) head: Head,
    pub(super) members: Vec<(Node, Node)>,
    pub(super) types: Vec<Node>,
}

/// A trait.
#[derive(Debug, Default)]
pub(super) struct TraitNode {
    pub(super) supertraits: Vec<Node>,
    pub(super) in_vtable: Vec<Node>,
    pub(super) impls: Vec<u32>,
}

/// Everything, by numbers.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) crates: Vec<CrateNode>,
    /// The crate and the path in it.
    pub(super) nodes: Vec<(CrateId, String)>,
    index: FxHashMap<(CrateId, String), Node>,
    pub(super) functions: FxHashMap<Node, FunctionNode>,
    pub(super) traits: FxHashMap<Node, TraitNode>,
    pub(super) trait_of: FxHashMap<Node, Node>,
    pub(super) impls: Vec<ImplNode>,
    pub(super) impls_for: FxHashMap<Node, Vec<u32>>,
    pub(super) parts: FxHashMap<Node, Vec<Node>>,
    /// The functions with a symbol of their own.
    pub(super) exporters: FxHashMap<String, Vec<Node>>,
    /// `Drop::drop`.
    pub(super) drop: Option<Node>,
}

/// Finds the crates that are meant by name and version.
struct Versions {
    by_name: BTreeMap<(String, String), Vec<(Version, CrateId)>>,
}

impl Versions {
    /// The version itself, else the newest that a requirement of it allows,
    /// else the newest of all: what is linked in its place.
    fn find(&self, named: &CrateRef) -> Option<CrateId> {
        let known = self
            .by_name
            .get(&(named.package.clone(), named.name.clone()))?;
        let version = Version::parse(&named.version).ok();
        let exact = known
            .iter()
            .find(|(known, _)| Some(known) == version.as_ref());
        let compatible = || {
            let version = version.as_ref()?;
            let range = |version: &Version| match (version.major, version.minor) {
                (0, 0) => (0, 0, version.patch),
                (0, minor) => (0, minor, 0),
                (major, _) => (major, 0, 0),
            };
            known
                .iter()
                .rev()
                .find(|(known, _)| range(known) == range(version))
        };
        let found = exact.or_else(compatible).or_else(|| known.last());
        found.map(|(_, id)| *id)
    }
}

impl Graph {
    pub(super) fn new(inputs: &[Input<'_>]) -> Graph {
        let mut graph = Graph::default();
        let mut ids: BTreeMap<(&str, &str, &str, CrateKind), CrateId> = BTreeMap::new();
        let mut facts: Vec<(CrateId, &Input<'_>)> = Vec::new();
        let mut versions = Versions {
            by_name: BTreeMap::new(),
        };
        for input in inputs {
            let (package, version, krate) = (input.package, input.version, input.facts);
            // The same crate with other features is the same crate: what
            // either does counts.
            let key = (package, version, krate.name.as_str(), krate.kind);
            let id = *ids.entry(key).or_insert_with(|| {
                let id = place(graph.crates.len());
                graph.crates.push(CrateNode {
                    package: package.to_owned(),
                    version: version.to_owned(),
                    name: krate.name.clone(),
                    kind: krate.kind,
                    links: Vec::new(),
                    macros: Vec::new(),
                    functions: Vec::new(),
                    blind_spots: 0,
                });
                let is_library = !matches!(krate.kind, CrateKind::Binary | CrateKind::BuildScript);
                if let Ok(version) = Version::parse(version)
                    && is_library
                {
                    let name = (package.to_owned(), krate.name.clone());
                    let known = versions.by_name.entry(name).or_default();
                    known.push((version, id));
                    known.sort();
                }
                id
            });
            facts.push((id, input));
        }
        for (id, input) in facts {
            graph.add(id, input, &versions);
        }
        for krate in &mut graph.crates {
            for list in [&mut krate.links, &mut krate.macros, &mut krate.functions] {
                list.sort_unstable();
                list.dedup();
            }
        }
        let core = graph
            .crates
            .iter()
            .position(|krate| krate.kind == CrateKind::Sysroot && krate.name == "core");
        graph.drop = core.and_then(|core| graph.find(place(core), "ops::drop::Drop::drop"));
        graph
    }

    /// The node of a path.
    pub(super) fn find(&self, krate: CrateId, path: &str) -> Option<Node> {
        self.index.get(&(krate, path.to_owned())).copied()
    }

    fn node(&mut self, krate: CrateId, path: &str) -> Node {
        if let Some(known) = self.find(krate, path) {
            return known;
        }
        let node = place(self.nodes.len());
        self.nodes.push((krate, path.to_owned()));
        self.index.insert((krate, path.to_owned()), node);
        node
    }

    fn add(&mut self, own: CrateId, input: &Input<'_>, versions: &Versions) {
        let facts = input.facts;
        let mut capabilities: FxHashMap<usize, u16> = FxHashMap::default();
        for &(function, bits) in input.capabilities {
            *capabilities.entry(function as usize).or_default() |= bits;
        }
        let crates: Vec<Option<CrateId>> = facts
            .crates
            .iter()
            .enumerate()
            .map(|(at, named)| match at {
                0 => Some(own),
                _ => versions.find(named),
            })
            .collect();
        for &krate in crates.iter().skip(1).flatten() {
            match self.crates[krate as usize].kind {
                CrateKind::ProcMacro => self.crates[own as usize].macros.push(krate),
                _ => self.crates[own as usize].links.push(krate),
            }
        }
        // What lies in a crate that is not there has a node without content,
        // in this crate's name.
        let items: Vec<Node> = facts
            .items
            .iter()
            .map(|item| match crates[item.krate as usize] {
                Some(krate) => self.node(krate, &item.path),
                None => {
                    let named = &facts.crates[item.krate as usize].name;
                    self.node(own, &format!("{{{named}}}::{}", item.path))
                }
            })
            .collect();
        let item = |place: u32| items[place as usize];
        let list = |places: &[u32]| places.iter().map(|place| item(*place)).collect();
        let head = |place: u32| match &facts.types[place as usize] {
            TypeFact::Open => Head::Open,
            TypeFact::Named { item: it, .. } => Head::Adt(item(*it)),
            TypeFact::Builtin { name, .. } => Head::Builtin(name),
            TypeFact::Dyn { item: it } => Head::Dyn(it.map(item)),
        };
        for (place, fact) in facts.functions.iter().enumerate() {
            let node = item(fact.item);
            self.crates[own as usize].functions.push(node);
            if let (Some(symbol), true) = (&fact.symbol, fact.kind != FunctionKind::Foreign) {
                self.exporters.entry(symbol.clone()).or_default().push(node);
            }
            let function = self.functions.entry(node).or_default();
            // Of several functions with one path the first has the place.
            if function.line == 0 {
                function.kind = fact.kind;
                function.line = fact.line;
                let file = facts.files.get(fact.file as usize);
                function.file = file.cloned().unwrap_or_default();
            }
            function.public |= fact.public;
            function.is_unsafe |= fact.is_unsafe;
            function.has_unsafe |= fact.has_unsafe;
            function.capabilities |= capabilities.get(&place).copied().unwrap_or_default();
            function.entry |= fact.entry;
            if fact.kind == FunctionKind::Foreign {
                function.symbol.clone_from(&fact.symbol);
            }
            for call in &fact.calls {
                let mut push = |head| {
                    function.calls.push(Call {
                        to: item(call.callee),
                        head,
                        line: call.line,
                    });
                };
                match call.self_type {
                    None => push(None),
                    Some(ty) => {
                        push(Some(head(ty)));
                        // The language's own impls for tuples, arrays and
                        // references ask their parts.
                        for part in parts(facts, ty) {
                            push(Some(head(part)));
                        }
                    }
                }
            }
            let unsizings = fact.unsizings.iter();
            let unsizings = unsizings.map(|it| (head(it.from), item(it.to), it.line));
            function.unsizings.extend(unsizings);
            function
                .uses
                .extend(fact.uses.iter().map(|place| item(*place)));
        }
        for fact in &facts.traits {
            let node = item(fact.item);
            for &member in &fact.members {
                self.trait_of.insert(item(member), node);
            }
            let known = self.traits.entry(node).or_default();
            known.supertraits = list(&fact.supertraits);
            known.in_vtable = list(&fact.in_vtable);
        }
        for fact in &facts.adts {
            let parts: Vec<Node> = list(&fact.parts);
            self.parts.entry(item(fact.item)).or_default().extend(parts);
        }
        for fact in &facts.impls {
            let id = place(self.impls.len());
            let node = ImplNode {
                krate: own,
                of: item(fact.of),
                head: head(fact.self_type),
                members: fact
                    .members
                    .iter()
                    .map(|(of, by)| (item(*of), item(*by)))
                    .collect(),
                types: list(&fact.types),
            };
            self.traits.entry(node.of).or_default().impls.push(id);
            if let Head::Adt(adt) = node.head {
                self.impls_for.entry(adt).or_default().push(id);
            }
            self.impls.push(node);
        }
        self.crates[own as usize].blind_spots += facts.blind_spots.len();
    }
}

/// The types that a tuple, an array or a slice is made of, all the way down.
fn parts(facts: &CrateFacts, ty: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut todo = vec![ty];
    while let Some(ty) = todo.pop() {
        if let TypeFact::Builtin { args, .. } = &facts.types[ty as usize] {
            for &arg in args {
                if !found.contains(&arg) && arg != ty {
                    found.push(arg);
                    todo.push(arg);
                }
            }
        }
    }
    found
}

pub(super) fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

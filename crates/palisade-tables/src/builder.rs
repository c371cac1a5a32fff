//! Crates on their way into a segment.
//!
//! Names are interned as they come; when the segment is written, everything
//! gets its final number: libraries in the order of their names, symbols in
//! that of library and path, nodes in that of crate and symbol. Neighbours in
//! the source so become neighbours in the adjacency, which is what makes its
//! differences small.

use palisade_model::facts::{BUILTINS, CallFact, CrateFacts, CrateKind, FunctionKind, TypeFact};
use rustc_hash::FxHashMap;

use crate::TablesError;
use crate::back::Back;
use crate::names::Names;
use crate::raw::{put, put_list, put_text, zigzag};
use crate::segment::{Counts, RECORD, Role, flag, head};
use crate::tables::Tables;
use crate::write::Files;

/// A crate of a version, as it goes into the tables.
#[derive(Clone, Copy, Debug)]
pub struct Unit<'a> {
    /// The package's name.
    pub package: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The features that it was read with, joined by commas.
    pub features: &'a str,
    /// What its source says.
    pub facts: &'a CrateFacts,
    /// For functions that can do something by themselves, by their places in
    /// the facts: the bits of what they can do.
    pub capabilities: &'a [(u32, u16)],
    /// What the package asks of its dependencies, as package and requirement.
    pub requirements: &'a [(String, String)],
}

/// When a segment is full: its builder's memory grows with these.
#[derive(Clone, Copy, Debug)]
pub struct BuildLimits {
    /// Names of one segment.
    pub symbols: usize,
    /// Calls of one segment.
    pub calls: usize,
}

impl Default for BuildLimits {
    fn default() -> BuildLimits {
        BuildLimits {
            symbols: 8_000_000,
            calls: 48_000_000,
        }
    }
}

const NEW: u32 = u32::MAX;

struct Lib {
    package: String,
    name: String,
    role: Role,
    known: u32,
    paths: FxHashMap<Box<str>, u32>,
}

struct Node {
    symbol: u32,
    flags: u32,
    line: u32,
    file: u32,
    /// Ranges in the flat lists of all calls and uses.
    calls: (u32, u32),
    uses: (u32, u32),
    export: Option<Box<str>>,
}

struct Link {
    lib: u32,
    requirement: u32,
    recorded: u32,
    direct: bool,
}

/// What is kept of an impl: the trait, the head, the members and the types.
struct Impl {
    of: u32,
    head: u64,
    members: Vec<(u32, u32)>,
    types: Vec<u32>,
}

struct Crate {
    lib: u32,
    version: u32,
    features: u32,
    kind: CrateKind,
    lines: u32,
    spots: u32,
    unresolved: u32,
    source: u32,
    files: Vec<String>,
    links: Vec<Link>,
    nodes: Vec<Node>,
    traits: Vec<[Vec<u32>; 4]>,
    adts: Vec<(u32, Vec<u32>)>,
    impls: Vec<Impl>,
}

/// A segment in the making.
pub(crate) struct Builder<'t> {
    tables: &'t Tables,
    libs: Vec<Lib>,
    lib_index: FxHashMap<(String, String, Role), u32>,
    /// For each symbol its library, and its number where it has one already.
    symbols: Vec<(u32, u32)>,
    sites: FxHashMap<(u32, u64), u32>,
    strings: Vec<u8>,
    string_index: FxHashMap<Box<str>, u32>,
    crates: Vec<Crate>,
    calls: Vec<(u32, u32)>,
    uses: Vec<u32>,
}

/// A site among the targets of calls; the rest are symbols.
const SITE: u32 = 1 << 31;

impl<'t> Builder<'t> {
    pub(crate) fn new(tables: &'t Tables) -> Builder<'t> {
        Builder {
            tables,
            libs: Vec::new(),
            lib_index: FxHashMap::default(),
            symbols: Vec::new(),
            sites: FxHashMap::default(),
            strings: Vec::new(),
            string_index: FxHashMap::default(),
            crates: Vec::new(),
            calls: Vec::new(),
            uses: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.crates.is_empty()
    }

    pub(crate) fn is_full(&self, limits: &BuildLimits) -> bool {
        self.symbols.len() >= limits.symbols || self.calls.len() >= limits.calls
    }

    fn string(&mut self, text: &str) -> u32 {
        if let Some(&known) = self.string_index.get(text) {
            return known;
        }
        let place = self.strings.len() as u32;
        put_text(&mut self.strings, text);
        self.string_index.insert(text.into(), place);
        place
    }

    fn lib(&mut self, package: &str, name: &str, role: Role) -> u32 {
        let key = (package.to_owned(), name.to_owned(), role);
        if let Some(&known) = self.lib_index.get(&key) {
            return known;
        }
        let place = self.libs.len() as u32;
        self.libs.push(Lib {
            package: package.to_owned(),
            name: name.to_owned(),
            role,
            known: self.tables.lib(package, name, role).unwrap_or(NEW),
            paths: FxHashMap::default(),
        });
        self.lib_index.insert(key, place);
        place
    }

    fn symbol(&mut self, lib: u32, path: &str) -> u32 {
        let place = self.symbols.len() as u32;
        let entry = &mut self.libs[lib as usize];
        if let Some(&known) = entry.paths.get(path) {
            return known;
        }
        let known = match entry.known {
            NEW => NEW,
            known => self.tables.symbol(known, path).unwrap_or(NEW),
        };
        entry.paths.insert(path.into(), place);
        self.symbols.push((lib, known));
        place
    }

    fn site(&mut self, method: u32, head: u64) -> u32 {
        let next = self.sites.len() as u32;
        *self.sites.entry((method, head)).or_insert(next) | SITE
    }

    /// Takes one crate in; `source` says which file it comes from.
    pub(crate) fn add(&mut self, unit: &Unit<'_>, source: u32) {
        let facts = unit.facts;
        let lib = self.lib(unit.package, &facts.name, Role::of(facts.kind));
        let libs: Vec<u32> = facts
            .crates
            .iter()
            .enumerate()
            .map(|(at, named)| match at {
                0 => lib,
                _ => self.lib(&named.package, &named.name, Role::Linked),
            })
            .collect();
        let mut links = Vec::new();
        for (named, &to) in facts.crates.iter().zip(&libs).skip(1) {
            let asked = unit.requirements.iter();
            let asked = asked.filter(|(package, _)| *package == named.package);
            // Two requirements on one package are those of renamed ones.
            let asked: Vec<&str> = asked.map(|(_, requirement)| requirement.as_str()).collect();
            let requirement = self.string(match asked.as_slice() {
                [only] => only,
                _ => "",
            });
            let recorded = self.string(&named.version);
            links.push(Link {
                lib: to,
                requirement,
                recorded,
                direct: !asked.is_empty(),
            });
        }
        let items: Vec<u32> = facts
            .items
            .iter()
            .map(|item| {
                let lib = libs.get(item.krate as usize).copied().unwrap_or(lib);
                self.symbol(lib, &item.path)
            })
            .collect();
        let item = |place: u32| items.get(place as usize).copied().unwrap_or(0);
        let list = |places: &[u32]| {
            places
                .iter()
                .map(|&place| item(place))
                .collect::<Vec<u32>>()
        };
        let head_of = |place: u32| match facts.types.get(place as usize) {
            None | Some(TypeFact::Open) => 0,
            Some(TypeFact::Builtin { name, .. }) => {
                let at = BUILTINS.iter().position(|known| known == name);
                1_u64 << 32 | at.unwrap_or(BUILTINS.len() - 1) as u64
            }
            Some(TypeFact::Dyn { item: None }) => 2_u64 << 32,
            Some(TypeFact::Named { item: it, .. }) => 3_u64 << 32 | u64::from(item(*it)),
            Some(TypeFact::Dyn { item: Some(it) }) => 4_u64 << 32 | u64::from(item(*it)),
        };
        let mut flags: FxHashMap<u32, u32> = FxHashMap::default();
        for fact in &facts.impls {
            for &(_, by) in &fact.members {
                *flags.entry(item(by)).or_default() |= flag::MEMBER;
            }
        }
        for fact in &facts.traits {
            for &member in &fact.members {
                *flags.entry(item(member)).or_default() |= flag::TRAIT;
            }
        }
        let mut capable: FxHashMap<u32, u16> = FxHashMap::default();
        for &(function, bits) in unit.capabilities {
            *capable.entry(function).or_default() |= bits;
        }
        // Functions that share a path are one node.
        let mut order: Vec<usize> = (0..facts.functions.len()).collect();
        order.sort_by_key(|&at| (item(facts.functions[at].item), at));
        let mut nodes: Vec<Node> = Vec::new();
        let mut at = 0;
        while at < order.len() {
            let symbol = item(facts.functions[order[at]].item);
            let mut node = Node {
                symbol,
                flags: flags.get(&symbol).copied().unwrap_or_default(),
                line: 0,
                file: 0,
                calls: (self.calls.len() as u32, 0),
                uses: (self.uses.len() as u32, 0),
                export: None,
            };
            let mut first = true;
            while at < order.len() && item(facts.functions[order[at]].item) == symbol {
                let place = order[at];
                let function = &facts.functions[place];
                at += 1;
                if std::mem::take(&mut first) {
                    node.flags |= function.kind as u32;
                    (node.line, node.file) = (function.line, function.file);
                }
                for (set, bit) in [
                    (function.public, flag::PUBLIC),
                    (function.is_unsafe, flag::UNSAFE),
                    (function.has_unsafe, flag::HAS_UNSAFE),
                    (function.entry, flag::ENTRY),
                    (function.symbol.is_some(), flag::EXPORT),
                ] {
                    node.flags |= if set { bit } else { 0 };
                }
                let bits = capable.get(&(place as u32)).copied().unwrap_or_default();
                node.flags |= u32::from(bits) << flag::CAPABILITIES;
                if let Some(symbol) = &function.symbol {
                    node.export = Some(symbol.as_str().into());
                }
                for call in &function.calls {
                    let code = code(call.kind as u64, call.line, node.line);
                    for target in self.targets(facts, call, item(call.callee), &head_of) {
                        self.calls.push((target, code));
                    }
                }
                for unsizing in &function.unsizings {
                    let target = self.site(item(unsizing.to), head_of(unsizing.from));
                    let code = code(UNSIZE, unsizing.line, node.line);
                    self.calls.push((target, code));
                }
                let uses = function.uses.iter().map(|&place| item(place));
                self.uses.extend(uses);
            }
            let start = node.calls.0 as usize;
            self.calls[start..].sort_unstable();
            let mut last = None;
            let mut kept = start;
            for place in start..self.calls.len() {
                let (target, code) = self.calls[place];
                let kind = code & 7;
                if last != Some((target, kind)) {
                    self.calls[kept] = (target, code);
                    kept += 1;
                }
                last = Some((target, kind));
            }
            self.calls.truncate(kept);
            node.calls.1 = self.calls.len() as u32;
            node.uses.1 = self.uses.len() as u32;
            nodes.push(node);
        }
        let unresolved: usize = facts.functions.iter().map(|it| it.unresolved.len()).sum();
        let krate = Crate {
            lib,
            version: self.string(unit.version),
            features: self.string(unit.features),
            kind: facts.kind,
            lines: facts.lines,
            spots: facts.blind_spots.len() as u32,
            unresolved: unresolved as u32,
            source,
            files: facts.files.clone(),
            links,
            nodes,
            traits: facts
                .traits
                .iter()
                .map(|fact| {
                    [
                        vec![item(fact.item)],
                        list(&fact.supertraits),
                        list(&fact.members),
                        list(&fact.in_vtable),
                    ]
                })
                .collect(),
            adts: facts
                .adts
                .iter()
                .map(|fact| (item(fact.item), list(&fact.parts)))
                .collect(),
            impls: facts
                .impls
                .iter()
                .map(|fact| Impl {
                    of: item(fact.of),
                    head: head_of(fact.self_type),
                    members: fact
                        .members
                        .iter()
                        .map(|&(of, by)| (item(of), item(by)))
                        .collect(),
                    types: list(&fact.types),
                })
                .collect(),
        };
        // The sites that its impls answer exist even where nobody calls them.
        for fact in &krate.impls {
            for &(of, _) in &fact.members {
                let next = self.sites.len() as u32;
                self.sites.entry((of, fact.head)).or_insert(next);
            }
        }
        self.crates.push(krate);
    }

    /// What a call leads to: a function, or for a trait's method the method on
    /// that type, and on what a tuple, an array or a reference is made of, whose
    /// own impls ask their parts.
    fn targets(
        &mut self,
        facts: &CrateFacts,
        call: &CallFact,
        callee: u32,
        head_of: &dyn Fn(u32) -> u64,
    ) -> Vec<u32> {
        let Some(ty) = call.self_type else {
            return vec![callee];
        };
        let mut types = vec![ty];
        let mut at = 0;
        while let Some(&ty) = types.get(at) {
            at += 1;
            if let Some(TypeFact::Builtin { args, .. }) = facts.types.get(ty as usize) {
                for &arg in args {
                    if !types.contains(&arg) {
                        types.push(arg);
                    }
                }
            }
        }
        let mut targets: Vec<u32> = types
            .into_iter()
            .map(|ty| self.site(callee, head_of(ty)))
            .collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// Writes everything as a segment behind those of the tables.
    pub(crate) fn write(self, files: &mut Files) -> Result<Counts, TablesError> {
        let bases = self.tables.bases();
        // Libraries.
        let mut new: Vec<u32> = (0..self.libs.len() as u32)
            .filter(|&lib| self.libs[lib as usize].known == NEW)
            .collect();
        new.sort_by(|&a, &b| {
            let key = |lib: u32| {
                let lib = &self.libs[lib as usize];
                (lib.name.as_str(), lib.package.as_str(), lib.role)
            };
            key(a).cmp(&key(b))
        });
        let mut lib_of: Vec<u32> = self.libs.iter().map(|lib| lib.known).collect();
        for (place, &lib) in new.iter().enumerate() {
            lib_of[lib as usize] = bases.libs + place as u32;
        }
        let mut strings = self.strings;
        let mut string = |text: &str| {
            let place = strings.len() as u32;
            put_text(&mut strings, text);
            place
        };
        let mut out = files.file("libs")?;
        for &lib in &new {
            let lib = &self.libs[lib as usize];
            out.u32(string(&lib.package))?;
            out.u32(string(&lib.name))?;
            out.u32(lib.role as u32)?;
            out.u32(0)?;
        }
        files.done(out)?;
        // Symbols.
        let mut final_of: Vec<u32> = self.symbols.iter().map(|&(_, known)| known).collect();
        let mut by_lib: Vec<u32> = (0..self.libs.len() as u32).collect();
        by_lib.sort_by_key(|&lib| lib_of[lib as usize]);
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for &lib in &by_lib {
            let mut own: Vec<(&str, u32)> = self.libs[lib as usize]
                .paths
                .iter()
                .filter(|&(_, &symbol)| final_of[symbol as usize] == NEW)
                .map(|(path, &symbol)| (path.as_ref(), symbol))
                .collect();
            own.sort_unstable();
            if !own.is_empty() {
                ranges.push((lib_of[lib as usize], names.len() as u32));
            }
            for (path, symbol) in own {
                final_of[symbol as usize] = bases.targets + names.len() as u32;
                names.push(path);
            }
        }
        let symbols = names.len() as u32;
        files.pairs("ranges", &ranges)?;
        Names::write(files, names.iter().copied())?;
        drop(names);
        // Sites.
        let mut sites: Vec<(u32, u32, u32)> = self
            .sites
            .iter()
            .map(|(&(method, of), &site)| {
                let of = match (of >> 32, of as u32) {
                    (0, _) => head::OPEN,
                    (1, builtin) => head::BUILTIN + builtin,
                    (2, _) => head::DYN,
                    (3, symbol) => head::adt(final_of[symbol as usize]),
                    (_, symbol) => head::object(final_of[symbol as usize]),
                };
                (final_of[method as usize], of, site)
            })
            .collect();
        sites.sort_unstable();
        let mut site_of = vec![NEW; sites.len()];
        let mut new_sites: Vec<(u32, u32)> = Vec::new();
        for &(method, of, site) in &sites {
            site_of[site as usize] = match self.tables.site(method, of) {
                Some(known) => known,
                None => {
                    new_sites.push((method, of));
                    bases.targets + symbols + new_sites.len() as u32 - 1
                }
            };
        }
        let site_at: FxHashMap<(u32, u32), u32> = sites
            .iter()
            .map(|&(method, of, site)| ((method, of), site_of[site as usize]))
            .collect();
        drop(sites);
        files.pairs("sites", &new_sites)?;
        let target = |target: u32| match target & SITE {
            0 => final_of[target as usize],
            _ => site_of[(target & !SITE) as usize],
        };
        let head_code = |of: u64| match (of >> 32, of as u32) {
            (0, _) => head::OPEN,
            (1, builtin) => head::BUILTIN + builtin,
            (2, _) => head::DYN,
            (3, symbol) => head::adt(final_of[symbol as usize]),
            (_, symbol) => head::object(final_of[symbol as usize]),
        };
        let map = |list: &[u32]| {
            list.iter()
                .map(|&it| final_of[it as usize])
                .collect::<Vec<u32>>()
        };
        // Crates and nodes.
        let mut crates = self.crates;
        crates.sort_by_cached_key(|krate| {
            let text = |place: u32| {
                let mut numbers = crate::raw::Numbers::new(&strings[place as usize..]);
                numbers.text().to_owned()
            };
            (
                lib_of[krate.lib as usize],
                text(krate.version),
                text(krate.features),
            )
        });
        for krate in &mut crates {
            krate
                .nodes
                .sort_by_key(|node| final_of[node.symbol as usize]);
            krate.links.sort_by_key(|link| lib_of[link.lib as usize]);
        }
        let mut records = files.file("crates")?;
        let mut links = files.file("links")?;
        let mut functions = files.file("functions")?;
        let mut places = files.file("places")?;
        let mut starts = files.file("forward.starts")?;
        let mut forward = files.file("forward")?;
        let mut rest = files.file("rest")?;
        let (mut rlinks, mut impls, mut declares) = (Vec::new(), Vec::new(), Vec::new());
        let (mut supers, mut wholes, mut exports) = (Vec::new(), Vec::new(), Vec::new());
        let (mut node_count, mut link_count, mut call_count) = (0_u32, 0_u32, 0_u64);
        let mut buffer = Vec::new();
        for (place, krate) in crates.iter().enumerate() {
            let record: [u32; RECORD] = [
                lib_of[krate.lib as usize],
                krate.version,
                krate.features,
                krate.kind as u32,
                krate.lines,
                krate.spots,
                krate.source,
                node_count,
                forward.bytes as u32,
                (forward.bytes >> 32) as u32,
                rest.bytes as u32,
                (rest.bytes >> 32) as u32,
                link_count,
                krate.links.len() as u32,
                krate.unresolved,
                0,
            ];
            for value in record {
                records.u32(value)?;
            }
            for link in &krate.links {
                let lib = lib_of[link.lib as usize];
                for value in [lib, link.requirement, link.recorded, link.direct.into()] {
                    links.u32(value)?;
                }
                rlinks.push((lib, place as u32));
            }
            link_count += krate.links.len() as u32;
            let base = forward.bytes;
            buffer.clear();
            put(&mut buffer, krate.files.len() as u64);
            for file in &krate.files {
                put_text(&mut buffer, file);
            }
            for node in &krate.nodes {
                let symbol = final_of[node.symbol as usize];
                functions.u32(symbol)?;
                functions.u32(node.flags)?;
                places.u32(node.line)?;
                places.u32(node.file)?;
                starts.u32((forward.bytes - base) as u32)?;
                let own = &self.calls[node.calls.0 as usize..node.calls.1 as usize];
                let mut own: Vec<(u32, u32)> =
                    own.iter().map(|&(to, code)| (target(to), code)).collect();
                own.sort_unstable();
                call_count += own.len() as u64;
                let mut list = Vec::with_capacity(own.len() * 5 + 2);
                put(&mut list, own.len() as u64);
                let mut last = symbol;
                for (to, code) in own {
                    put(&mut list, zigzag(i64::from(to) - i64::from(last)));
                    put(&mut list, code.into());
                    last = to;
                }
                forward.bytes(&list)?;
                let mut uses = map(&self.uses[node.uses.0 as usize..node.uses.1 as usize]);
                uses.sort_unstable();
                uses.dedup();
                put(&mut buffer, uses.len() as u64);
                let mut last = 0;
                for adt in uses {
                    put(&mut buffer, (adt - last).into());
                    last = adt;
                }
                if let Some(export) = &node.export {
                    put_text(&mut buffer, export);
                    exports.push((crate::segment::name_hash(export), node_count));
                }
                node_count += 1;
            }
            put(&mut buffer, krate.traits.len() as u64);
            for lists in &krate.traits {
                for list in lists {
                    put_list(&mut buffer, &map(list));
                }
                for &above in &lists[1] {
                    let own = final_of[lists[0][0] as usize];
                    supers.push((final_of[above as usize], own));
                }
            }
            put(&mut buffer, krate.adts.len() as u64);
            for (adt, parts) in &krate.adts {
                let adt = final_of[*adt as usize];
                put(&mut buffer, adt.into());
                let parts = map(parts);
                put_list(&mut buffer, &parts);
                wholes.extend(parts.iter().map(|&part| (part, adt)));
            }
            put(&mut buffer, krate.impls.len() as u64);
            for fact in &krate.impls {
                let of = head_code(fact.head);
                put(&mut buffer, final_of[fact.of as usize].into());
                put(&mut buffer, of.into());
                put(&mut buffer, fact.members.len() as u64);
                for &(method, by) in &fact.members {
                    let (method, by) = (final_of[method as usize], final_of[by as usize]);
                    put(&mut buffer, method.into());
                    put(&mut buffer, by.into());
                    if let Some(&site) = site_at.get(&(method, of)) {
                        impls.push((site, by));
                        declares.push((by, site));
                    }
                }
                put_list(&mut buffer, &map(&fact.types));
            }
            rest.bytes(&buffer)?;
        }
        for out in [records, links, functions, places, starts, forward, rest] {
            files.done(out)?;
        }
        for (name, list) in [
            ("rlinks", &mut rlinks),
            ("impls", &mut impls),
            ("declares", &mut declares),
            ("supers", &mut supers),
            ("wholes", &mut wholes),
            ("exports", &mut exports),
        ] {
            list.sort_unstable();
            list.dedup();
            files.pairs(name, list)?;
        }
        files.whole("strings", &strings)?;
        // Backwards.
        let targets = bases.targets + symbols + new_sites.len() as u32;
        let calls = |visit: &mut dyn FnMut(u32, u32)| {
            let nodes = crates.iter().flat_map(|krate| &krate.nodes);
            for (place, node) in nodes.enumerate() {
                for &(to, _) in &self.calls[node.calls.0 as usize..node.calls.1 as usize] {
                    visit(place as u32, target(to));
                }
            }
        };
        Back::write(files, "callers", targets, &calls)?;
        let uses = |visit: &mut dyn FnMut(u32, u32)| {
            let nodes = crates.iter().flat_map(|krate| &krate.nodes);
            for (place, node) in nodes.enumerate() {
                for &adt in &self.uses[node.uses.0 as usize..node.uses.1 as usize] {
                    visit(place as u32, final_of[adt as usize]);
                }
            }
        };
        Back::write(files, "users", targets, &uses)?;
        Ok(Counts {
            libs: new.len() as u32,
            symbols,
            sites: new_sites.len() as u32,
            crates: crates.len() as u32,
            nodes: node_count,
            calls: call_count,
        })
    }
}

/// The kind of a call that makes a type into a trait object.
pub(crate) const UNSIZE: u64 = 4;

/// Kind and line of a call in one number.
fn code(kind: u64, line: u32, start: u32) -> u32 {
    let line = match line {
        0 => 0,
        line => 1 + zigzag(i64::from(line) - i64::from(start)),
    };
    (line << 3 | kind) as u32
}

/// Whether a function has a body that somebody wrote.
pub fn has_body(flags: u32) -> bool {
    flags & flag::KIND == FunctionKind::Function as u32
}

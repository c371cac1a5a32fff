//! One immutable part of the tables.

use camino::Utf8Path;
use palisade_model::facts::CrateKind;
use serde::{Deserialize, Serialize};

use crate::TablesError;
use crate::back::Back;
use crate::names::Names;
use crate::raw::{Bytes, Numbers, partition};

/// What a library is to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum Role {
    /// Others are linked with it, or expand it.
    Linked = 0,
    /// A program.
    Program = 1,
    /// A build script.
    Script = 2,
}

impl Role {
    /// The role of a kind of crate.
    pub fn of(kind: CrateKind) -> Role {
        match kind {
            CrateKind::Binary => Role::Program,
            CrateKind::BuildScript => Role::Script,
            _ => Role::Linked,
        }
    }

    fn read(value: u32) -> Role {
        match value {
            1 => Role::Program,
            2 => Role::Script,
            _ => Role::Linked,
        }
    }
}

/// The flags of functions.
pub mod flag {
    /// The kind, as a place in the list of kinds.
    pub const KIND: u32 = 7;
    /// Another crate can name it.
    pub const PUBLIC: u32 = 1 << 3;
    /// It is declared `unsafe`.
    pub const UNSAFE: u32 = 1 << 4;
    /// Its body holds an `unsafe` block.
    pub const HAS_UNSAFE: u32 = 1 << 5;
    /// It is reached without a call.
    pub const ENTRY: u32 = 1 << 6;
    /// It is what an impl gives for a trait's item.
    pub const MEMBER: u32 = 1 << 7;
    /// It is a trait's own item.
    pub const TRAIT: u32 = 1 << 8;
    /// It has a symbol of its own.
    pub const EXPORT: u32 = 1 << 9;
    /// From which bit on the capabilities are.
    pub const CAPABILITIES: u32 = 16;
}

/// On what type a trait's method is called, in one number.
pub(crate) mod head {
    /// Nothing is known.
    pub(crate) const OPEN: u32 = 0;
    /// The first type of the language.
    pub(crate) const BUILTIN: u32 = 1;
    /// A trait object of marker traits.
    pub(crate) const DYN: u32 = 60;
    const NAMED: u32 = 64;

    /// A struct, enum or union.
    pub(crate) fn adt(symbol: u32) -> u32 {
        NAMED.wrapping_add(symbol.wrapping_mul(2))
    }

    /// A trait object.
    pub(crate) fn object(symbol: u32) -> u32 {
        adt(symbol) + 1
    }

    /// The symbol of a type that has one.
    pub(crate) fn symbol(head: u32) -> Option<u32> {
        (head >= NAMED).then(|| (head - NAMED) / 2)
    }

    /// Whether it is a trait object.
    pub(crate) fn is_object(head: u32) -> bool {
        head == DYN || (head >= NAMED && (head - NAMED) % 2 == 1)
    }
}

/// Numbers in a crate's record.
pub(crate) const RECORD: usize = 16;

/// How much of each a segment adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Libraries, programs and build scripts.
    pub libs: u32,
    /// Names of functions, types and traits.
    pub symbols: u32,
    /// Trait methods on a type.
    pub sites: u32,
    /// Crates of versions.
    pub crates: u32,
    /// Functions of crates.
    pub nodes: u32,
    /// Calls, each callee once for a function.
    pub calls: u64,
}

/// Where a segment's numbers begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bases {
    pub(crate) libs: u32,
    pub(crate) targets: u32,
    pub(crate) crates: u32,
    pub(crate) nodes: u32,
}

/// One of a crate's dependencies.
#[derive(Clone, Debug)]
pub struct Link {
    /// The library.
    pub lib: u32,
    /// What the package asks for; `None` where the index was not there, or the
    /// package depends on it through others alone.
    pub requirement: Option<String>,
    /// The version that the crate was read with.
    pub recorded: String,
}

/// A call of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) target: u32,
    pub(crate) kind: u32,
    pub(crate) line: u32,
}

#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) bases: Bases,
    pub(crate) counts: Counts,
    libs: Bytes,
    strings: Bytes,
    ranges: Bytes,
    names: Names,
    sites: Bytes,
    crates: Bytes,
    links: Bytes,
    functions: Bytes,
    places: Bytes,
    starts: Bytes,
    forward: Bytes,
    rest: Bytes,
    pub(crate) rlinks: Bytes,
    pub(crate) impls: Bytes,
    pub(crate) declares: Bytes,
    pub(crate) supers: Bytes,
    pub(crate) wholes: Bytes,
    pub(crate) exports: Bytes,
    pub(crate) callers: Back,
    pub(crate) users: Back,
}

impl Segment {
    pub(crate) fn open(
        dir: &Utf8Path,
        bases: Bases,
        counts: Counts,
    ) -> Result<Segment, TablesError> {
        let open = |name: &str| Bytes::open(&dir.join(name));
        Ok(Segment {
            bases,
            counts,
            libs: open("libs")?,
            strings: open("strings")?,
            ranges: open("ranges")?,
            names: Names::open(dir)?,
            sites: open("sites")?,
            crates: open("crates")?,
            links: open("links")?,
            functions: open("functions")?,
            places: open("places")?,
            starts: open("forward.starts")?,
            forward: open("forward")?,
            rest: open("rest")?,
            rlinks: open("rlinks")?,
            impls: open("impls")?,
            declares: open("declares")?,
            supers: open("supers")?,
            wholes: open("wholes")?,
            exports: open("exports")?,
            callers: Back::open(dir, "callers")?,
            users: Back::open(dir, "users")?,
        })
    }

    /// Bytes of the adjacency: forwards with kinds and lines, and backwards.
    pub(crate) fn adjacency(&self) -> (u64, u64) {
        let forward = self.forward.len() + self.starts.len();
        (forward as u64, self.callers.size())
    }

    fn text(&self, place: u32) -> &str {
        Numbers::new(self.strings.get(place as usize..).unwrap_or_default()).text()
    }

    /// Package, name and role of one of its libraries, from 0.
    pub(crate) fn lib(&self, at: usize) -> (&str, &str, Role) {
        (
            self.text(self.libs.u32(4 * at)),
            self.text(self.libs.u32(4 * at + 1)),
            Role::read(self.libs.u32(4 * at + 2)),
        )
    }

    /// The first of its libraries whose name is not below.
    pub(crate) fn first_lib(&self, name: &str, package: &str) -> usize {
        partition(0, self.counts.libs as usize, |at| {
            let (own_package, own, _) = self.lib(at);
            (own, own_package) < (name, package)
        })
    }

    /// The symbols that it adds to a library, from 0.
    pub(crate) fn range(&self, lib: u32) -> std::ops::Range<usize> {
        let at = self.ranges.lower((lib, 0));
        match at < self.ranges.pairs() && self.ranges.pair(at).0 == lib {
            false => 0..0,
            true => {
                let end = match at + 1 < self.ranges.pairs() {
                    true => self.ranges.pair(at + 1).1,
                    false => self.counts.symbols,
                };
                self.ranges.pair(at).1 as usize..end as usize
            }
        }
    }

    /// The library of one of its symbols, from 0.
    pub(crate) fn lib_of(&self, symbol: u32) -> u32 {
        let after = partition(0, self.ranges.pairs(), |at| {
            self.ranges.pair(at).1 <= symbol
        });
        self.ranges.pair(after.saturating_sub(1)).0
    }

    pub(crate) fn find_symbol(&self, lib: u32, path: &str) -> Option<u32> {
        let range = self.range(lib);
        if range.is_empty() {
            return None;
        }
        let found = self.names.find(range.start, range.end, path)?;
        Some(self.bases.targets + found as u32)
    }

    pub(crate) fn name(&self, symbol: u32) -> String {
        self.names.get(symbol as usize)
    }

    pub(crate) fn each_name(&self, lib: u32, mut visit: impl FnMut(u32, &str)) {
        let range = self.range(lib);
        self.names.each(range.start, range.end, |at, name| {
            visit(self.bases.targets + at as u32, name);
        });
    }

    fn first_site(&self) -> u32 {
        self.bases.targets + self.counts.symbols
    }

    pub(crate) fn find_site(&self, method: u32, head: u32) -> Option<u32> {
        let at = self.sites.lower((method, head));
        (at < self.sites.pairs() && self.sites.pair(at) == (method, head))
            .then(|| self.first_site() + at as u32)
    }

    /// The sites of a method, with the heads.
    pub(crate) fn sites_of(&self, method: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        (self.sites.lower((method, 0))..self.sites.pairs())
            .map(|at| (self.sites.pair(at), self.first_site() + at as u32))
            .take_while(move |(pair, _)| pair.0 == method)
            .map(|(pair, site)| (site, pair.1))
    }

    /// Method and head of a target of this segment, if it is a site.
    pub(crate) fn site(&self, target: u32) -> Option<(u32, u32)> {
        let at = target.checked_sub(self.first_site())?;
        Some(self.sites.pair(at as usize))
    }

    /// The crates of a library, from 0.
    pub(crate) fn crates_of(&self, lib: u32) -> std::ops::Range<u32> {
        let count = self.counts.crates as usize;
        let start = partition(0, count, |at| self.record(at, 0) < lib);
        let end = partition(start, count, |at| self.record(at, 0) == lib);
        start as u32..end as u32
    }

    pub(crate) fn record(&self, krate: usize, field: usize) -> u32 {
        self.crates.u32(krate * RECORD + field)
    }

    pub(crate) fn version(&self, krate: usize) -> &str {
        self.text(self.record(krate, 1))
    }

    pub(crate) fn features(&self, krate: usize) -> &str {
        self.text(self.record(krate, 2))
    }

    /// The nodes of a crate, from 0.
    pub(crate) fn nodes_of(&self, krate: usize) -> std::ops::Range<u32> {
        let end = match krate + 1 < self.counts.crates as usize {
            true => self.record(krate + 1, 7),
            false => self.counts.nodes,
        };
        self.record(krate, 7)..end
    }

    pub(crate) fn crate_of(&self, node: u32) -> u32 {
        let count = self.counts.crates as usize;
        partition(0, count, |at| self.record(at, 7) <= node).saturating_sub(1) as u32
    }

    pub(crate) fn symbol_of(&self, node: u32) -> u32 {
        self.functions.u32(2 * node as usize)
    }

    pub(crate) fn flags(&self, node: u32) -> u32 {
        self.functions.u32(2 * node as usize + 1)
    }

    /// Line and file of a node.
    pub(crate) fn place(&self, node: u32) -> (u32, u32) {
        self.places.pair(node as usize)
    }

    pub(crate) fn link_count(&self, krate: usize) -> usize {
        self.record(krate, 13) as usize
    }

    pub(crate) fn link_lib(&self, krate: usize, at: usize) -> u32 {
        self.links.u32(4 * (self.record(krate, 12) as usize + at))
    }

    pub(crate) fn link(&self, krate: usize, at: usize) -> Link {
        let at = 4 * (self.record(krate, 12) as usize + at);
        let requirement = self.text(self.links.u32(at + 1));
        Link {
            lib: self.links.u32(at),
            requirement: (!requirement.is_empty()).then(|| requirement.to_owned()),
            recorded: self.text(self.links.u32(at + 2)).to_owned(),
        }
    }

    /// The number of a crate's link with a library.
    pub(crate) fn find_link(&self, krate: usize, lib: u32) -> Option<usize> {
        let count = self.link_count(krate);
        let at = partition(0, count, |at| self.link_lib(krate, at) < lib);
        (at < count && self.link_lib(krate, at) == lib).then_some(at)
    }

    pub(crate) fn calls(&self, node: u32) -> Vec<Call> {
        let krate = self.crate_of(node) as usize;
        let low = u64::from(self.record(krate, 8));
        let base = low | u64::from(self.record(krate, 9)) << 32;
        let at = base as usize + self.starts.u32(node as usize) as usize;
        let mut numbers = Numbers::new(self.forward.get(at..).unwrap_or_default());
        let count = numbers.next().min(numbers.bytes.len() as u64);
        let (start, _) = self.place(node);
        let mut last = self.symbol_of(node);
        let mut calls = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let step = crate::raw::unzigzag(numbers.next());
            last = (i64::from(last) + step) as u32;
            let code = numbers.small();
            let line = match code >> 3 {
                0 => 0,
                line => i64::from(start) + crate::raw::unzigzag(u64::from(line) - 1),
            };
            calls.push(Call {
                target: last,
                kind: code & 7,
                line: line as u32,
            });
        }
        calls
    }

    /// Everything else about a crate, in the order in which it was written.
    pub(crate) fn rest(&self, krate: usize) -> Numbers<'_> {
        let low = u64::from(self.record(krate, 10));
        let base = low | u64::from(self.record(krate, 11)) << 32;
        Numbers::new(self.rest.get(base as usize..).unwrap_or_default())
    }

    pub(crate) fn files(&self, krate: usize) -> Vec<String> {
        let mut numbers = self.rest(krate);
        let count = numbers.next().min(numbers.bytes.len() as u64);
        (0..count).map(|_| numbers.text().to_owned()).collect()
    }
}

/// A short number for a linker's symbol; others with the same number only make
/// answers more careful.
pub(crate) fn name_hash(name: &str) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for byte in name.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    hash
}

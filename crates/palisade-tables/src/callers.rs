//! Backwards: who calls a function, directly or at any distance.
//!
//! A trait's method on a type is a target of its own, so a call of it and the
//! impl that answers are each one entry, however many meet there. A call on an
//! unknown type, or through a trait object, may mean an impl for a type only
//! where that type occurs in what is walked: such callers count if values of
//! the type occur in their own closures, which a second sweep finds, backwards
//! from the functions that have such values.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use palisade_model::facts::FunctionKind;

use crate::segment::{flag, head};
use crate::view::View;

/// How a caller leads to a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// By its name.
    Named,
    /// By a trait's method on the type of its impl.
    Typed,
    /// By a trait's method on an unknown type, or through a trait object.
    Open,
    /// By dropping a value.
    Drop,
}

/// Functions that are looked for.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Those that are in the tables.
    pub nodes: Vec<u32>,
    /// Names in libraries of which no version is in the tables.
    pub symbols: Vec<u32>,
}

/// Who reaches what a search started from.
#[derive(Debug)]
pub struct Reached {
    /// For each node, 1 more than the next one on the way; 0 for none.
    next: Vec<AtomicU32>,
    found: Bits,
    start: BTreeSet<u32>,
}

impl Reached {
    /// Whether a node gets there.
    pub fn contains(&self, node: u32) -> bool {
        self.found.has(node)
    }

    /// The nodes that get there, in order, without those started from.
    pub fn nodes(&self) -> impl Iterator<Item = u32> + '_ {
        self.found.iter().filter(|node| !self.start.contains(node))
    }

    /// How many get there, without those started from.
    pub fn len(&self) -> usize {
        self.found.len()
            - self
                .start
                .iter()
                .filter(|node| self.found.has(**node))
                .count()
    }

    /// Whether nobody gets there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The way from a node, itself first, to one that was started from.
    pub fn way(&self, node: u32) -> Vec<u32> {
        let mut way = vec![node];
        let mut at = node;
        while let Some(next) = self.next.get(at as usize) {
            match next.load(Ordering::Relaxed) {
                0 => break,
                next => at = next - 1,
            }
            if way.contains(&at) {
                break;
            }
            way.push(at);
        }
        way
    }
}

/// A search in a view.
#[derive(Debug)]
pub struct Search<'v> {
    view: &'v View<'v>,
    threads: usize,
    /// `Drop::drop` of the standard library.
    drop: Vec<u32>,
}

/// Below this many nodes a level is not worth a thread.
const ALONE: usize = 2048;

/// Finds the crate of a node without a long search.
struct Crates {
    starts: Vec<u32>,
    hints: Vec<u32>,
}

impl Crates {
    fn new(view: &View<'_>) -> Crates {
        let tables = view.tables;
        let starts: Vec<u32> = (0..tables.crate_count())
            .map(|krate| tables.nodes_of(krate).start)
            .collect();
        let mut hints = Vec::with_capacity(tables.node_count() as usize / 256 + 1);
        let mut krate = 0_u32;
        for node in (0..=tables.node_count()).step_by(256) {
            while starts.get(krate as usize + 1).is_some_and(|it| *it <= node) {
                krate += 1;
            }
            hints.push(krate);
        }
        Crates { starts, hints }
    }

    fn of(&self, node: u32) -> u32 {
        let mut krate = self.hints.get(node as usize / 256).copied().unwrap_or(0);
        while self
            .starts
            .get(krate as usize + 1)
            .is_some_and(|it| *it <= node)
        {
            krate += 1;
        }
        krate
    }
}

/// A set of nodes that several threads fill.
#[derive(Debug)]
struct Bits(Vec<AtomicU64>);

impl Bits {
    fn new(count: u32) -> Bits {
        Bits((0..count.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    fn has(&self, node: u32) -> bool {
        let word = self.0.get(node as usize / 64);
        word.is_some_and(|word| word.load(Ordering::Relaxed) >> (node % 64) & 1 == 1)
    }

    /// Whether it was not there yet.
    fn insert(&self, node: u32) -> bool {
        let bit = 1 << (node % 64);
        let word = self.0.get(node as usize / 64);
        word.is_some_and(|word| word.fetch_or(bit, Ordering::Relaxed) & bit == 0)
    }

    fn len(&self) -> usize {
        let words = self.0.iter();
        words
            .map(|word| word.load(Ordering::Relaxed).count_ones() as usize)
            .sum()
    }

    fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut word = word.load(Ordering::Relaxed);
            std::iter::from_fn(move || {
                if word == 0 {
                    return None;
                }
                let bit = word.trailing_zeros();
                word &= word - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }
}

/// What a sweep found besides the nodes.
#[derive(Default)]
struct Aside {
    next: Vec<u32>,
    /// Callers on unknown types, with what they lead to.
    open: Vec<(u32, u32)>,
    /// The types that they would have to have values of.
    types: BTreeSet<u32>,
}

impl<'v> Search<'v> {
    /// A search with so many threads.
    pub fn new(view: &'v View<'v>, threads: usize) -> Search<'v> {
        let tables = view.tables;
        let libs = tables.libs_named("core");
        let drop = libs
            .into_iter()
            .filter_map(|lib| tables.symbol(lib, "ops::drop::Drop::drop"));
        Search {
            view,
            threads: threads.max(1),
            drop: drop.collect(),
        }
    }

    /// Who calls a function without any other between them, and how; each
    /// caller once, in order.
    pub fn direct(&self, start: &Start) -> Vec<(u32, u32, Hop)> {
        let mut found: Vec<(u32, u32, Hop)> = Vec::new();
        let tables = self.view.tables;
        let krate = |node| tables.node_crate(node);
        for &node in &start.nodes {
            self.each_before(node, &krate, &mut |caller, hop, _| {
                found.push((caller, node, hop));
            });
        }
        self.each_before_symbols(start, &krate, &mut |caller| {
            found.push((caller, caller, Hop::Named));
        });
        found.sort_by_key(|&(caller, node, hop)| (caller, hop as u8, node));
        found.dedup_by_key(|it| it.0);
        found
    }

    /// How `caller` calls `node`, where it does so directly.
    pub fn hop(&self, caller: u32, node: u32) -> Option<Hop> {
        let tables = self.view.tables;
        let krate = |node| tables.node_crate(node);
        let mut best: Option<Hop> = None;
        self.each_before(node, &krate, &mut |found, hop, _| {
            if found == caller && best.is_none_or(|best| (hop as u8) < best as u8) {
                best = Some(hop);
            }
        });
        best
    }

    /// Who calls a function at any distance.
    pub fn transitive(&self, start: &Start) -> Reached {
        let tables = self.view.tables;
        let crates = Crates::new(self.view);
        let count = tables.node_count();
        let next: Vec<AtomicU32> = (0..count).map(|_| AtomicU32::new(0)).collect();
        let sure = Bits::new(count);
        for &node in &start.nodes {
            sure.insert(node);
        }
        let mut level = start.nodes.clone();
        self.each_before_symbols(start, &|node| crates.of(node), &mut |caller| {
            if sure.insert(caller) {
                level.push(caller);
            }
        });
        let Aside { open, types, .. } = self.sweep(level, &sure, Some(&next), &crates, true);
        if !open.is_empty() {
            let maybe = Bits::new(count);
            let mut level = Vec::new();
            for (caller, node) in open {
                if !sure.has(caller) && maybe.insert(caller) {
                    next[caller as usize].store(node + 1, Ordering::Relaxed);
                    level.push(caller);
                }
            }
            // What is sure anyway need not be walked again, and keeps its way.
            let _ = self.sweep_from(level, &maybe, Some(&sure), Some(&next), &crates, false);
            let users = Bits::new(count);
            let mut level = Vec::new();
            for adt in self.wholes(types) {
                tables.each_user(adt, |user| {
                    if self.view.counts(crates.of(user)) && users.insert(user) {
                        level.push(user);
                    }
                });
            }
            let _ = self.sweep(level, &users, None, &crates, false);
            for node in maybe.iter().filter(|node| users.has(*node)) {
                sure.insert(node);
            }
        }
        Reached {
            next,
            found: sure,
            start: start.nodes.iter().copied().collect(),
        }
    }

    fn sweep(
        &self,
        level: Vec<u32>,
        seen: &Bits,
        next: Option<&[AtomicU32]>,
        crates: &Crates,
        apart: bool,
    ) -> Aside {
        self.sweep_from(level, seen, None, next, crates, apart)
    }

    /// Goes backwards from a level until nothing new is found. With `apart`,
    /// callers on unknown types are not walked but kept aside.
    fn sweep_from(
        &self,
        mut level: Vec<u32>,
        seen: &Bits,
        without: Option<&Bits>,
        next: Option<&[AtomicU32]>,
        crates: &Crates,
        apart: bool,
    ) -> Aside {
        let mut all = Aside::default();
        let step = |part: &[u32]| {
            let mut aside = Aside::default();
            for &node in part {
                self.each_before(node, &|node| crates.of(node), &mut |caller, hop, of| {
                    if seen.has(caller) || without.is_some_and(|without| without.has(caller)) {
                        return;
                    }
                    if apart && hop == Hop::Open {
                        aside.open.push((caller, node));
                        aside.types.extend(of);
                        return;
                    }
                    if seen.insert(caller) {
                        if let Some(next) = next {
                            next[caller as usize].store(node + 1, Ordering::Relaxed);
                        }
                        aside.next.push(caller);
                    }
                });
            }
            aside
        };
        while !level.is_empty() {
            let found: Vec<Aside> = match self.threads {
                threads if threads > 1 && level.len() >= ALONE => {
                    let parts = level.chunks(level.len().div_ceil(threads * 4));
                    let parts: Vec<&[u32]> = parts.collect();
                    let taken = AtomicU32::new(0);
                    let work = || {
                        let mut own = Vec::new();
                        while let Some(part) =
                            parts.get(taken.fetch_add(1, Ordering::Relaxed) as usize)
                        {
                            own.push(step(part));
                        }
                        own
                    };
                    std::thread::scope(|scope| {
                        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
                        handles
                            .into_iter()
                            .flat_map(|handle| handle.join().unwrap_or_default())
                            .collect()
                    })
                }
                _ => vec![step(&level)],
            };
            level.clear();
            for mut aside in found {
                level.append(&mut aside.next);
                all.open.append(&mut aside.open);
                all.types.append(&mut aside.types);
            }
            // In order, the lists lie one behind the other in the files.
            level.sort_unstable();
        }
        all
    }

    /// The types that hold one of these, themselves included.
    fn wholes(&self, types: BTreeSet<u32>) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        let mut todo: Vec<u32> = types.into_iter().collect();
        while let Some(adt) = todo.pop() {
            if found.insert(adt) {
                let segments = self.view.tables.segments.iter();
                todo.extend(segments.flat_map(|segment| segment.wholes.seconds(adt)));
            }
        }
        found
    }

    fn each_before_symbols(
        &self,
        start: &Start,
        krate: &dyn Fn(u32) -> u32,
        visit: &mut dyn FnMut(u32),
    ) {
        let tables = self.view.tables;
        for &symbol in &start.symbols {
            let mut targets = vec![symbol];
            for segment in &tables.segments {
                targets.extend(segment.sites_of(symbol).map(|(site, _)| site));
            }
            for target in targets {
                tables.each_caller(target, |caller| {
                    if self.view.counts(krate(caller)) {
                        visit(caller);
                    }
                });
            }
        }
    }

    /// Visits what leads to a node in one step, how, and for open calls the
    /// type of which a value must occur.
    fn each_before(
        &self,
        node: u32,
        krate: &dyn Fn(u32) -> u32,
        visit: &mut dyn FnMut(u32, Hop, Option<u32>),
    ) {
        let (tables, view) = (self.view.tables, self.view);
        let own = krate(node);
        let symbol = tables.node_symbol(node);
        let flags = tables.node_flags(node);
        tables.each_caller(symbol, |caller| {
            let of = krate(caller);
            if view.counts(of) && view.leads(of, own) {
                visit(caller, Hop::Named, None);
            }
        });
        if flags & flag::MEMBER != 0 {
            for segment in &tables.segments {
                for site in segment.declares.seconds(symbol) {
                    if let Some((method, of)) = tables.site_of(site) {
                        self.each_before_site(own, (site, method, of), krate, visit);
                    }
                }
            }
        }
        if flags & flag::TRAIT != 0 {
            for segment in &tables.segments {
                for (site, of) in segment.sites_of(symbol) {
                    let overridden = of != head::OPEN
                        && !head::is_object(of)
                        && tables
                            .segments
                            .iter()
                            .any(|it| it.impls.seconds(site).next().is_some());
                    if !overridden {
                        self.each_at(own, symbol, site, krate, &mut |caller| {
                            visit(caller, Hop::Typed, None);
                        });
                    }
                }
            }
            // Whoever makes some type into an object of the trait.
            if let Some(object) = self.trait_of(symbol) {
                for object in self.subtraits(object) {
                    for segment in &tables.segments {
                        for (site, _) in segment.sites_of(object) {
                            self.each_at(own, object, site, krate, &mut |caller| {
                                visit(caller, Hop::Typed, None);
                            });
                        }
                    }
                }
            }
        }
        if flags & flag::EXPORT != 0 && flags & flag::KIND != FunctionKind::Foreign as u32 {
            self.each_declaration(node, own, krate, visit);
        }
    }

    /// Callers of a trait's method that an impl answers.
    fn each_before_site(
        &self,
        own: u32,
        (site, method, of): (u32, u32, u32),
        krate: &dyn Fn(u32) -> u32,
        visit: &mut dyn FnMut(u32, Hop, Option<u32>),
    ) {
        let (tables, view) = (self.view.tables, self.view);
        let adt = head::symbol(of).filter(|_| !head::is_object(of));
        if let (true, Some(adt)) = (self.drop.contains(&method), adt) {
            for whole in self.wholes(BTreeSet::from([adt])) {
                tables.each_user(whole, |user| {
                    if view.counts(krate(user)) {
                        visit(user, Hop::Drop, None);
                    }
                });
            }
        }
        // An impl for a type parameter answers for every type.
        if of == head::OPEN {
            for segment in &tables.segments {
                for (site, _) in segment.sites_of(method) {
                    self.each_at(own, method, site, krate, &mut |caller| {
                        visit(caller, Hop::Typed, None);
                    });
                }
            }
        } else {
            self.each_at(own, method, site, krate, &mut |caller| {
                visit(caller, Hop::Typed, None);
            });
            // For types of the language nothing says where they occur.
            let hop = match adt {
                Some(_) => Hop::Open,
                None => Hop::Typed,
            };
            for segment in &tables.segments {
                for (site, of) in segment.sites_of(method) {
                    if of == head::OPEN || head::is_object(of) {
                        self.each_at(own, method, site, krate, &mut |caller| {
                            visit(caller, hop, adt);
                        });
                    }
                }
            }
        }
        // Whoever makes the type into an object of the trait, or of one below
        // it.
        let Some(object) = self.trait_of(method) else {
            return;
        };
        for object in self.subtraits(object) {
            for (of, hop) in [(of, Hop::Typed), (head::OPEN, Hop::Open)] {
                if let Some(site) = tables.site(object, of) {
                    self.each_at(own, object, site, krate, &mut |caller| {
                        visit(caller, hop, adt);
                    });
                }
            }
        }
    }

    /// Callers of a site whose crates mean the same version of the trait as
    /// the one that answers.
    fn each_at(
        &self,
        own: u32,
        named: u32,
        site: u32,
        krate: &dyn Fn(u32) -> u32,
        visit: &mut dyn FnMut(u32),
    ) {
        let (tables, view) = (self.view.tables, self.view);
        let lib = tables.symbol_lib(named);
        tables.each_caller(site, |caller| {
            let of = krate(caller);
            if view.counts(of) && view.agree(of, own, lib) {
                visit(caller);
            }
        });
    }

    /// The trait of one of its methods: what the method's path begins with.
    fn trait_of(&self, method: u32) -> Option<u32> {
        let (lib, path) = self.view.tables.symbol_name(method);
        let (object, _) = path.rsplit_once("::")?;
        self.view.tables.symbol(lib, object)
    }

    /// A trait and those below it.
    fn subtraits(&self, object: u32) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        let mut todo = vec![object];
        while let Some(object) = todo.pop() {
            if found.insert(object) {
                let segments = self.view.tables.segments.iter();
                todo.extend(segments.flat_map(|segment| segment.supers.seconds(object)));
            }
        }
        found
    }

    /// Declarations of another language's functions that mean this one.
    fn each_declaration(
        &self,
        node: u32,
        own: u32,
        krate: &dyn Fn(u32) -> u32,
        visit: &mut dyn FnMut(u32, Hop, Option<u32>),
    ) {
        let tables = self.view.tables;
        let Some(name) = tables.export(node) else {
            return;
        };
        let hash = crate::segment::name_hash(&name);
        for segment in &tables.segments {
            for at in segment.exports.seconds(hash) {
                let other = segment.bases.nodes + at;
                let flags = segment.flags(at);
                let of = krate(other);
                if flags & flag::KIND == FunctionKind::Foreign as u32
                    && of != own
                    && self.view.counts(of)
                {
                    visit(other, Hop::Named, None);
                }
            }
        }
    }
}

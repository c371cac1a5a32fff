//! What could not be followed, and what it may call.
//!
//! Every blind spot is bounded by the *vocabulary rule*: what unseen code can
//! call by name must be spelled somewhere. For an unexpanded macro that is its
//! input, or the source of the macro's own crate (inside its quoting macros);
//! for a call that inference could not resolve it is the call itself; for code
//! behind an undecided `cfg` it is that code. Functions that the calling crate
//! can name and whose name is in the vocabulary *may* be called.

mod candidates;
mod cfgs;
mod expansions;
mod gaps;
mod met;
mod sources;
mod uses;
mod vocabulary;

use std::sync::Arc;

use palisade_model::{BlindSpot, BlindSpotCause, Location};
use palisade_project::{Unit, UnitId, UnitKind};
use ra_ap_base_db::Crate;
use ra_ap_hir_def::{DefWithBodyId, FunctionId, HasModule, nameres::crate_def_map};
use ra_ap_hir_ty::next_solver::{DbInterner, StoredGenericArgs, TyKind};
use ra_ap_ide_db::{RootDatabase, base_db::SourceDatabase};
use ra_ap_rustc_type_ir::inherent::IntoKind;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    kept::Kept,
    load::{Loaded, expander::MacroUse},
    names::{Definition, Names},
    walk::{FactStore, Node, Pass, Prune, Unresolved, Walk, Watched},
};
use candidates::{Candidates, Found};
pub(crate) use met::Adts;
use met::Met;
pub(crate) use sources::unparsed;
use uses::Uses;
use vocabulary::Vocabulary;

/// A blind spot and the functions that it may call.
pub(crate) struct Entry {
    pub(crate) spot: BlindSpot,
    pub(crate) nodes: Vec<Node>,
}

/// Why a use of a macro is a blind spot, and what it is called.
pub(crate) fn macro_spot(used: &MacroUse) -> (BlindSpotCause, String) {
    let what = format!("{} macro `{}` of {}", used.kind, used.name, used.package);
    match &used.failure {
        None => (BlindSpotCause::UnexpandedMacro, what),
        Some(reason) => (BlindSpotCause::ExpansionFailed, format!("{what}: {reason}")),
    }
}

/// Finds the blind spots of a finished walk.
pub(crate) struct Finder<'a> {
    db: &'a RootDatabase,
    loaded: &'a Loaded,
    units: &'a [Unit],
    krate: Crate,
    names: &'a Names<'a>,
    candidates: Candidates<'a>,
    vocabulary: Vocabulary<'a>,
    met: Met<'a>,
    prune: &'a Prune,
    watched: Arc<Watched>,
}

impl<'a> Finder<'a> {
    #[expect(clippy::too_many_arguments, reason = "parts of one session")]
    pub(crate) fn new(
        db: &'a RootDatabase,
        loaded: &'a Loaded,
        units: &'a [Unit],
        names: &'a Names<'a>,
        krate: Crate,
        roots: &[Crate],
        prune: &'a Prune,
        watched: Arc<Watched>,
    ) -> Self {
        let it = DbInterner::new_with(db, krate);
        Self {
            db,
            loaded,
            units,
            krate,
            names,
            candidates: Candidates::new(db, it, names, roots),
            vocabulary: Vocabulary::new(units),
            met: Met::new(prune),
            prune,
            watched,
        }
    }

    /// The blind spots of what `walk` met in the given passes.
    pub(crate) fn find(
        &mut self,
        walk: &Walk<'_>,
        store: &FactStore,
        kept: &Kept,
        passes: &[Pass],
    ) -> Vec<Entry> {
        let mut live = Live::new(self.db, walk, passes);
        let left_out = walk.left_out_in(passes);
        live.crates.extend(candidates::linked(self.db, &left_out));
        // The program's own crate counts even when its entry point is what
        // could not be read.
        live.crates.insert(self.krate);
        self.met.extend(walk, store);
        let mut entries = self.macros(walk, &live);
        entries.extend(self.broken(&live));
        entries.extend(self.unparsed(&live));
        entries.extend(self.name_resolution(&live));
        entries.extend(self.build_cfgs(&live));
        entries.extend(self.generated(&live));
        entries.extend(self.item_macros(&live));
        entries.extend(self.items_of_macros(&live));
        entries.extend(self.unresolved_calls(store, &live));
        entries.extend(self.unresolved_methods(walk, passes));
        entries.extend(self.failures(walk, passes));
        entries.extend(self.exports(kept, &live));
        entries.sort_by(|a, b| a.spot.cmp(&b.spot));
        entries
    }

    fn entry(
        &mut self,
        krate: Crate,
        location: Location,
        cause: BlindSpotCause,
        detail: String,
        words: &FxHashSet<String>,
    ) -> Entry {
        let mut found = self.candidates.named(krate, words);
        self.expansions(krate, Some(words), &mut found);
        self.entry_of(location, cause, detail, found)
    }

    fn entry_of(
        &mut self,
        location: Location,
        cause: BlindSpotCause,
        detail: String,
        found: Found,
    ) -> Entry {
        self.met.name(found.types);
        Entry {
            spot: BlindSpot {
                location,
                cause,
                detail,
                may_reach: found.crates,
            },
            nodes: found.nodes,
        }
    }

    fn macros(&mut self, walk: &Walk<'_>, live: &Live) -> Vec<Entry> {
        let uses = Uses::new(self.db, self.loaded, self.names, walk);
        let mut entries = Vec::new();
        let mut seen = FxHashSet::default();
        for used in self.loaded.macro_log.uses() {
            let Some(location) = uses.place(&used) else {
                continue;
            };
            let mut crates = uses.crates(&used);
            crates.retain(|krate| live.crates.contains(krate) && uses.is_live(&used, *krate));
            if crates.is_empty() || !seen.insert((location.clone(), used.name.clone())) {
                continue;
            }
            let mut words: FxHashSet<String> = used.words.iter().cloned().collect();
            words.extend(self.vocabulary.of_macros(used.unit).iter().cloned());
            let (cause, detail) = macro_spot(&used);
            for krate in crates {
                let (location, detail) = (location.clone(), detail.clone());
                let mut entry = self.entry(krate, location, cause, detail, &words);
                entry.nodes.extend(self.itself(&used));
                entries.push(entry);
            }
        }
        entries
    }

    /// What the analysis library's name resolution is known to get wrong: a
    /// `macro_rules!` that is defined again, and impls inside of bodies.
    fn name_resolution(&mut self, live: &Live) -> Vec<Entry> {
        let mut crates: Vec<Crate> = live.crates.iter().copied().collect();
        crates.sort();
        let mut entries = Vec::new();
        for krate in crates {
            if is_lang(self.db, krate) {
                continue;
            }
            let mut files: Vec<_> = crate_def_map(self.db, krate)
                .modules()
                .filter_map(|(_, module)| module.origin.file_id())
                .collect();
            files.sort();
            files.dedup();
            for file in files {
                let id = file.file_id(self.db);
                let Some(path) = self.loaded.files.path(id) else {
                    continue;
                };
                let text = self.db.file_text(id);
                for gap in gaps::find(text.text(self.db), || file.parse(self.db).tree()) {
                    let location = Location {
                        file: self.names.shown(path),
                        line: gap.line,
                    };
                    entries.push(self.entry(krate, location, gap.cause, gap.detail, &gap.words));
                }
            }
        }
        entries
    }

    fn build_cfgs(&mut self, live: &Live) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (index, unit) in self.units.iter().enumerate() {
            let Some(krate) = self.loaded.crates[index] else {
                continue;
            };
            if unit.unknown_cfgs.is_empty() || !live.crates.contains(&krate) {
                continue;
            }
            for (location, cfg, words) in cfgs::undecided(unit, &self.loaded.files) {
                let detail = format!("the build script may set `{cfg}`");
                entries.push(self.entry(
                    krate,
                    location,
                    BlindSpotCause::BuildScriptCfg,
                    detail,
                    &words,
                ));
            }
        }
        entries
    }

    /// Calls in reached bodies whose callee inference could not name. What the
    /// standard library calls by name it defines itself.
    fn unresolved_calls(&mut self, store: &FactStore, live: &Live) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (def, call) in store.unresolved() {
            if !live.bodies.contains(&def) {
                continue;
            }
            let krate = def.krate(self.db);
            if krate.data(self.db).origin.is_lang() {
                continue;
            }
            let site = crate::walk::Site {
                body: def,
                expr: call.site,
            };
            let Some(location) = self.names.site(site) else {
                continue;
            };
            let words = FxHashSet::from_iter([call.name.clone()]);
            let detail = format!("`{}`", call.name);
            let cause = BlindSpotCause::UnresolvedCall;
            entries.push(self.entry(krate, location, cause, detail, &words));
        }
        entries
    }

    /// Trait methods called on a type that could not be worked out: any impl
    /// of the method may be meant.
    fn unresolved_methods(&mut self, walk: &Walk<'_>, passes: &[Pass]) -> Vec<Entry> {
        let mut by_method: FxHashMap<_, u32> = FxHashMap::default();
        for &(call, node) in &walk.unresolved {
            if walk.is_in(node, passes) && !self.is_closed(walk, node) {
                by_method.entry(call).or_insert(node);
            }
        }
        let mut methods: Vec<_> = by_method.into_iter().collect();
        methods.sort();
        let mut entries = Vec::new();
        for (call, node) in methods {
            let Some(location) = crate::outcome::location(self.names, walk, node) else {
                continue;
            };
            let found = self.candidates.impls_of(call, &self.met);
            if found.nodes.is_empty() {
                continue;
            }
            let method = self.names.method(call.method);
            let detail = match call.adt {
                Some(adt) => format!("`{method}` on `{}`", self.names.adt_name(adt)),
                None => format!("`{method}` on an unresolved type"),
            };
            let cause = BlindSpotCause::UnresolvedCall;
            entries.push(self.entry_of(location, cause, detail, found));
        }
        entries
    }

    /// Whether what a node's function knows is the standard library's alone:
    /// a body of the standard library, for types of the standard library. Such
    /// a body cannot mean an impl that it cannot see.
    fn is_closed(&self, walk: &Walk<'_>, node: u32) -> bool {
        let mut current = Some(node);
        while let Some(node) = current {
            match &walk.nodes[node as usize] {
                Node::Body(def, args) => {
                    return is_lang(self.db, def.krate(self.db))
                        && mentions_only_lang(self.db, args);
                }
                Node::Shared(def) => return is_lang(self.db, def.krate(self.db)),
                _ => current = walk.origins[node as usize].parent,
            }
        }
        false
    }

    /// Bodies on which the analysis library panicked: their own text is the
    /// vocabulary.
    fn failures(&mut self, walk: &Walk<'_>, passes: &[Pass]) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut seen = FxHashSet::default();
        for &node in &walk.panicked {
            if !walk.is_in(node, passes) {
                continue;
            }
            let Some(f) = enclosing_function(walk, node) else {
                continue;
            };
            let Some(location) = crate::outcome::location(self.names, walk, node) else {
                continue;
            };
            if seen.insert(f) {
                let words = self.names.words(f);
                let detail = format!(
                    "panic of the analysis library in `{}`",
                    self.names.method(f)
                );
                let cause = BlindSpotCause::AnalysisPanic;
                entries.push(self.entry(f.krate(self.db), location, cause, detail, &words));
            }
        }
        entries
    }

    /// Functions with a symbol of their own, which code in another language
    /// may call.
    fn exports(&mut self, kept: &Kept, live: &Live) -> Vec<Entry> {
        let mut exports: Vec<_> = kept.symbols.iter().collect();
        exports.sort();
        let mut entries = Vec::new();
        for (symbol, &f) in exports {
            let Some(location) = self.names.definition_location(Definition::Function(f)) else {
                continue;
            };
            let krate = f.krate(self.db);
            if live.crates.contains(&krate)
                && !live.bodies.contains(&f.into())
                && !self.prune.is_unaware(krate)
            {
                let found = self.candidates.one(f);
                let cause = BlindSpotCause::ForeignCode;
                let detail = format!("the symbol `{symbol}` is open to other languages");
                entries.push(self.entry_of(location, cause, detail, found));
            }
        }
        entries
    }

    /// Takes note of the types in what `walk` met since the last time.
    pub(crate) fn meet(&mut self, walk: &Walk<'_>, store: &FactStore) {
        self.met.extend(walk, store);
    }

    /// What a trait method called on an unknown type inside a possible pass
    /// may reach, given the types met so far.
    pub(crate) fn impls_of(&mut self, call: Unresolved) -> Vec<Node> {
        self.candidates.impls_of(call, &self.met).nodes
    }

    fn unit_of_file(&self, path: &str) -> Option<UnitId> {
        self.units
            .iter()
            .enumerate()
            .filter(|(_, unit)| {
                unit.kind != UnitKind::BuildScript
                    && camino::Utf8Path::new(path).starts_with(&unit.package_dir)
            })
            .max_by_key(|(_, unit)| unit.package_dir.as_str().len())
            .map(|(index, _)| UnitId(index))
    }
}

/// What the walk met.
struct Live {
    crates: FxHashSet<Crate>,
    bodies: FxHashSet<DefWithBodyId>,
}

impl Live {
    fn new(db: &RootDatabase, walk: &Walk<'_>, passes: &[Pass]) -> Self {
        let mut live = Live {
            crates: FxHashSet::default(),
            bodies: FxHashSet::default(),
        };
        for (id, node) in (0..).zip(&walk.nodes) {
            if let Node::Body(def, _) = node
                && walk.is_in(id, passes)
                && live.bodies.insert(*def)
            {
                live.crates.insert(def.krate(db));
            }
        }
        live
    }
}

/// The function that a node belongs to.
fn enclosing_function(walk: &Walk<'_>, node: u32) -> Option<FunctionId> {
    let mut current = Some(node);
    while let Some(node) = current {
        if let Node::Body(DefWithBodyId::FunctionId(f), _)
        | Node::Shared(DefWithBodyId::FunctionId(f)) = &walk.nodes[node as usize]
        {
            return Some(*f);
        }
        current = walk.origins[node as usize].parent;
    }
    None
}

fn is_lang(db: &RootDatabase, krate: Crate) -> bool {
    krate.data(db).origin.is_lang()
}

/// Whether generic arguments are made of the standard library's types and of
/// types that belong to no crate.
fn mentions_only_lang(db: &RootDatabase, args: &StoredGenericArgs) -> bool {
    args.as_ref().iter().flat_map(|arg| arg.walk()).all(|part| {
        match part.ty().map(|ty| ty.kind()) {
            Some(TyKind::Adt(adt, _)) => is_lang(db, adt.def_id().krate(db)),
            Some(
                TyKind::Closure(..)
                | TyKind::Coroutine(..)
                | TyKind::CoroutineClosure(..)
                | TyKind::FnDef(..)
                | TyKind::Dynamic(..)
                | TyKind::Alias(..)
                | TyKind::Param(_)
                | TyKind::Foreign(_)
                | TyKind::Error(_),
            ) => false,
            _ => true,
        }
    })
}

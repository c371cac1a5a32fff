//! Expansions of the macros that a walk looks for.
//!
//! What a macro writes is code of the crate that defines the macro, wherever it
//! is compiled: who only calls `vulnerable::checked!` runs the vulnerable
//! crate's code and calls none of its functions. So a body that a macro of a
//! goal's crate had a hand in leads to that macro.

use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AdtId, BuiltinDeriveImplId, DefWithBodyId, HasModule, Lookup, MacroId, expr_store::Body,
    nameres::crate_def_map,
};
use ra_ap_hir_expand::{HirFileId, MacroCallId, MacroDefId};
use ra_ap_hir_ty::db::HirDatabase;
use ra_ap_ide_db::RootDatabase;
use ra_ap_syntax::{AstNode, ast};
use rustc_hash::{FxHashMap, FxHashSet};

/// The macros whose expansions matter to a walk.
#[derive(Default)]
pub(crate) struct Watched {
    /// Each with its place in an order that does not depend on timing.
    macros: FxHashMap<MacroDefId, (usize, MacroId)>,
    /// Those that other crates can name, by name.
    by_name: FxHashMap<String, Vec<MacroId>>,
}

impl Watched {
    /// The macros that `crates` define.
    pub(crate) fn of(db: &RootDatabase, crates: &FxHashSet<Crate>) -> Self {
        let mut crates: Vec<Crate> = crates.iter().copied().collect();
        crates.sort();
        let mut watched = Watched::default();
        for krate in crates {
            for (_, module) in crate_def_map(db, krate).modules() {
                let mut own: Vec<(String, MacroId, bool)> = module
                    .scope
                    .macros()
                    .map(|(name, item)| (name.as_str().to_owned(), item.def, true))
                    .chain(module.scope.legacy_macros().flat_map(|(name, ids)| {
                        let name = name.as_str();
                        ids.iter().map(move |id| (name.to_owned(), *id, false))
                    }))
                    .filter(|(_, id, _)| id.krate(db) == krate)
                    .collect();
                own.sort();
                for (name, id, exported) in own {
                    let order = watched.macros.len();
                    watched
                        .macros
                        .entry(id.definition(db))
                        .or_insert((order, id));
                    let named = watched.by_name.entry(name).or_default();
                    if exported && !named.contains(&id) {
                        named.push(id);
                    }
                }
            }
        }
        watched
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.macros.is_empty()
    }

    /// The macros that unseen code may mean by one of these names; by any name
    /// without them.
    pub(crate) fn named(&self, words: Option<&FxHashSet<String>>) -> Vec<MacroId> {
        let mut found: Vec<MacroId> = match words {
            Some(words) => words
                .iter()
                .filter_map(|word| self.by_name.get(word))
                .flatten()
                .copied()
                .collect(),
            None => self.by_name.values().flatten().copied().collect(),
        };
        found.sort();
        found.dedup();
        found
    }

    /// The watched macro that a call expands, if it does.
    pub(crate) fn called(&self, db: &RootDatabase, call: MacroCallId) -> Option<MacroId> {
        self.macros.get(&call.loc(db).def).map(|(_, id)| *id)
    }

    /// The watched macros that wrote a part of a body, or the item that the
    /// body belongs to, each with its first call.
    pub(crate) fn in_body(
        &self,
        db: &dyn HirDatabase,
        def: DefWithBodyId,
    ) -> Vec<(MacroId, MacroCallId)> {
        if self.is_empty() {
            return Vec::new();
        }
        let file = match def {
            DefWithBodyId::FunctionId(id) => Some(id.lookup(db).id.file_id),
            DefWithBodyId::StaticId(id) => Some(id.lookup(db).id.file_id),
            DefWithBodyId::ConstId(id) => Some(id.lookup(db).id.file_id),
            DefWithBodyId::VariantId(_) => None,
        };
        let (_, map) = Body::with_source_map(db, def);
        let calls = map.expansions().map(|(_, call)| *call);
        self.first_calls(
            db,
            calls.chain(file.into_iter().flat_map(|it| writers(db, it))),
        )
    }

    /// As [`Self::in_body`], for what a built-in derive writes for a type.
    pub(crate) fn in_derive(
        &self,
        db: &dyn HirDatabase,
        derive: BuiltinDeriveImplId,
    ) -> Vec<(MacroId, MacroCallId)> {
        if self.is_empty() {
            return Vec::new();
        }
        let file = match derive.loc(db).adt {
            AdtId::StructId(id) => id.lookup(db).id.file_id,
            AdtId::UnionId(id) => id.lookup(db).id.file_id,
            AdtId::EnumId(id) => id.lookup(db).id.file_id,
        };
        self.first_calls(db, writers(db, file))
    }

    fn first_calls(
        &self,
        db: &dyn HirDatabase,
        calls: impl Iterator<Item = MacroCallId>,
    ) -> Vec<(MacroId, MacroCallId)> {
        let mut found: Vec<_> = calls
            .filter_map(|call| {
                let loc = call.loc(db);
                let (order, id) = *self.macros.get(&loc.def)?;
                let place = loc.kind.original_call_range_with_input(db).range.start();
                Some((order, place, id, call))
            })
            .collect();
        found.sort_by_key(|&(order, place, ..)| (order, place));
        found.dedup_by_key(|&mut (order, ..)| order);
        found.into_iter().map(|(.., id, call)| (id, call)).collect()
    }

    /// The calls in the place of items, in a crate, that write types and the
    /// like but nothing that runs by itself: whether what they wrote is used,
    /// no call shows.
    pub(crate) fn without_bodies(
        &self,
        db: &RootDatabase,
        krate: Crate,
    ) -> Vec<(MacroId, MacroCallId)> {
        if self.is_empty() {
            return Vec::new();
        }
        let modules = crate_def_map(db, krate).modules();
        let calls = modules.flat_map(|(_, module)| module.scope.all_macro_calls());
        let calls: Vec<MacroCallId> = calls
            .filter(|call| {
                self.called(db, *call)
                    .is_some_and(|id| id.krate(db) != krate)
                    && !has_body(db, *call)
            })
            .collect();
        self.first_calls(db, calls.into_iter())
    }
}

/// The macro calls that wrote a file, the innermost first.
fn writers(db: &dyn HirDatabase, file: HirFileId) -> impl Iterator<Item = MacroCallId> + '_ {
    let call_of = |file: HirFileId| match file {
        HirFileId::MacroFile(call) => Some(call),
        HirFileId::FileId(_) => None,
    };
    std::iter::successors(call_of(file), move |call| {
        call_of(call.loc(db).kind.file_id())
    })
}

/// Whether what a call expands to holds a body that a walk can meet, or no type
/// or impl at all.
fn has_body(db: &RootDatabase, call: MacroCallId) -> bool {
    let root = HirFileId::MacroFile(call).parse_or_expand(db);
    let mut types = false;
    for node in root.descendants() {
        let kind = node.kind();
        if ast::Fn::can_cast(kind) || ast::Const::can_cast(kind) || ast::Static::can_cast(kind) {
            return true;
        }
        types |= ast::Adt::can_cast(kind) || ast::Impl::can_cast(kind);
    }
    !types
}

//! The functions that unseen code may mean by a name.

use std::rc::Rc;

use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AdtId, AssocItemId, FunctionId, HasModule, ImplId, ItemContainerId, Lookup, ModuleDefId,
    expr_store::Body,
    nameres::{DefMap, crate_def_map},
    signatures::FunctionSignature,
    src::HasSource,
    visibility::Visibility,
};
use ra_ap_hir_ty::{
    db::HirDatabase,
    next_solver::{DbInterner, GenericArgs, TyKind},
};
use ra_ap_ide_db::RootDatabase;
use ra_ap_rustc_type_ir::inherent::IntoKind;
use ra_ap_syntax::{AstNode, ast::HasVisibility};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    facts::erase,
    names::Names,
    walk::{Node, Unresolved},
};

type ByName = FxHashMap<String, Vec<FunctionId>>;

/// From each trait method to the methods that stand for it, with the type that
/// the impl is for; `None` for impls that are for no one type.
type Impls = FxHashMap<FunctionId, Vec<(FunctionId, Option<AdtId>)>>;

pub(super) struct Candidates<'a> {
    db: &'a RootDatabase,
    it: DbInterner<'a>,
    names: &'a Names<'a>,
    functions: FxHashMap<Crate, Rc<ByName>>,
    impls: Option<Rc<Impls>>,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(db: &'a RootDatabase, it: DbInterner<'a>, names: &'a Names<'a>) -> Self {
        Self {
            db,
            it,
            names,
            functions: FxHashMap::default(),
            impls: None,
        }
    }

    /// Functions that `krate` can name and whose name is one of `words`.
    pub(super) fn named(
        &mut self,
        krate: Crate,
        words: &FxHashSet<String>,
    ) -> (Vec<Node>, Vec<String>) {
        let mut found = Vec::new();
        for visible in self.visible(krate, Some(words)) {
            let functions = self.functions(visible);
            // Sorted at the end, whatever order the words come in.
            found.extend(
                words
                    .iter()
                    .filter_map(|word| functions.get(word))
                    .flatten()
                    .copied(),
            );
        }
        found.retain(|f| self.can_name(krate, *f));
        self.finish(found)
    }

    /// Every function that `krate` can name.
    pub(super) fn all(&mut self, krate: Crate) -> (Vec<Node>, Vec<String>) {
        let mut found = Vec::new();
        for visible in self.visible(krate, None) {
            let functions = self.functions(visible);
            found.extend(functions.values().flatten().copied());
        }
        found.retain(|f| self.can_name(krate, *f));
        self.finish(found)
    }

    /// One function, with its arguments unknown.
    pub(super) fn one(&self, f: FunctionId) -> (Vec<Node>, Vec<String>) {
        self.finish(vec![f])
    }

    /// Every impl outside the standard library that a call may mean.
    pub(super) fn impls_of(&mut self, call: Unresolved) -> (Vec<Node>, Vec<String>) {
        let impls = self
            .impls
            .get_or_insert_with(|| Rc::new(index_impls(self.db)))
            .clone();
        let found = impls.get(&call.method).into_iter().flatten();
        let found = found
            .filter(|(_, of)| match (call.adt, of) {
                (Some(adt), Some(of)) => adt == *of,
                _ => true,
            })
            .map(|(f, _)| *f)
            .collect();
        self.finish(found)
    }

    /// Whether code of `krate` can call a function by name: its own, and what
    /// others made public. A trait's methods are as public as the trait.
    fn can_name(&self, krate: Crate, f: FunctionId) -> bool {
        if f.krate(self.db) == krate {
            return true;
        }
        let hir: &dyn HirDatabase = self.db;
        match f.loc(self.db).container {
            ItemContainerId::TraitId(_) => true,
            ItemContainerId::ImplId(id) if hir.impl_trait(id).is_some() => true,
            ItemContainerId::ImplId(_) => {
                AssocItemId::from(f).assoc_visibility(self.db) == Visibility::Public
            }
            _ => f
                .lookup(self.db)
                .source(self.db)
                .value
                .visibility()
                .is_some_and(|visibility| visibility.syntax().text() == "pub"),
        }
    }

    fn finish(&self, mut found: Vec<FunctionId>) -> (Vec<Node>, Vec<String>) {
        found.sort();
        found.dedup();
        let mut crates: Vec<String> = found
            .iter()
            .map(|f| self.names.krate(f.krate(self.db)).0)
            .collect();
        crates.sort();
        crates.dedup();
        let nodes = found
            .into_iter()
            .map(|f| {
                let args = erase(self.it, GenericArgs::error_for_item(self.it, f.into()));
                Node::Body(f.into(), args.store())
            })
            .collect();
        (nodes, crates)
    }

    /// The crate itself, what it depends on, and what those re-export: a
    /// second-level crate only counts when the vocabulary spells its name.
    fn visible(&self, krate: Crate, words: Option<&FxHashSet<String>>) -> Vec<Crate> {
        let mut visible = vec![krate];
        for dep in &krate.data(self.db).dependencies {
            visible.push(dep.crate_id);
            for second in &dep.crate_id.data(self.db).dependencies {
                let named = words.is_none_or(|words| words.contains(second.name.symbol().as_str()));
                if named {
                    visible.push(second.crate_id);
                }
            }
        }
        visible.retain(|krate| !krate.data(self.db).origin.is_lang());
        visible.sort();
        visible.dedup();
        visible
    }

    fn functions(&mut self, krate: Crate) -> Rc<ByName> {
        let db = self.db;
        self.functions
            .entry(krate)
            .or_insert_with(|| Rc::new(index_functions(db, krate)))
            .clone()
    }
}

fn index_functions(db: &RootDatabase, krate: Crate) -> ByName {
    let mut by_name = ByName::default();
    let mut add = |f: FunctionId| {
        let signature = FunctionSignature::of(db, f);
        if signature.has_body() {
            by_name
                .entry(signature.name.as_str().to_owned())
                .or_default()
                .push(f);
        }
    };
    for def in declarations(crate_def_map(db, krate)) {
        match def {
            ModuleDefId::FunctionId(f) => add(f),
            ModuleDefId::TraitId(tr) => {
                for (_, item) in tr.trait_items(db).items.iter() {
                    if let AssocItemId::FunctionId(f) = item {
                        add(*f);
                    }
                }
            }
            _ => {}
        }
    }
    for id in impls(db, krate) {
        for (_, item) in id.impl_items(db).items.iter() {
            if let AssocItemId::FunctionId(f) = item {
                add(*f);
            }
        }
    }
    by_name
}

fn declarations(map: &DefMap) -> impl Iterator<Item = ModuleDefId> + '_ {
    map.modules()
        .flat_map(|(_, module)| module.scope.declarations())
}

/// Every impl of a crate, those that derives write into unnamed constants too.
fn impls(db: &RootDatabase, krate: Crate) -> Vec<ImplId> {
    let map = crate_def_map(db, krate);
    let mut found = Vec::new();
    for (_, module) in map.modules() {
        found.extend(module.scope.impls());
        for id in module.scope.unnamed_consts() {
            let body = Body::of(db, id.into());
            for (_, block) in body.blocks(db) {
                found.extend(block.modules().flat_map(|(_, module)| module.scope.impls()));
            }
        }
    }
    found
}

fn index_impls(db: &RootDatabase) -> Impls {
    let hir: &dyn HirDatabase = db;
    let mut index = Impls::default();
    for &krate in ra_ap_base_db::all_crates(db).iter() {
        if krate.data(db).origin.is_lang() {
            continue;
        }
        for id in impls(db, krate) {
            let Some(tr) = hir.impl_trait(id) else {
                continue;
            };
            let tr = tr.instantiate_identity().skip_norm_wip();
            let adt = match tr.self_ty().kind() {
                TyKind::Adt(adt, _) => Some(adt.def_id()),
                _ => None,
            };
            let declared = &tr.def_id.0.trait_items(db).items;
            for (name, item) in id.impl_items(db).items.iter() {
                let AssocItemId::FunctionId(f) = item else {
                    continue;
                };
                let of = declared.iter().find_map(|(declared, item)| match item {
                    AssocItemId::FunctionId(of) if declared == name => Some(*of),
                    _ => None,
                });
                if let Some(of) = of {
                    index.entry(of).or_default().push((*f, adt));
                }
            }
        }
    }
    // A default method stands for itself.
    index.iter_mut().for_each(|(&of, found)| {
        if FunctionSignature::of(db, of).has_body()
            && matches!(of.loc(db).container, ItemContainerId::TraitId(_))
        {
            found.push((of, None));
        }
    });
    index
}

//! The functions that unseen code may mean by a name.

use std::rc::Rc;

use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AdtId, AssocItemId, FunctionId, HasModule, ImplId, ItemContainerId, Lookup, ModuleDefId,
    expr_store::Body,
    nameres::{DefMap, crate_def_map},
    signatures::{
        EnumSignature, FunctionSignature, StructSignature, TypeAliasSignature, UnionSignature,
    },
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

use super::{is_lang, met::Met};
use crate::{
    facts::erase,
    names::Names,
    walk::{Node, Unresolved},
};

/// What a crate declares, by name.
#[derive(Default)]
struct ByName {
    functions: FxHashMap<String, Vec<FunctionId>>,
    /// Types by their own name, by that of a variant or of an alias.
    types: FxHashMap<String, Vec<AdtId>>,
}

/// What unseen code may mean.
#[derive(Default)]
pub(super) struct Found {
    /// The functions, their arguments unknown.
    pub(super) nodes: Vec<Node>,
    /// The crates of those functions, sorted.
    pub(super) crates: Vec<String>,
    /// The types that it can make values of.
    pub(super) types: Vec<AdtId>,
}

/// From each trait method to the methods that stand for it, with the type that
/// the impl is for; `None` for impls that are for no one type.
type Impls = FxHashMap<FunctionId, Vec<(FunctionId, Option<AdtId>)>>;

pub(super) struct Candidates<'a> {
    db: &'a RootDatabase,
    it: DbInterner<'a>,
    names: &'a Names<'a>,
    /// Everything that the asking code is linked with, in a stable order.
    closure: Vec<Crate>,
    declared: FxHashMap<Crate, Rc<ByName>>,
    re_exports: FxHashMap<Crate, Rc<Vec<Crate>>>,
    impls: Option<Rc<Impls>>,
}

impl<'a> Candidates<'a> {
    /// Candidates for code that is linked into what `roots` are compiled to.
    pub(super) fn new(
        db: &'a RootDatabase,
        it: DbInterner<'a>,
        names: &'a Names<'a>,
        roots: &[Crate],
    ) -> Self {
        Self {
            db,
            it,
            names,
            closure: linked(db, roots),
            declared: FxHashMap::default(),
            re_exports: FxHashMap::default(),
            impls: None,
        }
    }

    /// Functions and types that `krate` can name and whose name is one of
    /// `words`.
    pub(super) fn named(&mut self, krate: Crate, words: &FxHashSet<String>) -> Found {
        let (mut functions, mut types) = (Vec::new(), Vec::new());
        for visible in self.visible(krate, Some(words)) {
            let declared = self.declared(visible);
            // Sorted at the end, whatever order the words come in.
            let named = |word| declared.functions.get(word).into_iter().flatten();
            functions.extend(words.iter().flat_map(named).copied());
            let named = |word| declared.types.get(word).into_iter().flatten();
            types.extend(words.iter().flat_map(named).copied());
        }
        functions.retain(|f| self.can_name(krate, *f));
        self.finish(functions, types)
    }

    /// Every function and type that `krate` can name.
    pub(super) fn all(&mut self, krate: Crate) -> Found {
        let (mut functions, mut types) = (Vec::new(), Vec::new());
        for visible in self.visible(krate, None) {
            let declared = self.declared(visible);
            functions.extend(declared.functions.values().flatten().copied());
            types.extend(declared.types.values().flatten().copied());
        }
        functions.retain(|f| self.can_name(krate, *f));
        self.finish(functions, types)
    }

    /// The names of all functions that a crate declares itself.
    pub(super) fn own_names(&mut self, krate: Crate) -> Vec<String> {
        let declared = self.declared(krate);
        let mut names: Vec<String> = declared.functions.keys().cloned().collect();
        names.sort();
        names
    }

    /// One function.
    pub(super) fn one(&self, f: FunctionId) -> Found {
        self.finish(vec![f], Vec::new())
    }

    /// Every impl outside the standard library that a call may mean, given the
    /// types that the program uses.
    pub(super) fn impls_of(&mut self, call: Unresolved, met: &Met<'_>) -> Found {
        let impls = self
            .impls
            .get_or_insert_with(|| Rc::new(index_impls(self.db, &self.closure)))
            .clone();
        let found = impls.get(&call.method).into_iter().flatten();
        let found = found
            .filter(|(_, of)| match (call.adt, of) {
                (Some(adt), Some(of)) => adt == *of,
                (None, Some(of)) => {
                    is_lang(self.db, of.krate(self.db)) || met.contains(self.db, *of)
                }
                (_, None) => true,
            })
            .map(|(f, _)| *f)
            .collect();
        self.finish(found, Vec::new())
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

    fn finish(&self, mut functions: Vec<FunctionId>, types: Vec<AdtId>) -> Found {
        functions.sort();
        functions.dedup();
        let mut crates: Vec<String> = functions
            .iter()
            .map(|f| self.names.krate(f.krate(self.db)).0)
            .collect();
        crates.sort();
        crates.dedup();
        let nodes = functions
            .into_iter()
            .map(|f| {
                let args = erase(self.it, GenericArgs::error_for_item(self.it, f.into()));
                Node::Body(f.into(), args.store())
            })
            .collect();
        Found {
            nodes,
            crates,
            types,
        }
    }

    /// The crate itself, what it depends on, and what those re-export: as a
    /// second-level crate whose name the vocabulary spells, or item by item.
    fn visible(&mut self, krate: Crate, words: Option<&FxHashSet<String>>) -> Vec<Crate> {
        let mut visible = vec![krate];
        for dep in &krate.data(self.db).dependencies {
            visible.push(dep.crate_id);
            visible.extend(self.re_exported(dep.crate_id).iter());
            for second in &dep.crate_id.data(self.db).dependencies {
                let named = words.is_none_or(|words| words.contains(second.name.symbol().as_str()));
                if named {
                    visible.push(second.crate_id);
                }
            }
        }
        // A procedural macro's functions belong to the compiler that runs it.
        visible
            .retain(|krate| !is_lang(self.db, *krate) && self.closure.binary_search(krate).is_ok());
        visible.sort();
        visible.dedup();
        visible
    }

    /// The crates whose types, traits or functions stand in the root of
    /// `krate`, as `serde` holds those of `serde_core`.
    fn re_exported(&mut self, krate: Crate) -> Rc<Vec<Crate>> {
        let db = self.db;
        let find = || {
            let map = crate_def_map(db, krate);
            let scope = &map[map.root_module_id()].scope;
            let types = scope.types().map(|(_, item)| item.def);
            let values = scope.values().map(|(_, item)| item.def);
            let modules = types.chain(values).filter_map(|def| def.module(db));
            let crates: FxHashSet<Crate> = modules.map(|module| module.krate(db)).collect();
            Rc::new(crates.into_iter().filter(|other| *other != krate).collect())
        };
        self.re_exports.entry(krate).or_insert_with(find).clone()
    }

    fn declared(&mut self, krate: Crate) -> Rc<ByName> {
        let db = self.db;
        self.declared
            .entry(krate)
            .or_insert_with(|| Rc::new(index_declared(db, krate)))
            .clone()
    }
}

/// What the crates are linked with; a procedural macro that one of them uses
/// is not a part of it, and neither is what the macro depends on.
pub(super) fn linked(db: &RootDatabase, roots: &[Crate]) -> Vec<Crate> {
    let mut known = FxHashSet::default();
    let mut linked = Vec::new();
    let mut todo = roots.to_vec();
    while let Some(krate) = todo.pop() {
        if known.insert(krate) {
            linked.push(krate);
            let dependencies = krate.data(db).dependencies.iter().map(|dep| dep.crate_id);
            todo.extend(dependencies.filter(|dep| !dep.data(db).is_proc_macro));
        }
    }
    linked.sort();
    linked
}

fn index_declared(db: &RootDatabase, krate: Crate) -> ByName {
    let hir: &dyn HirDatabase = db;
    let mut by_name = ByName::default();
    let mut functions = Vec::new();
    for def in declarations(crate_def_map(db, krate)) {
        match def {
            ModuleDefId::FunctionId(f) => functions.push(f),
            ModuleDefId::TraitId(tr) => {
                for (_, item) in tr.trait_items(db).items.iter() {
                    if let AssocItemId::FunctionId(f) = item {
                        functions.push(*f);
                    }
                }
            }
            ModuleDefId::AdtId(adt) => {
                if let AdtId::EnumId(id) = adt {
                    for name in id.enum_variants(db).variants.keys() {
                        by_name.add_type(name.as_str(), adt);
                    }
                }
                let name = match adt {
                    AdtId::StructId(id) => &StructSignature::of(db, id).name,
                    AdtId::UnionId(id) => &UnionSignature::of(db, id).name,
                    AdtId::EnumId(id) => &EnumSignature::of(db, id).name,
                };
                by_name.add_type(name.as_str(), adt);
            }
            ModuleDefId::TypeAliasId(alias) => {
                let ty = hir.ty(alias.into()).skip_binder();
                if let TyKind::Adt(adt, _) = ty.kind() {
                    let name = &TypeAliasSignature::of(db, alias).name;
                    by_name.add_type(name.as_str(), adt.def_id());
                }
            }
            _ => {}
        }
    }
    for id in impls(db, krate) {
        for (_, item) in id.impl_items(db).items.iter() {
            if let AssocItemId::FunctionId(f) = item {
                functions.push(*f);
            }
        }
    }
    for f in functions {
        let signature = FunctionSignature::of(db, f);
        if signature.has_body() {
            let name = signature.name.as_str().to_owned();
            by_name.functions.entry(name).or_default().push(f);
        }
    }
    by_name
}

impl ByName {
    fn add_type(&mut self, name: &str, adt: AdtId) {
        self.types.entry(name.to_owned()).or_default().push(adt);
    }
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

fn index_impls(db: &RootDatabase, crates: &[Crate]) -> Impls {
    let hir: &dyn HirDatabase = db;
    let mut index = Impls::default();
    for &krate in crates {
        if is_lang(db, krate) {
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

//! Where a walk starts.

use palisade_project::UnitKind;
use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AdtId, AssocItemId, FunctionId, GenericDefId, HasModule, ImplId, ModuleDefId,
    ModuleId, TraitId,
    attrs::AttrFlags,
    nameres::crate_def_map,
    signatures::FunctionSignature,
    visibility::Visibility,
};
use ra_ap_hir_ty::{
    db::HirDatabase,
    next_solver::{DbInterner, GenericArgs, TyKind},
};
use ra_ap_ide_db::RootDatabase;
use ra_ap_rustc_type_ir::inherent::{GenericArgs as _, IntoKind};
use rustc_hash::FxHashSet;

use crate::{facts::erase, walk::Node};

/// The entry points of one crate, by what kind of unit it is.
pub(crate) fn of_unit(db: &RootDatabase, krate: Crate, kind: UnitKind) -> Vec<Node> {
    let roots = Roots { db, it: DbInterner::new_with(db, krate), krate };
    match kind {
        UnitKind::Bin | UnitKind::BuildScript | UnitKind::Example => roots.main(),
        UnitKind::Test | UnitKind::Bench => {
            let mut nodes = roots.main();
            nodes.extend(roots.tests());
            nodes
        }
        UnitKind::Lib | UnitKind::Sysroot => roots.public(),
        UnitKind::ProcMacro => roots.proc_macros(),
    }
}

struct Roots<'db> {
    db: &'db RootDatabase,
    it: DbInterner<'db>,
    krate: Crate,
}

impl Roots<'_> {
    /// An instance with the item's own parameters in place of arguments.
    fn generic(&self, f: FunctionId) -> Node {
        let args = GenericArgs::identity_for_item(self.it, GenericDefId::from(f).into());
        Node::Body(f.into(), erase(self.it, args).store())
    }

    fn main(&self) -> Vec<Node> {
        let map = crate_def_map(self.db, self.krate);
        let root = &map[map.root_module_id()];
        // `main` may be an import, so ask the scope and not the declarations.
        root.scope
            .values()
            .filter(|(name, _)| name.as_str() == "main")
            .filter_map(|(_, item)| match item.def {
                ModuleDefId::FunctionId(f) => Some(self.generic(f)),
                _ => None,
            })
            .collect()
    }

    fn tests(&self) -> Vec<Node> {
        let map = crate_def_map(self.db, self.krate);
        let mut nodes = Vec::new();
        for (_, module) in map.modules() {
            for def in module.scope.declarations() {
                if let ModuleDefId::FunctionId(f) = def
                    && AttrFlags::query(self.db, f.into())
                        .intersects(AttrFlags::IS_TEST | AttrFlags::IS_BENCH)
                {
                    nodes.push(self.generic(f));
                }
            }
        }
        nodes
    }

    /// A procedural macro is called by the compiler; only public functions of
    /// the crate root can be one.
    fn proc_macros(&self) -> Vec<Node> {
        let map = crate_def_map(self.db, self.krate);
        map[map.root_module_id()]
            .scope
            .declarations()
            .filter_map(|def| match def {
                ModuleDefId::FunctionId(f) => Some(self.generic(f)),
                _ => None,
            })
            .collect()
    }

    /// Every public path, and every trait impl of the crate: another crate can
    /// call them.
    fn public(&self) -> Vec<Node> {
        let map = crate_def_map(self.db, self.krate);
        let mut public = Public { roots: self, modules: FxHashSet::default(), items: Vec::new() };
        public.module(map.root_module_id());
        let mut nodes = Vec::new();
        let mut types = FxHashSet::default();
        for item in public.items {
            match item {
                ModuleDefId::FunctionId(f) => nodes.push(self.generic(f)),
                ModuleDefId::AdtId(adt) => {
                    types.insert(adt);
                }
                ModuleDefId::TraitId(tr) => nodes.extend(self.default_methods(tr)),
                ModuleDefId::StaticId(id) => {
                    nodes.push(Node::Body(id.into(), crate::walk::no_args()));
                }
                ModuleDefId::ConstId(id) => {
                    nodes.push(Node::Body(id.into(), crate::walk::no_args()));
                }
                _ => {}
            }
        }
        for (_, module) in map.modules() {
            for id in module.scope.impls() {
                nodes.extend(self.impl_methods(id, &types));
            }
        }
        nodes
    }

    fn default_methods(&self, tr: TraitId) -> Vec<Node> {
        self.functions(&tr.trait_items(self.db).items)
    }

    fn functions(&self, items: &[(ra_ap_hir_expand::name::Name, AssocItemId)]) -> Vec<Node> {
        items
            .iter()
            .filter_map(|(_, item)| match item {
                AssocItemId::FunctionId(f)
                    if FunctionSignature::of(self.db, *f).has_body() =>
                {
                    Some(self.generic(*f))
                }
                _ => None,
            })
            .collect()
    }

    fn impl_methods(&self, id: ImplId, types: &FxHashSet<AdtId>) -> Vec<Node> {
        let db: &dyn HirDatabase = self.db;
        let self_ty = db.impl_self_ty(id).instantiate_identity().skip_norm_wip();
        if let TyKind::Adt(adt, _) = self_ty.kind()
            && adt.def_id().module(self.db).krate(self.db) == self.krate
            && !types.contains(&adt.def_id())
        {
            // A private type cannot be named outside; what is made of it
            // inside is walked when it is reached.
            return Vec::new();
        }
        let inherent = db.impl_trait(id).is_none();
        let items = &id.impl_items(self.db).items;
        if !inherent {
            return self.functions(items);
        }
        items
            .iter()
            .filter_map(|(_, item)| match item {
                AssocItemId::FunctionId(f) if self.is_public(*f) => Some(self.generic(*f)),
                _ => None,
            })
            .collect()
    }

    fn is_public(&self, f: FunctionId) -> bool {
        matches!(AssocItemId::from(f).assoc_visibility(self.db), Visibility::Public)
    }
}

/// Everything that has a public path.
struct Public<'a, 'db> {
    roots: &'a Roots<'db>,
    modules: FxHashSet<ModuleId>,
    items: Vec<ModuleDefId>,
}

impl Public<'_, '_> {
    fn module(&mut self, module: ModuleId) {
        if module.krate(self.roots.db) != self.roots.krate || !self.modules.insert(module) {
            return;
        }
        let map = crate_def_map(self.roots.db, self.roots.krate);
        for (_, item) in map[module].scope.entries() {
            let item = item.filter_visibility(|vis| matches!(vis, Visibility::Public));
            for def in [item.take_types(), item.take_values()].into_iter().flatten() {
                match def {
                    ModuleDefId::ModuleId(module) => self.module(module),
                    // What another crate defines is that crate's public path.
                    def if def.module(self.roots.db).is_some_and(|module| {
                        module.krate(self.roots.db) == self.roots.krate
                    }) =>
                    {
                        self.items.push(def);
                    }
                    _ => {}
                }
            }
        }
    }
}

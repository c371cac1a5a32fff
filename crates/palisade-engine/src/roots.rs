//! Where a walk starts.

use palisade_project::UnitKind;
use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AdtId, AssocItemId, BuiltinDeriveImplId, DefWithBodyId, FunctionId, GenericDefId,
    GenericParamId, HasModule, ImplId, Lookup, ModuleDefId, ModuleId, TraitId, attrs::AttrFlags,
    nameres::crate_def_map, signatures::FunctionSignature, src::HasSource, visibility::Visibility,
};
use ra_ap_hir_expand::name::Name;
use ra_ap_hir_ty::{
    InferenceResult,
    db::HirDatabase,
    next_solver::{DbInterner, GenericArg, GenericArgs, Ty, TyKind},
};
use ra_ap_ide_db::RootDatabase;
use ra_ap_rustc_type_ir::inherent::{GenericArgs as _, IntoKind};
use ra_ap_syntax::{AstNode, ast::HasAttrs};
use rustc_hash::FxHashSet;

use crate::{facts::erase, walk::Node};

/// The entry points of one crate, by what kind of unit it is.
pub(crate) fn of_unit(db: &RootDatabase, krate: Crate, kind: UnitKind) -> Vec<Node> {
    let roots = Roots {
        db,
        it: DbInterner::new_with(db, krate),
        krate,
        own: false,
    };
    roots.of(kind)
}

/// Those entry points of a crate that it declares itself. A type of another
/// crate that it passes on is that crate's.
pub(crate) fn declared(db: &RootDatabase, krate: Crate, kind: UnitKind) -> Vec<Node> {
    let roots = Roots {
        db,
        it: DbInterner::new_with(db, krate),
        krate,
        own: true,
    };
    roots.of(kind)
}

struct Roots<'db> {
    db: &'db RootDatabase,
    it: DbInterner<'db>,
    krate: Crate,
    /// Whether what other crates declare is left out.
    own: bool,
}

impl Roots<'_> {
    fn of(&self, kind: UnitKind) -> Vec<Node> {
        let roots = self;
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
                ModuleDefId::FunctionId(f) => Some(f),
                _ => None,
            })
            .flat_map(|f| [Some(self.generic(f)), self.report(f)])
            .flatten()
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
                    nodes.extend(self.report(f));
                }
            }
        }
        nodes
    }

    /// A procedural macro is called by the compiler; only functions of the
    /// crate root can be one.
    fn proc_macros(&self) -> Vec<Node> {
        let map = crate_def_map(self.db, self.krate);
        map[map.root_module_id()]
            .scope
            .declarations()
            .filter_map(|def| match def {
                ModuleDefId::FunctionId(f) if self.is_proc_macro(f) => Some(self.generic(f)),
                _ => None,
            })
            .collect()
    }

    fn is_proc_macro(&self, f: FunctionId) -> bool {
        f.lookup(self.db).source(self.db).value.attrs().any(|attr| {
            attr.path()
                .is_some_and(|path| path.syntax().text().to_string().starts_with("proc_macro"))
        })
    }

    /// What the runtime does with the value that `main` or a test returns.
    fn report(&self, f: FunctionId) -> Option<Node> {
        let hir: &dyn HirDatabase = self.db;
        let tr = self.it.lang_items().Termination?;
        let report = functions(&tr.trait_items(self.db).items).next()?;
        let signature = hir.callable_item_signature(f.into());
        let output = signature
            .instantiate_identity()
            .skip_norm_wip()
            .skip_binder()
            .output();
        let args = GenericArgs::new_from_slice(&[erase(self.it, output).into()]);
        Some(Node::Method(report, args.store()))
    }

    /// Every public path, and every trait impl of the crate: another crate can
    /// call them.
    fn public(&self) -> Vec<Node> {
        let map = crate_def_map(self.db, self.krate);
        let mut public = Public {
            roots: self,
            modules: FxHashSet::default(),
            items: Vec::new(),
        };
        public.module(map.root_module_id());
        let mut nodes = Vec::new();
        let mut types = FxHashSet::default();
        for item in public.items {
            match item {
                ModuleDefId::FunctionId(f) => {
                    nodes.push(self.generic(f));
                    if self.own && f.krate(self.db) != self.krate {
                        continue;
                    }
                    types.extend(self.returned(f));
                }
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
        // A type of another crate is re-exported here with its methods.
        let mut crates: Vec<Crate> = types
            .iter()
            .map(|adt| adt.module(self.db).krate(self.db))
            .collect();
        crates.retain(|_| !self.own);
        crates.push(self.krate);
        crates.sort();
        crates.dedup();
        for krate in crates {
            for (_, module) in crate_def_map(self.db, krate).modules() {
                for id in module.scope.impls() {
                    nodes.extend(self.impl_methods(id, &types));
                }
                for id in module.scope.builtin_derive_impls() {
                    nodes.extend(self.derived_methods(id, &types));
                }
            }
        }
        nodes
    }

    /// Types that a function returns without naming them.
    fn returned(&self, f: FunctionId) -> Vec<AdtId> {
        if !FunctionSignature::of(self.db, f).has_body() {
            return Vec::new();
        }
        let hir: &dyn HirDatabase = self.db;
        InferenceResult::of(hir, DefWithBodyId::from(f))
            .return_position_impl_trait_types(hir)
            .filter_map(|(_, ty)| ty.as_adt().map(|(adt, _)| adt))
            .collect()
    }

    fn derived_methods(&self, id: BuiltinDeriveImplId, types: &FxHashSet<AdtId>) -> Vec<Node> {
        let loc = id.loc(self.db);
        let Some(tr) = loc.trait_.get_id(self.it.lang_items()) else {
            return Vec::new();
        };
        if !types.contains(&loc.adt) {
            return Vec::new();
        }
        let ty = Ty::new_adt(
            self.it,
            loc.adt,
            GenericArgs::identity_for_item(self.it, GenericDefId::from(loc.adt).into()),
        );
        functions(&tr.trait_items(self.db).items)
            .map(|f| {
                let args = GenericArgs::for_item(self.it, f.into(), |index, param, _, _| {
                    if index == 0 || matches!(param, GenericParamId::TypeParamId(_)) {
                        ty.into()
                    } else {
                        GenericArg::error_from_id(self.it, param)
                    }
                });
                Node::Method(f, erase(self.it, args).store())
            })
            .collect()
    }

    fn default_methods(&self, tr: TraitId) -> Vec<Node> {
        self.bodies(&tr.trait_items(self.db).items)
    }

    fn bodies(&self, items: &[(Name, AssocItemId)]) -> Vec<Node> {
        functions(items)
            .filter(|f| FunctionSignature::of(self.db, *f).has_body())
            .map(|f| self.generic(f))
            .collect()
    }

    fn impl_methods(&self, id: ImplId, types: &FxHashSet<AdtId>) -> Vec<Node> {
        let db: &dyn HirDatabase = self.db;
        let self_ty = db.impl_self_ty(id).instantiate_identity().skip_norm_wip();
        if let TyKind::Adt(adt, _) = self_ty.kind()
            && (adt.def_id().module(self.db).krate(self.db) == self.krate
                || id.module(self.db).krate(self.db) != self.krate)
            && !types.contains(&adt.def_id())
        {
            // A private type cannot be named outside; what is made of it
            // inside is walked when it is reached.
            return Vec::new();
        }
        let inherent = db.impl_trait(id).is_none();
        let items = &id.impl_items(self.db).items;
        if !inherent {
            return self.bodies(items);
        }
        items
            .iter()
            .filter(|(_, item)| matches!(item.assoc_visibility(self.db), Visibility::Public))
            .filter_map(|(_, item)| match item {
                AssocItemId::FunctionId(f) => Some(self.generic(*f)),
                AssocItemId::ConstId(c) => {
                    let args =
                        GenericArgs::identity_for_item(self.it, GenericDefId::from(*c).into());
                    Some(Node::Body((*c).into(), erase(self.it, args).store()))
                }
                AssocItemId::TypeAliasId(_) => None,
            })
            .collect()
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
        let krate = module.krate(self.roots.db);
        if krate.data(self.roots.db).origin.is_lang() || !self.modules.insert(module) {
            return;
        }
        let map = crate_def_map(self.roots.db, krate);
        for (_, item) in map[module].scope.entries() {
            let item = item.filter_visibility(|vis| matches!(vis, Visibility::Public));
            for def in [item.take_types(), item.take_values()]
                .into_iter()
                .flatten()
            {
                match def {
                    ModuleDefId::ModuleId(module) => self.module(module),
                    // What another crate defines has a public path here too,
                    // the standard library's apart.
                    def if def.module(self.roots.db).is_some_and(|module| {
                        !module
                            .krate(self.roots.db)
                            .data(self.roots.db)
                            .origin
                            .is_lang()
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

fn functions(items: &[(Name, AssocItemId)]) -> impl Iterator<Item = FunctionId> {
    items.iter().filter_map(|(_, item)| match item {
        AssocItemId::FunctionId(f) => Some(*f),
        _ => None,
    })
}

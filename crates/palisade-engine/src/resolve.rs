//! What an advisory's path means: alias-aware lookup of functions.
//!
//! Advisories name functions by the path a user would write, which is often
//! not where they are defined: through re-exports, by a type instead of its
//! impl block, by a trait instead of an impl, with generic arguments that say
//! nothing. A name that is not found where the path says is looked for in the
//! whole crate by its last two segments, since private modules move between
//! versions while public names stay.

use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AdtId, AssocItemId, FunctionId, HasModule, ImplId, Lookup, MacroId, ModuleDefId, ModuleId,
    TraitId,
    item_scope::ItemScope,
    nameres::{DefMap, crate_def_map},
    per_ns::PerNs,
    signatures::{FunctionSignature, TraitSignature},
    src::HasSource,
};
use ra_ap_hir_expand::name::Name;
use ra_ap_hir_ty::{db::HirDatabase, next_solver::TyKind};
use ra_ap_ide_db::RootDatabase;
use ra_ap_intern::Symbol;
use ra_ap_rustc_type_ir::inherent::IntoKind;
use ra_ap_syntax::ast::HasName;

use crate::{
    api::{PathQuery, PathSegment, ResolutionKind},
    names::Definition,
};

pub(crate) struct Resolver<'a> {
    db: &'a RootDatabase,
}

type Found = (ResolutionKind, Vec<Definition>);

impl<'a> Resolver<'a> {
    pub(crate) fn new(db: &'a RootDatabase) -> Self {
        Self { db }
    }

    /// Resolves a path in every given crate (variants of one package) and
    /// joins what is found.
    pub(crate) fn resolve(&self, crates: &[Crate], path: &PathQuery) -> Found {
        let mut kind = ResolutionKind::Missing;
        let mut definitions = Vec::new();
        for &krate in crates {
            let segments = path.segments.get(1..).unwrap_or_default();
            let found = self
                .in_module(crate_def_map(self.db, krate).root_module_id(), segments)
                .or_else(|| self.on_primitive(krate, segments))
                .or_else(|| self.anywhere(krate, segments));
            if let Some((found_kind, found)) = found {
                kind = found_kind;
                definitions.extend(found);
            }
        }
        definitions.sort();
        definitions.dedup();
        (kind, definitions)
    }

    fn in_module(&self, module: ModuleId, segments: &[PathSegment]) -> Option<Found> {
        let Some((first, rest)) = segments.split_first() else {
            return Some((ResolutionKind::Module, self.module_functions(module)));
        };
        let map = module.def_map(self.db);
        let name = Name::new_symbol_root(Symbol::intern(&first.name));
        let items = map[module].scope.get(&name);
        self.in_scope(items, rest).or_else(|| {
            if !rest.is_empty() {
                return None;
            }
            // `macro_rules!` macros are found by the textual scope only.
            let scope: &ItemScope = &map[module].scope;
            let legacy = scope.legacy_macros().filter(|(legacy, _)| **legacy == name);
            let mut found: Vec<Definition> = legacy
                .flat_map(|(_, ids)| ids.iter().map(|id| Definition::Macro(*id)))
                .collect();
            found.extend(self.made_macros(map, &first.name));
            (!found.is_empty()).then_some((ResolutionKind::Macro, found))
        })
    }

    fn in_scope(&self, items: PerNs, rest: &[PathSegment]) -> Option<Found> {
        if rest.is_empty() {
            match items.take_values() {
                Some(ModuleDefId::FunctionId(f)) => {
                    return Some((ResolutionKind::Function, vec![Definition::Function(f)]));
                }
                Some(ModuleDefId::ConstId(_) | ModuleDefId::StaticId(_)) => {
                    return Some((ResolutionKind::Value, Vec::new()));
                }
                _ => {}
            }
            if let Some(id) = items.take_macros()
                && items.take_types().is_none()
            {
                return Some((ResolutionKind::Macro, vec![Definition::Macro(id)]));
            }
        }
        match items.take_types()? {
            ModuleDefId::ModuleId(module) => self.in_module(module, rest),
            ModuleDefId::AdtId(adt) => self.in_type(adt, rest),
            ModuleDefId::EnumVariantId(variant) => {
                self.in_type(variant.loc(self.db).parent.into(), rest)
            }
            ModuleDefId::TraitId(tr) => self.in_trait(tr, rest),
            ModuleDefId::TypeAliasId(alias) => {
                let db: &dyn HirDatabase = self.db;
                let ty = db.ty(alias.into()).instantiate_identity().skip_norm_wip();
                match ty.kind() {
                    TyKind::Adt(adt, _) => self.in_type(adt.def_id(), rest),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The macros that a function of this name is. Such a function can only be
    /// used as the macro, which has a name of its own when it is a derive.
    fn made_macros(&self, map: &DefMap, function: &str) -> Vec<Definition> {
        let root = &map[map.root_module_id()].scope;
        root.macros()
            .filter_map(|(_, item)| match item.def {
                MacroId::ProcMacroId(id) if map.krate() == id.krate(self.db) => Some(id),
                _ => None,
            })
            .filter(|id| {
                let source = id.lookup(self.db).source(self.db).value;
                source.name().is_some_and(|name| name.text() == function)
            })
            .map(|id| Definition::Macro(id.into()))
            .collect()
    }

    /// A method of a primitive type, as in `std::str::repeat`: the type shares
    /// its name with a module.
    fn on_primitive(&self, krate: Crate, segments: &[PathSegment]) -> Option<Found> {
        let [primitive, method] = segments else {
            return None;
        };
        let db: &dyn HirDatabase = self.db;
        let mut found = Vec::new();
        for id in self.impls(krate) {
            let ty = db.impl_self_ty(id).instantiate_identity().skip_norm_wip();
            if primitive_name(ty.kind()) == Some(primitive.name.as_str()) {
                let methods = functions(&id.impl_items(self.db).items);
                let named = methods.filter(|f| self.name_of(*f) == method.name);
                found.extend(named.map(Definition::Function));
            }
        }
        (!found.is_empty()).then_some((ResolutionKind::Function, found))
    }

    fn in_type(&self, adt: AdtId, rest: &[PathSegment]) -> Option<Found> {
        let methods = self.methods_of(adt);
        let named = |name: &str| -> Vec<Definition> {
            methods
                .iter()
                .filter(|(f, _)| self.name_of(*f) == name)
                .map(|(f, _)| Definition::Function(*f))
                .chain(self.derived(adt, |_, method| method == name))
                .collect()
        };
        let of_trait = |tr: &str, method: Option<&str>| -> Vec<Definition> {
            methods
                .iter()
                .filter(|(f, of)| {
                    of.is_some_and(|of| self.trait_name(of) == tr)
                        && method.is_none_or(|method| self.name_of(*f) == method)
                })
                .map(|(f, _)| Definition::Function(*f))
                .chain(self.derived(adt, |of, name| {
                    of == tr && method.is_none_or(|method| name == method)
                }))
                .collect()
        };
        let found = match rest {
            [] => {
                let all = methods.iter().map(|(f, _)| Definition::Function(*f));
                let all = all.chain(self.derived(adt, |_, _| true)).collect();
                return Some((ResolutionKind::Type, all));
            }
            [name] => {
                let inherent = named(&name.name);
                if inherent.is_empty() {
                    of_trait(&name.name, None)
                } else {
                    inherent
                }
            }
            [tr, method] => of_trait(&tr.name, Some(&method.name)),
            _ => Vec::new(),
        };
        (!found.is_empty()).then_some((ResolutionKind::Function, found))
    }

    /// A trait's methods count in every impl of the program's crates.
    fn in_trait(&self, tr: TraitId, rest: &[PathSegment]) -> Option<Found> {
        let wanted = |f: FunctionId| match rest {
            [] => true,
            [name] => self.name_of(f) == name.name,
            _ => false,
        };
        let mut found: Vec<Definition> = functions(&tr.trait_items(self.db).items)
            .filter(|f| wanted(*f))
            .map(Definition::Function)
            .collect();
        if found.is_empty() && !rest.is_empty() {
            return None;
        }
        for krate in ra_ap_base_db::all_crates(self.db).iter() {
            for id in self.impls(*krate) {
                if self.impl_trait(id) == Some(tr) {
                    let methods = functions(&id.impl_items(self.db).items);
                    found.extend(methods.filter(|f| wanted(*f)).map(Definition::Function));
                }
            }
        }
        let kind = if rest.is_empty() {
            ResolutionKind::Trait
        } else {
            ResolutionKind::Function
        };
        Some((kind, found))
    }

    /// The last two segments as `Type::method`, or the last one as a free
    /// function or type, wherever the crate defines it.
    fn anywhere(&self, krate: Crate, segments: &[PathSegment]) -> Option<Found> {
        let mut found = Vec::new();
        let mut kind = None;
        let map: &DefMap = crate_def_map(self.db, krate);
        for keep in [2, 1] {
            let Some(at) = segments.len().checked_sub(keep) else {
                continue;
            };
            let suffix = &segments[at..];
            if keep == 1 && segments.len() > 1 && starts_type(&segments[segments.len() - 2]) {
                // `Type::method` with no such method: the bare name would be
                // some other function.
                continue;
            }
            if keep == 1 && krate.data(self.db).origin.is_lang() {
                // The standard library's paths are stable: what is not where
                // the path says is something else of that name.
                continue;
            }
            for (module, _) in map.modules() {
                if let Some((found_kind, more)) = self.in_module(module, suffix)
                    && found_kind != ResolutionKind::Module
                {
                    kind = kind.or(Some(found_kind));
                    found.extend(more);
                }
            }
            if let Some(kind) = kind {
                return Some((kind, found));
            }
        }
        None
    }

    fn module_functions(&self, module: ModuleId) -> Vec<Definition> {
        let map = module.def_map(self.db);
        let mut found = Vec::new();
        let mut modules = vec![module];
        while let Some(module) = modules.pop() {
            modules.extend(map[module].children.values().copied());
            for def in map[module].scope.declarations() {
                match def {
                    ModuleDefId::FunctionId(f) => found.push(Definition::Function(f)),
                    ModuleDefId::TraitId(tr) => found.extend(
                        functions(&tr.trait_items(self.db).items).map(Definition::Function),
                    ),
                    _ => {}
                }
            }
            for id in map[module].scope.impls() {
                found.extend(functions(&id.impl_items(self.db).items).map(Definition::Function));
            }
        }
        found
    }

    /// Every method of a type that its own crate defines, with the trait.
    fn methods_of(&self, adt: AdtId) -> Vec<(FunctionId, Option<TraitId>)> {
        let db: &dyn HirDatabase = self.db;
        let krate = adt.module(self.db).krate(self.db);
        let mut methods = Vec::new();
        for id in self.impls(krate) {
            let ty = db.impl_self_ty(id).instantiate_identity().skip_norm_wip();
            if matches!(ty.kind(), TyKind::Adt(of, _) if of.def_id() == adt) {
                let tr = self.impl_trait(id);
                methods.extend(functions(&id.impl_items(self.db).items).map(|f| (f, tr)));
            }
        }
        methods
    }

    /// Methods of built-in derives, by trait and method name.
    fn derived(&self, adt: AdtId, wanted: impl Fn(&str, &str) -> bool) -> Vec<Definition> {
        let module = adt.module(self.db);
        let map = module.def_map(self.db);
        let items = ra_ap_hir_def::lang_item::lang_items(self.db, module.krate(self.db));
        let mut found = Vec::new();
        for id in map[module].scope.builtin_derive_impls() {
            let loc = id.loc(self.db);
            if loc.adt != adt {
                continue;
            }
            let Some(tr) = loc.trait_.get_id(items) else {
                continue;
            };
            let name = self.trait_name(tr);
            for f in functions(&tr.trait_items(self.db).items) {
                if wanted(&name, &self.name_of(f)) {
                    found.push(Definition::Derive(id, f));
                }
            }
        }
        found
    }

    fn impls(&self, krate: Crate) -> Vec<ImplId> {
        let map = crate_def_map(self.db, krate);
        let mut impls = Vec::new();
        for (_, module) in map.modules() {
            impls.extend(module.scope.impls());
            // Derives write their impls into `const _: () = { … };`.
            for id in module.scope.unnamed_consts() {
                let body = ra_ap_hir_def::expr_store::Body::of(self.db, id.into());
                for (_, block) in body.blocks(self.db) {
                    impls.extend(block.modules().flat_map(|(_, module)| module.scope.impls()));
                }
            }
        }
        impls
    }

    fn impl_trait(&self, id: ImplId) -> Option<TraitId> {
        let db: &dyn HirDatabase = self.db;
        db.impl_trait(id)
            .map(|tr| tr.instantiate_identity().skip_norm_wip().def_id.0)
    }

    fn name_of(&self, f: FunctionId) -> String {
        FunctionSignature::of(self.db, f).name.as_str().to_owned()
    }

    fn trait_name(&self, tr: TraitId) -> String {
        TraitSignature::of(self.db, tr).name.as_str().to_owned()
    }
}

fn functions(items: &[(Name, AssocItemId)]) -> impl Iterator<Item = FunctionId> {
    items.iter().filter_map(|(_, item)| match item {
        AssocItemId::FunctionId(f) => Some(*f),
        _ => None,
    })
}

/// What documentation calls a primitive type.
fn primitive_name(kind: TyKind<'_>) -> Option<&'static str> {
    match kind {
        TyKind::Bool => Some("bool"),
        TyKind::Char => Some("char"),
        TyKind::Str => Some("str"),
        TyKind::Slice(_) => Some("slice"),
        TyKind::Array(..) => Some("array"),
        TyKind::Int(int) => Some(int.name_str()),
        TyKind::Uint(uint) => Some(uint.name_str()),
        TyKind::Float(float) => Some(float.name_str()),
        _ => None,
    }
}

fn starts_type(segment: &PathSegment) -> bool {
    segment.name.starts_with(char::is_uppercase)
}

//! Large tables, without inference.
//!
//! Inference looks at every open question again after each element of an
//! array, so a generated table of a hundred thousand elements would take
//! hours. The initialiser of a constant or static can call nothing but what it
//! names (operators and methods of traits are not constant), so names are
//! enough there, as long as it makes no vtables.

use ra_ap_hir_def::{
    DefWithBodyId,
    expr_store::{Body, path::Path},
    hir::Expr,
    resolver::{HasResolver, ValueNs},
};
use ra_ap_hir_ty::{
    db::HirDatabase,
    next_solver::{DbInterner, GenericArgs, Ty, TyKind},
};
use ra_ap_rustc_type_ir::{TypeSuperVisitable, TypeVisitable, TypeVisitor, inherent::IntoKind};
use rustc_hash::FxHashSet;

use super::{BodyFacts, Fact, FactKind, UnresolvedCall, erase, variants};
use crate::{api::Dispatch, blind::Adts};

/// The facts of an initialiser of more than `most` expressions; `None` when it
/// is smaller, or has to be inferred all the same.
pub(super) fn collect<'db>(
    db: &'db dyn HirDatabase,
    it: DbInterner<'db>,
    def: DefWithBodyId,
    body: &Body,
    most: usize,
) -> Option<BodyFacts> {
    body.exprs().nth(most)?;
    let ty: Ty<'db> = match def {
        DefWithBodyId::StaticId(id) => db.type_for_static(id).instantiate_identity(),
        DefWithBodyId::ConstId(id) => db.type_for_const(id).instantiate_identity(),
        DefWithBodyId::FunctionId(_) | DefWithBodyId::VariantId(_) => return None,
    }
    .skip_norm_wip();
    let mut dynamic = Dynamic {
        db,
        it,
        found: false,
        seen: FxHashSet::default(),
    };
    ty.visit_with(&mut dynamic);
    if dynamic.found {
        return None;
    }
    let mut adts = Adts::default();
    ty.visit_with(&mut adts);
    let mut facts = BodyFacts {
        is_table: true,
        adts: adts.found.into_iter().collect(),
        ..BodyFacts::default()
    };
    let resolver = def.resolver(db);
    let mut seen: FxHashSet<&Path> = FxHashSet::default();
    for (id, expr) in body.exprs() {
        let name = match expr {
            Expr::Path(path) if seen.insert(path) => {
                let hygiene = body.expr_path_hygiene(id);
                let kind = match resolver.resolve_path_in_value_ns_fully(db, path, hygiene) {
                    Some(ValueNs::FunctionId(f)) => {
                        let args = erase(it, GenericArgs::error_for_item(it, f.into()));
                        Some(FactKind::Call(f, args.store(), Dispatch::Static))
                    }
                    Some(ValueNs::StaticId(id)) => Some(FactKind::Initialiser(id.into())),
                    Some(ValueNs::ConstId(id)) => Some(FactKind::Initialiser(id.into())),
                    Some(_) => continue,
                    None => None,
                };
                if let Some(kind) = kind {
                    let site = Some(id);
                    facts.shared.push(Fact { kind, site });
                    continue;
                }
                path.segments().last().map(|segment| segment.name.as_str())
            }
            Expr::MethodCall { method_name, .. } => Some(method_name.as_str()),
            _ => None,
        };
        if let Some(name) = name
            && facts.unresolved.iter().all(|known| known.name != name)
        {
            let name = name.to_owned();
            facts.unresolved.push(UnresolvedCall { name, site: id });
        }
    }
    Some(facts)
}

/// Looks for `dyn` in a type and in the fields of what it is made of.
struct Dynamic<'db> {
    db: &'db dyn HirDatabase,
    it: DbInterner<'db>,
    found: bool,
    seen: FxHashSet<Ty<'db>>,
}

impl<'db> TypeVisitor<DbInterner<'db>> for Dynamic<'db> {
    type Result = ();

    fn visit_ty(&mut self, ty: Ty<'db>) {
        if !self.seen.insert(ty) {
            return;
        }
        match ty.kind() {
            // What is not known might be one.
            TyKind::Dynamic(..) | TyKind::Error(_) => self.found = true,
            TyKind::Adt(adt, args) => {
                for variant in variants(self.db, adt.def_id()) {
                    for (_, field) in self.db.field_types(variant).iter() {
                        let ty = field.ty().instantiate(self.it, args).skip_norm_wip();
                        ty.visit_with(self);
                    }
                }
            }
            _ => {}
        }
        ty.super_visit_with(self);
    }
}

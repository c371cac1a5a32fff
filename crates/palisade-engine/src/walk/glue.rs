//! What the compiler itself writes: drop glue and vtables.

use ra_ap_hir_def::{
    AdtId, AssocItemId, FunctionId, TraitId,
    hir::generics::{GenericParams, TypeParamProvenance},
    signatures::{FunctionSignature, StructFlags, StructSignature},
};
use ra_ap_hir_ty::{
    db::HirDatabase,
    drop::destructor,
    next_solver::{
        Binder, BoundExistentialPredicates, GenericArg, GenericArgs, TraitRef, Ty, TyKind,
    },
};
use ra_ap_rustc_type_ir::{
    elaborate::supertraits,
    inherent::{BoundExistentialPredicates as _, GenericArgs as _, IntoKind},
};

use super::{
    node::{Node, Site, Unresolved},
    visit::Visitor,
};
use crate::{
    api::Dispatch,
    facts::{erase, may_need_drop},
};

impl<'db> Visitor<'_, 'db> {
    pub(super) fn push_drop(&mut self, ty: Ty<'db>, site: Option<Site>) {
        if !may_need_drop(ty) {
            return;
        }
        let extent = self.measure.ty(ty);
        if self.exceeds(extent) {
            if let (Some(method), TyKind::Adt(adt, _)) = (self.items.Drop_drop, ty.kind()) {
                let adt = Some(adt.def_id());
                self.visit.unresolved.push(Unresolved { method, adt });
            }
        } else {
            self.push(Node::Drop(ty.store()), site, Dispatch::Drop);
        }
    }

    pub(super) fn drop_glue(&mut self, ty: Ty<'db>) {
        match ty.kind() {
            TyKind::Adt(adt, args) => {
                let id = adt.def_id();
                if let AdtId::StructId(s) = id {
                    let flags = StructSignature::of(self.db, s).flags;
                    if flags
                        .intersects(StructFlags::IS_MANUALLY_DROP | StructFlags::IS_PHANTOM_DATA)
                    {
                        return;
                    }
                    // The compiler itself drops what a box holds.
                    if flags.contains(StructFlags::IS_BOX)
                        && let Some(inner) = args.types().next()
                    {
                        self.push_drop(inner, None);
                    }
                }
                // A type has at most one `Drop` impl, and that is for all of
                // its instances: there is nothing to prove.
                if let (&Some(drop_impl), Some(f)) = (destructor(self.db, id), self.items.Drop_drop)
                {
                    let args = GenericArgs::new_from_slice(&[ty.into()]);
                    self.method_of(drop_impl, f, args, Dispatch::Drop);
                }
                for field in self.fields(id, args) {
                    self.push_drop(field, None);
                }
            }
            TyKind::Tuple(types) => {
                for ty in types.iter() {
                    self.push_drop(ty, None);
                }
            }
            TyKind::Array(ty, _) | TyKind::Slice(ty) => self.push_drop(ty, None),
            TyKind::Closure(_, args) => {
                self.push_drop(args.as_closure().tupled_upvars_ty(), None);
            }
            TyKind::Coroutine(_, args) => {
                self.push_drop(args.as_coroutine().tupled_upvars_ty(), None);
            }
            _ => {}
        }
    }

    pub(super) fn unsize(&mut self, from: Ty<'db>, to: Ty<'db>) {
        let mut found = Vec::new();
        objects(from, to, &mut found);
        for (from, predicates) in found {
            if let Some(principal) = predicates.principal() {
                let tr = principal.with_self_ty(self.it, from);
                self.vtable(tr);
            }
            self.push_drop(from, None);
        }
    }

    fn vtable(&mut self, principal: Binder<'db, TraitRef<'db>>) {
        for tr in supertraits(self.it, principal) {
            let tr = tr.skip_binder();
            let tr = erase(self.it, tr);
            let tr_args = self.normalise(tr.args);
            let id: TraitId = tr.def_id.0;
            for (_, item) in id.trait_items(self.db).items.iter() {
                let AssocItemId::FunctionId(f) = *item else {
                    continue;
                };
                if !in_vtable(self.db, f) {
                    continue;
                }
                let it = self.it;
                let args = GenericArgs::for_item(it, f.into(), |index, param, _, _| match tr_args
                    .as_slice()
                    .get(index as usize)
                {
                    Some(arg) => *arg,
                    None => GenericArg::error_from_id(it, param),
                });
                let args = erase(it, args);
                self.call(f, args, None, Dispatch::Dyn);
            }
        }
    }
}

/// The types that become trait objects when one type is turned into another,
/// with what the objects are of.
pub(crate) fn objects<'db>(
    from: Ty<'db>,
    to: Ty<'db>,
    found: &mut Vec<(Ty<'db>, BoundExistentialPredicates<'db>)>,
) {
    match (from.kind(), to.kind()) {
        (
            TyKind::Ref(_, from, _) | TyKind::RawPtr(from, _),
            TyKind::Ref(_, to, _) | TyKind::RawPtr(to, _),
        ) => objects(from, to, found),
        (TyKind::Dynamic(..), TyKind::Dynamic(..)) => {}
        (_, TyKind::Dynamic(predicates, _)) => found.push((from, predicates)),
        (TyKind::Adt(x, from), TyKind::Adt(y, to)) if x == y => {
            for (from, to) in from.iter().zip(to.iter()) {
                if let (Some(from), Some(to)) = (from.ty(), to.ty())
                    && from != to
                {
                    objects(from, to, found);
                }
            }
        }
        _ => {}
    }
}

/// Whether a method has a slot in its trait's vtable: it takes `self`, has
/// no type parameters of its own and is not bound by `Self: Sized`.
pub(crate) fn in_vtable(db: &dyn HirDatabase, f: FunctionId) -> bool {
    let signature = FunctionSignature::of(db, f);
    signature.has_self_param()
        && !ra_ap_hir_ty::dyn_compatibility::generics_require_sized_self(db, f.into())
        && !GenericParams::of(db, f.into())
            .iter_type_or_consts()
            .any(|(_, param)| {
                param
                    .type_param()
                    .is_some_and(|p| !matches!(p.provenance, TypeParamProvenance::TraitSelf))
            })
}

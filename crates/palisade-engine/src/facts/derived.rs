//! What a path or method call must mean when inference cannot name it and the
//! type derives it.
//!
//! rust-analyzer bounds a derived impl by every projection among the types of
//! the fields, the compiler only by projections of the type's own parameters.
//! A bound too many can be false, as that of `list: List<Item, <Item as
//! Link>::Target>`, and then the impl is not found. The program compiles, so
//! the derived function it is.

use ra_ap_hir_def::{
    AdtId, AssocItemId, FunctionId, ItemContainerId,
    builtin_derive::BuiltinDeriveImplTrait,
    expr_store::path::Path,
    resolver::{Resolver, TypeNs},
};
use ra_ap_hir_ty::{
    db::HirDatabase,
    next_solver::{DbInterner, GenericArg, GenericArgs, Ty, TyKind},
};
use ra_ap_rustc_type_ir::inherent::IntoKind;

use crate::walk::derives;

/// The traits that the compiler derives and that have functions.
const TRAITS: [BuiltinDeriveImplTrait; 7] = [
    BuiltinDeriveImplTrait::Clone,
    BuiltinDeriveImplTrait::Default,
    BuiltinDeriveImplTrait::Debug,
    BuiltinDeriveImplTrait::Hash,
    BuiltinDeriveImplTrait::PartialEq,
    BuiltinDeriveImplTrait::PartialOrd,
    BuiltinDeriveImplTrait::Ord,
];

/// The function that `Type::name` means, if the type derives one of that name.
pub(super) fn of_path<'db>(
    db: &'db dyn HirDatabase,
    it: DbInterner<'db>,
    resolver: &Resolver<'db>,
    path: &Path,
) -> Option<(FunctionId, GenericArgs<'db>)> {
    let name = path.segments().last()?.name.as_str();
    let (ty, rest, _) = resolver.resolve_path_in_type_ns(db, path)?;
    if rest.is_some_and(|rest| rest + 1 != path.segments().len()) {
        return None;
    }
    let adt = match ty {
        TypeNs::AdtId(adt) | TypeNs::AdtSelfType(adt) => adt,
        _ => return None,
    };
    named(
        db,
        it,
        adt,
        Ty::new_adt(it, adt, GenericArgs::error_for_item(it, adt.into())),
        name,
    )
}

/// The function that a method called on this type means, if the type derives
/// one of that name.
pub(super) fn of_method<'db>(
    db: &'db dyn HirDatabase,
    it: DbInterner<'db>,
    receiver: Ty<'db>,
    name: &str,
) -> Option<(FunctionId, GenericArgs<'db>)> {
    let mut ty = receiver;
    while let TyKind::Ref(_, inner, _) = ty.kind() {
        ty = inner;
    }
    match ty.kind() {
        TyKind::Adt(adt, _) => named(db, it, adt.def_id(), ty, name),
        _ => None,
    }
}

/// What `clone` called on a reference means as well: that of a type that
/// derives it, which comes first but is not found. The reference's own is meant
/// only where a parameter of the type cannot be cloned.
pub(super) fn behind_reference<'db>(
    db: &'db dyn HirDatabase,
    it: DbInterner<'db>,
    f: FunctionId,
    args: GenericArgs<'db>,
) -> Option<(FunctionId, GenericArgs<'db>)> {
    let ItemContainerId::TraitId(tr) = f.loc(db).container else {
        return None;
    };
    match args.types().next()?.kind() {
        TyKind::Ref(_, inner, _) if it.lang_items().Clone == Some(tr) => match inner.kind() {
            TyKind::Adt(adt, _) => named(db, it, adt.def_id(), inner, "clone"),
            _ => None,
        },
        _ => None,
    }
}

fn named<'db>(
    db: &'db dyn HirDatabase,
    it: DbInterner<'db>,
    adt: AdtId,
    ty: Ty<'db>,
    name: &str,
) -> Option<(FunctionId, GenericArgs<'db>)> {
    let mut traits = TRAITS
        .iter()
        .filter_map(|derivable| derivable.get_id(it.lang_items()));
    let f = traits.find_map(|tr| {
        let mut items = tr.trait_items(db).items.iter();
        let f = items.find_map(|(item_name, item)| match item {
            AssocItemId::FunctionId(f) if item_name.as_str() == name => Some(*f),
            _ => None,
        })?;
        derives(db, tr, adt).then_some(f)
    })?;
    let args = GenericArgs::for_item(it, f.into(), |index, param, _, _| match index {
        0 => ty.into(),
        _ => GenericArg::error_from_id(it, param),
    });
    Some((f, args))
}

//! The impl that a call must mean when the solver cannot prove it.
//!
//! The program compiles, so every trait method called on a known type has an
//! impl. When proving that impl's conditions fails here (they may ask for what
//! the analysis library cannot work out, such as whether a coroutine is
//! `Send`), and the type has only one impl of the trait, that is the one.

use ra_ap_hir_def::signatures::FunctionSignature;
use ra_ap_hir_def::{
    AdtId, AssocItemId, BuiltinDeriveImplId, FunctionId, HasModule, ImplId, TraitId,
};
use ra_ap_hir_ty::{
    Span,
    db::HirDatabase,
    method_resolution::TraitImpls,
    next_solver::{
        DbInterner, GenericArg, GenericArgs, ParamEnv, SimplifiedType, TypingMode,
        infer::{DbInternerInferExt, traits::ObligationCause},
    },
};
use ra_ap_rustc_type_ir::TypeVisitableExt;

/// The impl of a trait for a type, when there is exactly one.
pub(super) enum Only {
    Impl(ImplId),
    Derive(BuiltinDeriveImplId),
}

/// The method of `id`, an impl of `f`'s trait, that stands for `f`, with its
/// generic arguments; those that the impl's header does not fix are unknown.
/// The trait's own method when the impl leaves it at the default.
pub(super) fn method_of<'db>(
    db: &'db dyn HirDatabase,
    it: DbInterner<'db>,
    id: ImplId,
    f: FunctionId,
    args: GenericArgs<'db>,
) -> Option<(FunctionId, GenericArgs<'db>)> {
    let name = &FunctionSignature::of(db, f).name;
    let found = id
        .impl_items(db)
        .items
        .iter()
        .find_map(|(item_name, item)| match item {
            AssocItemId::FunctionId(found) if item_name == name => Some(*found),
            _ => None,
        });
    let Some(found) = found else {
        return Some((f, args));
    };
    let header = db.impl_trait(id)?;
    let trait_params = header.instantiate_identity().skip_norm_wip().args.len();
    let infcx = it.infer_ctxt().build(TypingMode::PostAnalysis);
    let cause = ObligationCause::dummy();
    let fresh = infcx.fresh_args_for_item(Span::Dummy, id.into());
    let header = header.instantiate(it, fresh).skip_norm_wip();
    let wanted = GenericArgs::new_from_slice(&args[..trait_params]);
    // Types that do not fit leave their variables open, and so unknown.
    let _ = infcx
        .at(&cause, ParamEnv::empty(it))
        .eq(header.args, wanted);
    let fresh = infcx.resolve_vars_if_possible(fresh);
    let own = args.iter().skip(trait_params);
    let all: Vec<GenericArg<'db>> = fresh.iter().chain(own).collect();
    let resolved = GenericArgs::for_item(it, found.into(), |index, param, _, _| {
        match all.get(index as usize) {
            Some(arg) if !arg.has_non_region_infer() => *arg,
            _ => GenericArg::error_from_id(it, param),
        }
    });
    Some((found, resolved))
}

/// Whether a type has its only impl of a trait from a derive that the compiler
/// knows.
pub(crate) fn derives(db: &dyn HirDatabase, tr: TraitId, adt: AdtId) -> bool {
    matches!(only_impl(db, tr, adt), Some(Only::Derive(_)))
}

/// The only impl of a trait that can be for a type, if there is exactly one: it
/// stands in the crate of the trait or of the type, or in the body that the
/// type is declared in. Where the type has an impl of its own, a blanket one
/// does not apply, since impls must not overlap.
pub(super) fn only_impl(db: &dyn HirDatabase, tr: TraitId, adt: AdtId) -> Option<Only> {
    let simple = SimplifiedType::Adt(adt.into());
    let mut crates = vec![tr.krate(db), adt.krate(db)];
    crates.dedup();
    let block = adt.module(db).block(db);
    let places = crates
        .into_iter()
        .map(|krate| &**TraitImpls::for_crate(db, krate))
        .chain(block.and_then(|block| TraitImpls::for_block(db, block)));
    let (mut own, mut derived, mut blanket) = (Vec::new(), Vec::new(), Vec::new());
    for impls in places {
        let (found, derives) = impls.for_trait_and_self_ty(tr, &simple);
        own.extend_from_slice(found);
        derived.extend_from_slice(derives);
        blanket.extend_from_slice(impls.blanket_impls(tr));
    }
    // The body of an unnamed constant counts for its crate and for itself.
    for impls in [&mut own, &mut blanket] {
        impls.sort();
        impls.dedup();
    }
    derived.sort();
    derived.dedup();
    match (own.as_slice(), derived.as_slice(), blanket.as_slice()) {
        ([only], [], _) | ([], [], [only]) => Some(Only::Impl(*only)),
        ([], [only], _) => Some(Only::Derive(*only)),
        _ => None,
    }
}

//! Methods of the standard library that the compiler passes over.
//!
//! A method that is still unstable loses against any other of its name, so
//! that crates which gave a type such a method by a trait keep compiling: what
//! `extend` called on an integer means is the trait of `num_conv`, although
//! newer standard libraries have a method of that name. rust-analyzer takes the
//! unstable one, as it does not know who may call it.

use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AssocItemId, FunctionId, HasModule, ItemContainerId, TraitId, attrs::AttrFlags,
    hir::generics::GenericParams, resolver::Resolver, signatures::FunctionSignature,
    unstable_features::UnstableFeatures,
};
use ra_ap_hir_ty::{
    ParamEnvAndCrate,
    db::HirDatabase,
    next_solver::{DbInterner, GenericArg, GenericArgs, ParamEnv, Ty},
    traits::implements_trait_unique,
};

/// Whether code of `krate` cannot mean `f`, because it is an unstable method.
pub(super) fn is_passed_over(db: &dyn HirDatabase, krate: Crate, f: FunctionId) -> bool {
    let of = f.krate(db);
    let is_method = !matches!(
        f.loc(db).container,
        ItemContainerId::ModuleId(_) | ItemContainerId::ExternBlockId(_)
    );
    if !is_method || !of.data(db).origin.is_lang() || krate.data(db).origin.is_lang() {
        return false;
    }
    AttrFlags::query(db, f.into())
        .unstable_feature(db, f.into())
        .is_some_and(|feature| !UnstableFeatures::query(db, krate).is_enabled(&feature))
}

/// The methods of the same name that traits in scope give one of `types`, with
/// what `args` says of the method's own parameters.
pub(super) fn others<'db>(
    db: &'db dyn HirDatabase,
    it: DbInterner<'db>,
    resolver: &Resolver<'db>,
    env: ParamEnv<'db>,
    (f, args): (FunctionId, GenericArgs<'db>),
    types: &[Ty<'db>],
) -> Vec<(FunctionId, GenericArgs<'db>)> {
    let name = &FunctionSignature::of(db, f).name;
    let own = GenericParams::of(db, f.into()).len().min(args.len());
    let mut traits: Vec<TraitId> = resolver.traits_in_scope(db).into_iter().collect();
    traits.sort();
    let env = ParamEnvAndCrate {
        param_env: env,
        krate: resolver.krate(),
    };
    let mut found = Vec::new();
    for tr in traits {
        let mut items = tr.trait_items(db).items.iter();
        let method = items.find_map(|(item_name, item)| match item {
            AssocItemId::FunctionId(other) if item_name == name && *other != f => Some(*other),
            _ => None,
        });
        let Some(method) = method else {
            continue;
        };
        let mut types = types.iter().copied();
        let Some(ty) = types.find(|ty| implements_trait_unique(*ty, db, env, tr)) else {
            continue;
        };
        let of_trait = GenericParams::of(db, tr.into()).len();
        let is_like = GenericParams::of(db, method.into()).len() == own;
        let args = GenericArgs::for_item(it, method.into(), |index, param, _, _| {
            let index = index as usize;
            // A method's own arguments come last.
            let same = index
                .checked_sub(of_trait)
                .filter(|_| is_like)
                .and_then(|at| args.as_slice().get((args.len() - own) + at));
            match same {
                _ if index == 0 => ty.into(),
                Some(arg) => *arg,
                None => GenericArg::error_from_id(it, param),
            }
        });
        found.push((method, args));
    }
    found
}

//! What one body does, before it is known for which generic arguments.
//!
//! Facts are taken once per body from rust-analyzer's inference result and
//! instantiated for every instance that the walk meets. Those that mention no
//! generic parameter are kept apart, so that they are walked only once.

mod derived;
mod table;
mod unstable;

use ra_ap_hir_def::{
    AdtId, CallableDefId, ConstId, DefWithBodyId, FunctionId, HasModule, VariantId,
    expr_store::{Body, path::Path},
    hir::{AsmOperand, Expr, ExprId, UnaryOp},
    resolver::{HasResolver, Resolver, ValueNs},
};
use ra_ap_hir_ty::{
    Adjust, InferenceResult, OverloadedDeref, PointerCast,
    db::HirDatabase,
    method_resolution::CandidateId,
    next_solver::{
        DbInterner, GenericArg, GenericArgs, Region, StoredGenericArgs, StoredTy, Ty, TyKind,
    },
};
use ra_ap_rustc_type_ir::{
    TypeFoldable, TypeVisitable, TypeVisitableExt, fold_regions, inherent::IntoKind,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{api::Dispatch, blind::Adts};

/// The facts of one body.
#[derive(Default)]
pub(crate) struct BodyFacts {
    /// Facts that are the same for every instance.
    pub(crate) shared: Vec<Fact>,
    /// Facts that depend on the generic arguments.
    pub(crate) generic: Vec<Fact>,
    /// Calls whose callee inference could not name.
    pub(crate) unresolved: Vec<UnresolvedCall>,
    /// The structs, enums and unions that occur in the types of its values.
    pub(crate) adts: Vec<AdtId>,
    /// Whether these are the names alone, of too large a table.
    pub(crate) is_table: bool,
}

/// One thing that a body does, and where.
pub(crate) struct Fact {
    pub(crate) kind: FactKind,
    pub(crate) site: Option<ExprId>,
}

/// What a body does.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum FactKind {
    /// Calls or names a function; trait methods are still to be resolved.
    Call(FunctionId, StoredGenericArgs, Dispatch),
    /// Awaits a value of this type.
    Await(StoredTy),
    /// Makes the second type from the first by unsizing.
    Unsize(StoredTy, StoredTy),
    /// Owns a value of this type that may be dropped here.
    Drop(StoredTy),
    /// Mentions a constant or static, whose initialiser counts.
    Initialiser(DefWithBodyId),
    /// Mentions an associated constant.
    AssocConst(ConstId, StoredGenericArgs),
}

/// A call whose callee inference could not name.
#[derive(Clone, Debug)]
pub(crate) struct UnresolvedCall {
    /// The method's or function's name as written.
    pub(crate) name: String,
    pub(crate) site: ExprId,
}

/// Replaces every free region, so that instances differ by types only.
pub(crate) fn erase<'db, T: TypeFoldable<DbInterner<'db>>>(it: DbInterner<'db>, value: T) -> T {
    let erased = Region::new_erased(it);
    fold_regions(it, value, |_, _| erased)
}

/// Whether a value of this type can have anything to drop at all.
pub(crate) fn may_need_drop(ty: Ty<'_>) -> bool {
    matches!(
        ty.kind(),
        TyKind::Adt(..)
            | TyKind::Closure(..)
            | TyKind::Coroutine(..)
            | TyKind::CoroutineClosure(..)
            | TyKind::Tuple(..)
            | TyKind::Alias(..)
            | TyKind::Param(_)
            | TyKind::Array(..)
            | TyKind::Slice(..)
    )
}

struct Collector<'a, 'db> {
    db: &'db dyn HirDatabase,
    it: DbInterner<'db>,
    def: DefWithBodyId,
    body: &'a Body,
    inference: &'a InferenceResult<'db>,
    facts: BodyFacts,
    seen: FxHashSet<FactKind>,
    adts: Adts<'db>,
}

/// The variants of a type; a struct or union is its own one.
pub(crate) fn variants(db: &dyn HirDatabase, adt: AdtId) -> Vec<VariantId> {
    match adt {
        AdtId::StructId(id) => vec![id.into()],
        AdtId::UnionId(id) => vec![id.into()],
        AdtId::EnumId(id) => {
            let variants = id.enum_variants(db).variants.values();
            variants.map(|(id, _)| (*id).into()).collect()
        }
    }
}

/// Takes the facts of one body; an initialiser of more than `most` expressions
/// is not inferred.
pub(crate) fn collect<'db>(
    db: &'db dyn HirDatabase,
    it: DbInterner<'db>,
    def: DefWithBodyId,
    most: usize,
) -> BodyFacts {
    let body = Body::of(db, def);
    if let Some(facts) = table::collect(db, it, def, body, most) {
        return facts;
    }
    let inference = InferenceResult::of(db, def);
    let mut collector = Collector {
        db,
        it,
        def,
        body,
        inference,
        facts: BodyFacts::default(),
        seen: FxHashSet::default(),
        adts: Adts::default(),
    };
    collector.run();
    let mut facts = collector.facts;
    facts.adts = collector.adts.found.into_iter().collect();
    facts
}

impl<'db> Collector<'_, 'db> {
    fn run(&mut self) {
        let callees: FxHashMap<ExprId, ExprId> = self
            .body
            .exprs()
            .filter_map(|(id, expr)| match expr {
                Expr::Call { callee, .. } => Some((*callee, id)),
                _ => None,
            })
            .collect();
        let mut resolver = None;
        for (id, expr) in self.body.exprs() {
            self.expression(id, expr, &callees, &mut resolver);
            self.adjustments(id);
        }
        for (_, ty) in self.inference.binding_types() {
            ty.visit_with(&mut self.adts);
            self.drop_of(ty, None);
        }
        for &param in self.body.params.iter() {
            self.drop_of(self.inference.pat_ty(param.formal), None);
        }
    }

    fn push(&mut self, kind: FactKind, generic: bool, site: Option<ExprId>) {
        if self.seen.insert(kind.clone()) {
            let list = if generic {
                &mut self.facts.generic
            } else {
                &mut self.facts.shared
            };
            list.push(Fact { kind, site });
        }
    }

    fn call(&mut self, f: FunctionId, args: GenericArgs<'db>, dispatch: Dispatch, site: ExprId) {
        let args = erase(self.it, args);
        self.push(
            FactKind::Call(f, args.store(), dispatch),
            args.has_param(),
            Some(site),
        );
    }

    fn drop_of(&mut self, ty: Ty<'db>, site: Option<ExprId>) {
        if may_need_drop(ty) {
            let ty = erase(self.it, ty);
            self.push(FactKind::Drop(ty.store()), ty.has_param(), site);
        }
    }

    fn unsize(&mut self, from: Ty<'db>, to: Ty<'db>, site: ExprId) {
        let (from, to) = (erase(self.it, from), erase(self.it, to));
        let generic = from.has_param() || to.has_param();
        self.push(
            FactKind::Unsize(from.store(), to.store()),
            generic,
            Some(site),
        );
    }

    fn expression(
        &mut self,
        id: ExprId,
        expr: &Expr,
        callees: &FxHashMap<ExprId, ExprId>,
        resolver: &mut Option<Resolver<'db>>,
    ) {
        let ty = self.inference.expr_ty(id);
        ty.visit_with(&mut self.adts);
        let method = self.inference.method_resolution(id);
        if let Some((f, args)) = method
            && !self.is_builtin_operator(expr, args)
        {
            let receiver = match expr {
                Expr::MethodCall { receiver, .. } => Some(*receiver),
                _ => None,
            };
            let types = || receiver.map_or_else(Vec::new, |receiver| self.receivers(receiver));
            let others = self.instead(id, f, args, types, resolver);
            if others.is_empty() {
                self.call(f, args, Dispatch::Static, id);
            }
            for (f, args) in others {
                self.call(f, args, Dispatch::Static, id);
            }
            if let Some((f, args)) = derived::behind_reference(self.db, self.it, f, args) {
                self.call(f, args, Dispatch::Static, id);
            }
        }
        match expr {
            Expr::Path(path) => self.path(id, path, ty, callees, resolver),
            Expr::Await { expr } => {
                let awaited = erase(self.it, self.inference.expr_ty(*expr));
                self.push(
                    FactKind::Await(awaited.store()),
                    awaited.has_param(),
                    Some(id),
                );
            }
            // A field that holds a closure or function pointer resolves as a field.
            Expr::MethodCall {
                receiver,
                method_name,
                ..
            } if method.is_none() && self.inference.field_resolution(id).is_none() => {
                let receiver = self.inference.expr_ty(*receiver);
                let name = method_name.as_str();
                match derived::of_method(self.db, self.it, receiver, name) {
                    Some((f, args)) => self.call(f, args, Dispatch::Static, id),
                    None => self.unresolved(name, id),
                }
            }
            Expr::InlineAsm(asm) => {
                for (_, operand) in asm.operands.iter() {
                    if let AsmOperand::Sym(path) = operand
                        && let Some(ValueNs::FunctionId(f)) = self.resolve(id, path, resolver)
                    {
                        let args = GenericArgs::error_for_item(self.it, f.into());
                        self.call(f, args, Dispatch::Mention, id);
                    }
                }
            }
            _ => {}
        }
        // Places are dropped through their owner; everything else is a value
        // that this body owns, if only for a moment.
        let place = match expr {
            Expr::Path(_) | Expr::Field { .. } | Expr::Index { .. } => true,
            Expr::UnaryOp { op, .. } => matches!(op, UnaryOp::Deref),
            _ => false,
        };
        if !place {
            self.drop_of(ty, Some(id));
        }
    }

    /// What the compiler takes instead of an unstable method.
    fn instead(
        &self,
        id: ExprId,
        f: FunctionId,
        args: GenericArgs<'db>,
        types: impl FnOnce() -> Vec<Ty<'db>>,
        resolver: &mut Option<Resolver<'db>>,
    ) -> Vec<(FunctionId, GenericArgs<'db>)> {
        if !unstable::is_passed_over(self.db, self.def.krate(self.db), f) {
            return Vec::new();
        }
        let resolver = resolver.get_or_insert_with(|| self.def.resolver(self.db));
        let guard = resolver.update_to_inner_scope(self.db, self.def, id);
        let env = self.db.trait_environment(self.def.generic_def(self.db));
        let others = unstable::others(self.db, self.it, resolver, env, (f, args), &types());
        resolver.reset_to_guard(guard);
        others
    }

    /// The types that a method called on an expression may be looked up for,
    /// in the compiler's order.
    fn receivers(&self, receiver: ExprId) -> Vec<Ty<'db>> {
        let mut types = vec![self.inference.expr_ty(receiver)];
        let adjustments = self.inference.expr_adjustment(receiver);
        types.extend(
            adjustments
                .into_iter()
                .flatten()
                .map(|it| it.target.as_ref()),
        );
        let mut at = 0;
        while at < types.len() {
            if let TyKind::Ref(_, inner, _) = types[at].kind()
                && !types.contains(&inner)
            {
                types.insert(at + 1, inner);
            }
            at += 1;
        }
        types
    }

    fn unresolved(&mut self, name: &str, site: ExprId) {
        let name = name.to_owned();
        self.facts.unresolved.push(UnresolvedCall { name, site });
    }

    /// Operators on primitives resolve to the standard library's impls too,
    /// but the compiler emits them inline.
    fn is_builtin_operator(&self, expr: &Expr, args: GenericArgs<'db>) -> bool {
        match expr {
            Expr::BinaryOp { .. } | Expr::UnaryOp { .. } => args.types().all(|ty| ty.is_scalar()),
            Expr::Index { .. } => {
                args.types()
                    .next()
                    .is_some_and(|ty| matches!(ty.kind(), TyKind::Array(..) | TyKind::Slice(..)))
                    && args.types().nth(1).is_some_and(|ty| ty.is_scalar())
            }
            _ => false,
        }
    }

    fn resolve(
        &self,
        id: ExprId,
        path: &Path,
        resolver: &mut Option<Resolver<'db>>,
    ) -> Option<ValueNs> {
        let resolver = resolver.get_or_insert_with(|| self.def.resolver(self.db));
        let guard = resolver.update_to_inner_scope(self.db, self.def, id);
        let hygiene = self.body.expr_path_hygiene(id);
        let value = resolver.resolve_path_in_value_ns_fully(self.db, path, hygiene);
        resolver.reset_to_guard(guard);
        value
    }

    fn path(
        &mut self,
        id: ExprId,
        path: &Path,
        ty: Ty<'db>,
        callees: &FxHashMap<ExprId, ExprId>,
        resolver: &mut Option<Resolver<'db>>,
    ) {
        if let TyKind::FnDef(def, args) = ty.kind() {
            if let CallableDefId::FunctionId(f) = def.0 {
                let (dispatch, site) = match callees.get(&id) {
                    Some(&call) => (Dispatch::Static, call),
                    None => (Dispatch::Mention, id),
                };
                let types = || args.types().next().into_iter().collect();
                let others = self.instead(id, f, args, types, resolver);
                if others.is_empty() {
                    self.call(f, args, dispatch, site);
                }
                for (f, args) in others {
                    self.call(f, args, dispatch, site);
                }
            }
            return;
        }
        if let Some((CandidateId::ConstId(c), args)) = self.inference.assoc_resolutions_for_expr(id)
        {
            let args = erase(self.it, args);
            self.push(
                FactKind::AssocConst(c, args.store()),
                args.has_param(),
                Some(id),
            );
            self.drop_of(ty, Some(id));
            return;
        }
        let variant: Option<VariantId> = self.inference.variant_resolution_for_expr(id);
        if variant.is_some() {
            return;
        }
        match self.resolve(id, path, resolver) {
            Some(ValueNs::StaticId(s)) => {
                self.push(FactKind::Initialiser(s.into()), false, Some(id));
            }
            Some(ValueNs::ConstId(c)) => {
                self.push(FactKind::Initialiser(c.into()), false, Some(id));
                self.drop_of(ty, Some(id));
            }
            Some(_) => {}
            None => {
                if matches!(ty.kind(), TyKind::Error(_)) && callees.contains_key(&id) {
                    let found = resolver
                        .as_ref()
                        .and_then(|resolver| derived::of_path(self.db, self.it, resolver, path));
                    match (found, path.segments().last()) {
                        (Some((f, args)), _) => self.call(f, args, Dispatch::Static, id),
                        (None, Some(last)) => self.unresolved(last.name.as_str(), id),
                        (None, None) => {}
                    }
                }
            }
        }
    }

    fn adjustments(&mut self, id: ExprId) {
        let Some(adjustments) = self.inference.expr_adjustment(id) else {
            return;
        };
        let mut from = self.inference.expr_ty(id);
        for adjustment in adjustments {
            let to: Ty<'db> = adjustment.target.as_ref();
            match &adjustment.kind {
                Adjust::Pointer(PointerCast::Unsize) => self.unsize(from, to, id),
                Adjust::Deref(Some(OverloadedDeref(mutability))) => {
                    let items = self.it.lang_items();
                    let f = if mutability.is_mut() {
                        items.DerefMut_deref_mut
                    } else {
                        items.Deref_deref
                    };
                    if let Some(f) = f {
                        let args =
                            GenericArgs::for_item(self.it, f.into(), |index, param, _, _| {
                                if index == 0 {
                                    from.into()
                                } else {
                                    GenericArg::error_from_id(self.it, param)
                                }
                            });
                        self.call(f, args, Dispatch::Static, id);
                    }
                }
                _ => {}
            }
            from = to;
        }
    }
}

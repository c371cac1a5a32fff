//! From one node to its successors.
//!
//! The rules are those of the compiler's own monomorphisation collector
//! (`rustc_monomorphize::collector`), restated over inference results: a
//! resolved callee counts, a function named as a value counts, an unsizing
//! makes the vtable's methods count, and whatever is owned is dropped.

use either::Either;
use ra_ap_base_db::Crate;
use ra_ap_hir_def::{
    AdtId, AssocItemId, ConstId, DefWithBodyId, FunctionId, HasModule, ImplId, ItemContainerId,
    MacroId, TraitId, hir::generics::GenericParams, lang_item::LangItems,
    signatures::FunctionSignature,
};
use ra_ap_hir_expand::MacroCallId;
use ra_ap_hir_ty::{
    ParamEnvAndCrate,
    db::HirDatabase,
    method_resolution::{is_dyn_method, lookup_impl_const},
    next_solver::{
        DbInterner, EarlyBinder, GenericArg, GenericArgs, ParamEnv, Ty, TyKind, TypingMode,
        infer::{DbInternerInferExt, traits::ObligationCause},
    },
};
use ra_ap_rustc_type_ir::{
    TypeFoldable, TypeVisitable, TypeVisitableExt,
    inherent::{IntoKind, Ty as _},
};
use rustc_hash::FxHashSet;

use super::{
    by_head::{self, Only},
    measure::{Extent, Measure},
    node::{Edge, Node, Site, Unresolved, Visit},
    prune::Prune,
    store::FactStore,
    viewpoint::Viewpoints,
};
use crate::{
    api::{Dispatch, Limits},
    facts::{Fact, FactKind, erase, variants},
};

/// One worker's view of the program.
pub(crate) struct Visitor<'a, 'db> {
    pub(super) db: &'db dyn HirDatabase,
    pub(super) it: DbInterner<'db>,
    pub(super) viewpoints: Viewpoints<'db>,
    pub(super) items: &'db LangItems,
    store: &'a FactStore,
    limits: &'a Limits,
    prune: &'a Prune,
    /// The crates of what was left out so far.
    left_out: FxHashSet<Crate>,
    pub(super) measure: Measure<'db>,
    pub(super) visit: Visit,
}

impl<'a, 'db> Visitor<'a, 'db> {
    pub(crate) fn new(
        db: &'db dyn HirDatabase,
        krate: Crate,
        store: &'a FactStore,
        limits: &'a Limits,
        prune: &'a Prune,
    ) -> Self {
        let it = DbInterner::new_with(db, krate);
        Self {
            db,
            it,
            viewpoints: Viewpoints::new(db, krate),
            items: it.lang_items(),
            store,
            limits,
            prune,
            left_out: FxHashSet::default(),
            measure: Measure::default(),
            visit: Visit::default(),
        }
    }

    /// The interner and the environment to ask with about `value` and `tr`.
    fn view(
        &self,
        value: &impl TypeVisitable<DbInterner<'db>>,
        tr: Option<TraitId>,
    ) -> (DbInterner<'db>, ParamEnvAndCrate<'db>) {
        let krate = self.viewpoints.of(value, tr);
        let it = DbInterner::new_with(self.db, krate);
        (
            it,
            ParamEnvAndCrate {
                param_env: ParamEnv::empty(it),
                krate,
            },
        )
    }

    /// The successors of `node`.
    pub(crate) fn visit(&mut self, node: &Node) -> Visit {
        self.visit = Visit::default();
        match node {
            Node::Body(def, args) => self.body(*def, args.as_ref()),
            Node::Shared(def) => {
                let facts = self.store.get(self.db, self.it, *def);
                let none = GenericArgs::empty(self.it);
                for fact in &facts.shared {
                    self.fact(*def, fact, none);
                }
                let written = self.store.watched.in_body(self.db, *def);
                self.expansions(written);
            }
            Node::Method(f, args) => self.method(*f, args.as_ref()),
            Node::Derived(derive, f, args) => {
                self.derived(*f, args.as_ref());
                let written = self.store.watched.in_derive(self.db, *derive);
                self.expansions(written);
            }
            Node::AssocConst(c, args) => {
                let args = args.as_ref();
                let (it, env) = self.view(&args, trait_of_const(self.db, *c));
                let infcx = it.infer_ctxt().build(TypingMode::PostAnalysis);
                let (c, args) = lookup_impl_const(&infcx, env.param_env, *c, args);
                let args = erase(self.it, args);
                self.push(
                    Node::Body(c.into(), args.store()),
                    None,
                    Dispatch::Initialiser,
                );
            }
            Node::Drop(ty) => self.drop_glue(ty.as_ref()),
            Node::Unsize(from, to) => self.unsize(from.as_ref(), to.as_ref()),
            Node::Await(ty) => self.awaited(ty.as_ref()),
            Node::Expansion(..) => {}
        }
        std::mem::take(&mut self.visit)
    }

    pub(super) fn push(&mut self, to: Node, site: Option<Site>, dispatch: Dispatch) {
        match self.prune.leaves_out(self.db, &to) {
            None => self.visit.edges.push(Edge { to, site, dispatch }),
            Some(crates) => {
                let new = crates.into_iter().filter(|it| self.left_out.insert(*it));
                self.visit.left_out.extend(new);
            }
        }
    }

    fn expansions(&mut self, written: Vec<(MacroId, MacroCallId)>) {
        for (id, call) in written {
            self.push(Node::Expansion(id, Some(call)), None, Dispatch::Expansion);
        }
    }

    fn body(&mut self, def: DefWithBodyId, args: GenericArgs<'db>) {
        if let DefWithBodyId::FunctionId(f) = def {
            if Some(f) == self.items.DropInPlace {
                // Its source is a stub that the compiler replaces by drop glue.
                if let Some(ty) = args.types().next() {
                    self.push_drop(ty, None);
                }
                return;
            }
            let signature = FunctionSignature::of(self.db, f);
            if !signature.has_body() {
                // A declaration in an `extern` block means the function that
                // exports the symbol, when the program has one.
                let exporter = self.store.exporter(signature.name.as_str());
                if let Some(exported) = exporter.filter(|exported| *exported != f) {
                    let none = GenericArgs::empty(self.it);
                    let node = Node::Body(exported.into(), none.store());
                    self.push(node, None, Dispatch::Static);
                }
                return;
            }
        }
        let facts = self.store.get(self.db, self.it, def);
        if facts.is_table {
            self.visit.limit = Some("inferred expressions");
        }
        self.push(Node::Shared(def), None, Dispatch::Static);
        for fact in &facts.generic {
            self.fact(def, fact, args);
        }
    }

    fn fact(&mut self, def: DefWithBodyId, fact: &Fact, args: GenericArgs<'db>) {
        let site = fact.site.map(|expr| Site { body: def, expr });
        match &fact.kind {
            FactKind::Call(f, callee_args, dispatch) => {
                let callee_args = self.instantiate(callee_args.as_ref(), args);
                self.call(*f, callee_args, site, *dispatch);
            }
            FactKind::Await(ty) => {
                let ty = self.instantiate::<Ty<'db>>(ty.as_ref(), args);
                self.push(Node::Await(ty.store()), site, Dispatch::Static);
            }
            FactKind::Unsize(from, to) => {
                let from = self.instantiate::<Ty<'db>>(from.as_ref(), args);
                let to = self.instantiate::<Ty<'db>>(to.as_ref(), args);
                self.push(Node::Unsize(from.store(), to.store()), site, Dispatch::Dyn);
            }
            FactKind::Drop(ty) => {
                let ty = self.instantiate::<Ty<'db>>(ty.as_ref(), args);
                self.push_drop(ty, site);
            }
            FactKind::Initialiser(def) => {
                let none = GenericArgs::empty(self.it);
                self.push(Node::Body(*def, none.store()), site, Dispatch::Initialiser);
            }
            FactKind::AssocConst(c, const_args) => {
                let mut const_args = self.instantiate(const_args.as_ref(), args);
                if self.too_large(const_args) {
                    // Of some impl, as its arguments are unknown from here on.
                    let unknown = GenericArgs::error_for_item(self.it, (*c).into());
                    const_args = erase(self.it, unknown);
                }
                self.push(
                    Node::AssocConst(*c, const_args.store()),
                    site,
                    Dispatch::Initialiser,
                );
            }
        }
    }

    fn instantiate<T>(&mut self, value: T, args: GenericArgs<'db>) -> T
    where
        T: TypeFoldable<DbInterner<'db>> + TypeVisitable<DbInterner<'db>> + Clone,
    {
        let value = if args.is_empty() {
            value
        } else {
            EarlyBinder::bind(value)
                .instantiate(self.it, args)
                .skip_norm_wip()
        };
        self.normalise(value)
    }

    pub(super) fn normalise<T>(&mut self, value: T) -> T
    where
        T: TypeFoldable<DbInterner<'db>> + TypeVisitable<DbInterner<'db>> + Clone,
    {
        if !value.has_aliases() {
            return value;
        }
        let (it, env) = self.view(&value, None);
        let infcx = it.infer_ctxt().build(TypingMode::PostAnalysis);
        let normal = infcx
            .at(&ObligationCause::dummy(), env.param_env)
            .deeply_normalize(value.clone())
            .unwrap_or(value);
        erase(self.it, normal)
    }

    pub(super) fn call(
        &mut self,
        f: FunctionId,
        args: GenericArgs<'db>,
        site: Option<Site>,
        dispatch: Dispatch,
    ) {
        let in_trait = matches!(f.loc(self.db).container, ItemContainerId::TraitId(_));
        if self.too_large(args) {
            // Go on with the arguments unknown: what depends on them shows up
            // as unresolved, the rest is walked.
            if in_trait {
                self.unresolved(f, args);
            } else {
                let args = erase(self.it, GenericArgs::error_for_item(self.it, f.into()));
                self.push(Node::Body(f.into(), args.store()), site, dispatch);
            }
            return;
        }
        if in_trait {
            // A call through a vtable reaches what the vtable was made of.
            if is_dyn_method(self.it, ParamEnv::empty(self.it), f, args).is_none() {
                self.push(Node::Method(f, args.store()), site, dispatch);
            }
        } else {
            self.push(Node::Body(f.into(), args.store()), site, dispatch);
        }
    }

    /// Whether generic arguments exceed a limit, which is recorded then.
    fn too_large(&mut self, args: GenericArgs<'db>) -> bool {
        let extent = self.measure.args(args);
        self.exceeds(extent)
    }

    pub(super) fn exceeds(&mut self, extent: Extent) -> bool {
        if extent.size > self.limits.type_size {
            self.visit.limit = Some("type size");
        } else if extent.depth > self.limits.type_depth {
            self.visit.limit = Some("type depth");
        } else {
            return false;
        }
        true
    }

    fn method(&mut self, f: FunctionId, args: GenericArgs<'db>) {
        let (_, env) = self.view(&args, trait_of(self.db, f));
        let (found, found_args) = self.db.lookup_impl_method(env, f, args);
        let found_args = erase(self.it, found_args);
        match found {
            Either::Left(g) if g != f => {
                self.push(
                    Node::Body(g.into(), found_args.store()),
                    None,
                    Dispatch::Static,
                );
            }
            Either::Left(_) => self.default_or_builtin(f, args),
            Either::Right((derive, _)) => {
                self.push(
                    Node::Derived(derive, f, args.store()),
                    None,
                    Dispatch::Static,
                );
            }
        }
    }

    /// No impl has this method: it is the trait's default, or the compiler
    /// provides it, or it could not be resolved.
    fn default_or_builtin(&mut self, f: FunctionId, args: GenericArgs<'db>) {
        let self_ty = args.types().next();
        let kind = self_ty.map(|ty| ty.kind());
        let open = matches!(
            kind,
            None | Some(TyKind::Param(_) | TyKind::Alias(..) | TyKind::Error(_))
        );
        if open {
            self.unresolved(f, args);
        }
        if let (Some(TyKind::Adt(adt, _)), Some(tr)) = (kind, trait_of(self.db, f)) {
            match by_head::only_impl(self.db, tr, adt.def_id()) {
                Some(Only::Impl(id)) => {
                    if self.method_of(id, f, args, Dispatch::Static) {
                        return;
                    }
                }
                // A derive writes what has to be written; the rest is left at
                // its default.
                Some(Only::Derive(derive)) if !FunctionSignature::of(self.db, f).has_body() => {
                    let node = Node::Derived(derive, f, args.store());
                    self.push(node, None, Dispatch::Static);
                    return;
                }
                Some(Only::Derive(_)) | None => {}
            }
        }
        if FunctionSignature::of(self.db, f).has_body() {
            self.push(Node::Body(f.into(), args.store()), None, Dispatch::Static);
            return;
        }
        match kind {
            Some(TyKind::Tuple(types)) => {
                for ty in types.iter() {
                    self.call_on(f, args, ty);
                }
            }
            Some(TyKind::Array(ty, _)) => self.call_on(f, args, ty),
            Some(
                TyKind::Closure(..)
                | TyKind::CoroutineClosure(..)
                | TyKind::Coroutine(..)
                | TyKind::FnDef(..)
                | TyKind::FnPtr(..)
                | TyKind::Never
                | TyKind::Pat(..)
                | TyKind::Dynamic(..),
            ) => {}
            _ => self.unresolved(f, args),
        }
    }

    /// Calls the method of an impl that stands for `f`, if it has a body.
    pub(super) fn method_of(
        &mut self,
        id: ImplId,
        f: FunctionId,
        args: GenericArgs<'db>,
        dispatch: Dispatch,
    ) -> bool {
        match by_head::method_of(self.db, self.it, id, f, args) {
            Some((found, args)) if FunctionSignature::of(self.db, found).has_body() => {
                let args = erase(self.it, args);
                self.push(Node::Body(found.into(), args.store()), None, dispatch);
                true
            }
            _ => false,
        }
    }

    fn unresolved(&mut self, method: FunctionId, args: GenericArgs<'db>) {
        let adt = match args.types().next().map(|ty| ty.kind()) {
            Some(TyKind::Adt(adt, _)) => Some(adt.def_id()),
            _ => None,
        };
        self.visit.unresolved.push(Unresolved { method, adt });
    }

    /// The same trait method for another self type, as built-in impls do for
    /// their parts.
    fn call_on(&mut self, f: FunctionId, args: GenericArgs<'db>, ty: Ty<'db>) {
        let ItemContainerId::TraitId(tr) = f.loc(self.db).container else {
            return;
        };
        let own = GenericParams::of(self.db, tr.into()).len();
        let args = args.iter().enumerate().map(|(index, arg)| {
            // The trait's type parameters (`Rhs`) default to `Self`.
            if index < own && arg.ty().is_some() {
                GenericArg::from(ty)
            } else {
                arg
            }
        });
        let args = GenericArgs::new_from_iter(self.it, args);
        self.call(f, args, None, Dispatch::Static);
    }

    fn derived(&mut self, f: FunctionId, args: GenericArgs<'db>) {
        let Some(TyKind::Adt(adt, adt_args)) = args.types().next().map(|ty| ty.kind()) else {
            return;
        };
        let tr = trait_of(self.db, f);
        if tr == self.items.Clone && adt_args.is_empty() && self.derives_copy(adt.def_id()) {
            // The derive writes `*self` then.
            return;
        }
        if tr == self.items.Default && matches!(adt.def_id(), AdtId::EnumId(_)) {
            // Only a unit variant can be the default.
            return;
        }
        for ty in self.fields(adt.def_id(), adt_args) {
            self.call_on(f, args, ty);
        }
    }

    fn derives_copy(&self, adt: AdtId) -> bool {
        let module = adt.module(self.db);
        module.def_map(self.db)[module]
            .scope
            .builtin_derive_impls()
            .any(|id| {
                let loc = id.loc(self.db);
                loc.adt == adt && loc.trait_.get_id(self.items) == self.items.Copy
            })
    }

    pub(super) fn fields(&mut self, adt: AdtId, args: GenericArgs<'db>) -> Vec<Ty<'db>> {
        // The compiler drops no field of a union.
        let variants = match adt {
            AdtId::UnionId(_) => Vec::new(),
            _ => variants(self.db, adt),
        };
        let mut types = Vec::new();
        for variant in variants {
            for (_, field) in self.db.field_types(variant).iter() {
                let ty = field.ty().instantiate(self.it, args).skip_norm_wip();
                let ty = self.normalise(ty);
                types.push(erase(self.it, ty));
            }
        }
        types
    }

    fn awaited(&mut self, ty: Ty<'db>) {
        let (Some(into_future), Some(poll)) =
            (self.items.IntoFutureIntoFuture, self.items.FuturePoll)
        else {
            return;
        };
        let args = GenericArgs::new_from_slice(&[ty.into()]);
        self.call(into_future, args, None, Dispatch::Static);
        let future = self.awaited_future(into_future, ty).unwrap_or(ty);
        let args = GenericArgs::new_from_slice(&[future.into()]);
        self.call(poll, args, None, Dispatch::Static);
    }

    /// `<ty as IntoFuture>::IntoFuture`.
    fn awaited_future(&mut self, into_future: FunctionId, ty: Ty<'db>) -> Option<Ty<'db>> {
        let ItemContainerId::TraitId(tr) = into_future.loc(self.db).container else {
            return None;
        };
        let alias = tr
            .trait_items(self.db)
            .items
            .iter()
            .find_map(|(name, item)| match item {
                AssocItemId::TypeAliasId(alias) if name.as_str() == "IntoFuture" => Some(*alias),
                _ => None,
            })?;
        let args = GenericArgs::new_from_slice(&[ty.into()]);
        let projection = Ty::new_projection_from_args(self.it, alias.into(), args);
        let normal = self.normalise(projection);
        (!normal.has_aliases()).then_some(normal)
    }
}

fn trait_of(db: &dyn HirDatabase, f: FunctionId) -> Option<TraitId> {
    match f.loc(db).container {
        ItemContainerId::TraitId(tr) => Some(tr),
        _ => None,
    }
}

fn trait_of_const(db: &dyn HirDatabase, c: ConstId) -> Option<TraitId> {
    match c.loc(db).container {
        ItemContainerId::TraitId(tr) => Some(tr),
        _ => None,
    }
}

//! From the facts of one body to what is written down.

use std::panic::{AssertUnwindSafe, catch_unwind};

use palisade_model::facts::{CallFact, CallKind, FunctionFact, UnresolvedFact, Unsizing};
use ra_ap_hir_def::{
    DefWithBodyId, FunctionId, ItemContainerId,
    expr_store::Body,
    hir::{Expr, ExprId},
};
use ra_ap_hir_ty::next_solver::{GenericArgs, Ty};
use ra_ap_rustc_type_ir::{TypeVisitable, inherent::BoundExistentialPredicates as _};
use rustc_hash::FxHashSet;

use super::crates::Extractor;
use crate::{
    api::Dispatch,
    blind::Adts,
    facts::{self, Fact, FactKind},
    walk::{Site, objects},
};

impl<'db> Extractor<'_, 'db> {
    /// Adds what a body does; gives whether the analysis library panicked.
    pub(super) fn body(&mut self, def: DefWithBodyId, function: &mut FunctionFact) -> bool {
        let (db, it, most) = (self.db, self.it, self.most());
        let taken = catch_unwind(AssertUnwindSafe(|| {
            let body = Body::of(db, def);
            let has_unsafe = body
                .exprs()
                .any(|(_, expr)| matches!(expr, Expr::Unsafe { .. }));
            (facts::collect(db, it, def, most), has_unsafe)
        }));
        let Ok((facts, has_unsafe)) = taken else {
            return true;
        };
        function.has_unsafe = has_unsafe;
        let mut adts = Adts::default();
        let mut seen = FxHashSet::default();
        for fact in facts.shared.iter().chain(&facts.generic) {
            self.fact(def, fact, function, &mut adts, &mut seen);
        }
        adts.found.extend(facts.adts.iter().copied());
        function.uses = self.tables.adts(adts.found);
        for call in &facts.unresolved {
            let line = self.line(def, Some(call.site), function.file);
            function.unresolved.push(UnresolvedFact {
                name: call.name.clone(),
                line,
            });
        }
        false
    }

    fn fact(
        &mut self,
        def: DefWithBodyId,
        fact: &Fact,
        function: &mut FunctionFact,
        adts: &mut Adts<'db>,
        seen: &mut FxHashSet<CallFact>,
    ) {
        let mut calls = Vec::new();
        match &fact.kind {
            FactKind::Call(f, args, dispatch) => {
                let args: GenericArgs<'db> = args.as_ref();
                args.visit_with(adts);
                let kind = match dispatch {
                    Dispatch::Mention => CallKind::Mention,
                    _ => CallKind::Call,
                };
                calls.push(self.call(*f, args, kind));
            }
            FactKind::Await(ty) => {
                let ty: Ty<'db> = ty.as_ref();
                ty.visit_with(adts);
                let items = self.it.lang_items();
                for f in [items.IntoFutureIntoFuture, items.FuturePoll] {
                    calls.extend(f.map(|f| CallFact {
                        callee: self.tables.function(f),
                        kind: CallKind::Await,
                        self_type: Some(self.tables.ty(ty)),
                        args: Vec::new(),
                        line: 0,
                    }));
                }
            }
            FactKind::Unsize(from, to) => {
                let (from, to): (Ty<'db>, Ty<'db>) = (from.as_ref(), to.as_ref());
                from.visit_with(adts);
                let mut found = Vec::new();
                objects(from, to, &mut found);
                for (from, predicates) in found {
                    let Some(principal) = predicates.principal() else {
                        continue;
                    };
                    let tr = principal.skip_binder().def_id.0;
                    let line = self.line(def, fact.site, function.file);
                    let (from, to) = (self.tables.ty(from), self.tables.tr(tr));
                    let unsizing = Unsizing { from, to, line };
                    let mut known = function.unsizings.iter();
                    if !known.any(|it| (it.from, it.to) == (from, to)) {
                        function.unsizings.push(unsizing);
                    }
                }
            }
            // What is dropped is used, and so in the list of types.
            FactKind::Drop(ty) => {
                let ty: Ty<'db> = ty.as_ref();
                ty.visit_with(adts);
            }
            FactKind::Initialiser(value) => calls.push(CallFact {
                callee: self.tables.value(*value),
                kind: CallKind::Value,
                self_type: None,
                args: Vec::new(),
                line: 0,
            }),
            FactKind::AssocConst(c, args) => {
                let args: GenericArgs<'db> = args.as_ref();
                args.visit_with(adts);
                let container = c.loc(self.db).container;
                let in_trait = matches!(container, ItemContainerId::TraitId(_));
                calls.push(CallFact {
                    callee: self.tables.value((*c).into()),
                    kind: CallKind::Value,
                    self_type: in_trait.then(|| self.self_type(args)),
                    args: self.tables.args(args, usize::from(in_trait)),
                    line: 0,
                });
            }
        }
        for call in calls {
            if seen.insert(call.clone()) {
                let line = self.line(def, fact.site, function.file);
                function.calls.push(CallFact { line, ..call });
            }
        }
    }

    pub(super) fn call(
        &mut self,
        f: FunctionId,
        args: GenericArgs<'db>,
        kind: CallKind,
    ) -> CallFact {
        let in_trait = matches!(f.loc(self.db).container, ItemContainerId::TraitId(_));
        CallFact {
            callee: self.tables.function(f),
            kind,
            self_type: in_trait.then(|| self.self_type(args)),
            args: self.tables.args(args, usize::from(in_trait)),
            line: 0,
        }
    }

    fn self_type(&mut self, args: GenericArgs<'db>) -> u32 {
        match args.types().next() {
            Some(ty) => self.tables.ty(ty),
            None => self.tables.open(),
        }
    }

    /// The line of an expression when it stands in the given file, else 0.
    fn line(&mut self, def: DefWithBodyId, site: Option<ExprId>, file: u32) -> u32 {
        let location = site.and_then(|expr| self.names.site(Site { body: def, expr }));
        location.map_or(0, |location| {
            let same = self.file(&location.file) == Some(file);
            if same { location.line } else { 0 }
        })
    }
}

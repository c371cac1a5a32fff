//! From which crate to ask the trait solver.
//!
//! The solver looks for impls in the asking crate and in everything that it
//! depends on, crate by crate, for every goal. A program's root sees every
//! crate, but an impl can only stand where its trait or one of its types is
//! defined (the orphan rule), so a crate deep down that sees all of those
//! gives the same answer with far fewer places to look at.

use std::{cell::RefCell, rc::Rc};

use ra_ap_base_db::Crate;
use ra_ap_hir_def::{CallableDefId, HasModule, TraitId};
use ra_ap_hir_ty::{
    ImplTraitId,
    db::HirDatabase,
    next_solver::{DbInterner, Ty, TyKind},
};
use ra_ap_rustc_type_ir::{
    AliasTyKind, TypeSuperVisitable, TypeVisitable, TypeVisitor,
    inherent::{BoundExistentialPredicates as _, IntoKind},
};
use rustc_hash::{FxHashMap, FxHashSet};

pub(super) struct Viewpoints<'db> {
    db: &'db dyn HirDatabase,
    root: Crate,
    deps: RefCell<FxHashMap<Crate, Rc<FxHashSet<Crate>>>>,
}

impl<'db> Viewpoints<'db> {
    pub(super) fn new(db: &'db dyn HirDatabase, root: Crate) -> Self {
        Self {
            db,
            root,
            deps: RefCell::default(),
        }
    }

    /// The lowest crate that sees what `value` and `tr` are made of; the root
    /// when none of those sees all the others.
    pub(super) fn of(
        &self,
        value: &impl TypeVisitable<DbInterner<'db>>,
        tr: Option<TraitId>,
    ) -> Crate {
        let mut mentions = Mentions::new(self.db);
        if let Some(tr) = tr {
            mentions.crates.push(tr.krate(self.db));
        }
        value.visit_with(&mut mentions);
        if mentions.open {
            return self.root;
        }
        let mut lowest: Option<Crate> = None;
        for krate in mentions.crates {
            lowest = match lowest {
                None => Some(krate),
                Some(lowest) if self.sees(lowest, krate) => Some(lowest),
                Some(lowest) if self.sees(krate, lowest) => Some(krate),
                Some(_) => return self.root,
            };
        }
        lowest.unwrap_or(self.root)
    }

    fn sees(&self, from: Crate, to: Crate) -> bool {
        if from == to {
            return true;
        }
        let deps = self
            .deps
            .borrow_mut()
            .entry(from)
            .or_insert_with(|| Rc::new(from.transitive_deps(self.db).into_iter().collect()))
            .clone();
        deps.contains(&to)
    }
}

/// The crates whose types a value is made of.
pub(super) struct Mentions<'db> {
    db: &'db dyn HirDatabase,
    crates: Vec<Crate>,
    /// Whether something is mentioned whose parts are not known yet.
    open: bool,
    /// Whether a part is a parameter or could not be inferred.
    unknown: bool,
    seen: FxHashSet<Ty<'db>>,
}

impl<'db> Mentions<'db> {
    fn new(db: &'db dyn HirDatabase) -> Self {
        Self {
            db,
            crates: Vec::new(),
            open: false,
            unknown: false,
            seen: FxHashSet::default(),
        }
    }

    /// The crates whose types `value` is made of, when all of it is known.
    pub(super) fn of(
        db: &'db dyn HirDatabase,
        value: &impl TypeVisitable<DbInterner<'db>>,
    ) -> Option<Vec<Crate>> {
        let mut mentions = Self::new(db);
        value.visit_with(&mut mentions);
        (!mentions.open && !mentions.unknown).then_some(mentions.crates)
    }

    fn add(&mut self, krate: Crate) {
        if self.crates.last() != Some(&krate) && !self.crates.contains(&krate) {
            self.crates.push(krate);
        }
    }
}

impl<'db> TypeVisitor<DbInterner<'db>> for Mentions<'db> {
    type Result = ();

    fn visit_ty(&mut self, ty: Ty<'db>) {
        // Parts are shared; as a tree a type may be exponentially larger.
        if !self.seen.insert(ty) {
            return;
        }
        match ty.kind() {
            TyKind::Adt(adt, _) => self.add(adt.def_id().krate(self.db)),
            TyKind::FnDef(def, _) => match def.0 {
                CallableDefId::FunctionId(f) => self.add(f.krate(self.db)),
                CallableDefId::StructId(id) => self.add(id.krate(self.db)),
                CallableDefId::EnumVariantId(id) => self.add(id.krate(self.db)),
            },
            TyKind::Dynamic(predicates, _) => {
                if let Some(principal) = predicates.principal_def_id() {
                    self.add(principal.0.krate(self.db));
                }
            }
            TyKind::Closure(id, _) => {
                let owner = id.0.loc(self.db).owner.expression_store_owner(self.db);
                self.add(owner.krate(self.db));
            }
            TyKind::Coroutine(id, _) => {
                let owner = id.0.loc(self.db).owner.expression_store_owner(self.db);
                self.add(owner.krate(self.db));
            }
            TyKind::CoroutineClosure(id, _) => {
                let owner = id.0.loc(self.db).owner.expression_store_owner(self.db);
                self.add(owner.krate(self.db));
            }
            // What an alias stands for is visible from where it is defined.
            TyKind::Alias(alias) => match alias.kind {
                AliasTyKind::Projection { def_id } => self.add(def_id.0.krate(self.db)),
                AliasTyKind::Opaque { def_id } => match def_id.0.loc(self.db) {
                    ImplTraitId::ReturnTypeImplTrait(f, _) => self.add(f.krate(self.db)),
                    ImplTraitId::TypeAliasImplTrait(id, _) => self.add(id.krate(self.db)),
                },
                _ => self.open = true,
            },
            TyKind::Foreign(_) | TyKind::Infer(_) => self.open = true,
            TyKind::Param(_) | TyKind::Error(_) | TyKind::Placeholder(_) => self.unknown = true,
            _ => {}
        }
        ty.super_visit_with(self);
    }
}

//! The types that a program uses.
//!
//! A method is called on a value, and a value is made where its type is
//! spelled or inferred: in a body that the walk met, or by unseen code, which
//! has to name the type. An impl for a type that is neither met nor named
//! cannot be what an unresolved call means. This is rapid type analysis (Bacon
//! and Sweeney, OOPSLA 1996) with mentions in place of allocations.

use ra_ap_hir_def::{AdtId, DefWithBodyId, HasModule};
use ra_ap_hir_ty::next_solver::{Ty, TyKind};
use ra_ap_ide_db::RootDatabase;
use ra_ap_rustc_type_ir::{TypeSuperVisitable, TypeVisitable, TypeVisitor, inherent::IntoKind};
use rustc_hash::FxHashSet;

use crate::walk::{FactStore, Node, Prune, Walk};
use ra_ap_hir_ty::next_solver::DbInterner;

/// The structs, enums and unions that occur in types.
#[derive(Default)]
pub(crate) struct Adts<'db> {
    pub(crate) found: FxHashSet<AdtId>,
    /// Parts are shared; as a tree a type may be exponentially larger.
    seen: FxHashSet<Ty<'db>>,
}

impl<'db> TypeVisitor<DbInterner<'db>> for Adts<'db> {
    type Result = ();

    fn visit_ty(&mut self, ty: Ty<'db>) {
        if self.seen.insert(ty) {
            if let TyKind::Adt(adt, _) = ty.kind() {
                self.found.insert(adt.def_id());
            }
            ty.super_visit_with(self);
        }
    }
}

/// The types that a walk met so far, in whatever pass, and those that unseen
/// code names.
pub(super) struct Met<'db> {
    /// A type of a crate that the walk leaves out may well be in use there.
    prune: &'db Prune,
    adts: Adts<'db>,
    bodies: FxHashSet<DefWithBodyId>,
    /// How many of the walk's nodes are counted.
    nodes: usize,
}

impl<'db> Met<'db> {
    pub(super) fn new(prune: &'db Prune) -> Self {
        Self {
            prune,
            adts: Adts::default(),
            bodies: FxHashSet::default(),
            nodes: 0,
        }
    }

    /// Adds what `walk` met since the last time.
    pub(super) fn extend(&mut self, walk: &Walk<'_>, store: &FactStore) {
        for node in &walk.nodes[self.nodes..] {
            match node {
                Node::Body(def, args) => {
                    args.as_ref().visit_with(&mut self.adts);
                    if self.bodies.insert(*def) {
                        self.adts.found.extend(store.adts(*def));
                    }
                }
                Node::Shared(_) => {}
                Node::Derived(_, _, args) | Node::Method(_, args) | Node::AssocConst(_, args) => {
                    args.as_ref().visit_with(&mut self.adts);
                }
                Node::Drop(ty) | Node::Await(ty) => ty.as_ref().visit_with(&mut self.adts),
                Node::Expansion(..) => {}
                Node::Unsize(from, to) => {
                    from.as_ref().visit_with(&mut self.adts);
                    to.as_ref().visit_with(&mut self.adts);
                }
            }
        }
        self.nodes = walk.nodes.len();
    }

    /// Adds types that unseen code may name.
    pub(super) fn name(&mut self, adts: impl IntoIterator<Item = AdtId>) {
        self.adts.found.extend(adts);
    }

    pub(super) fn contains(&self, db: &RootDatabase, adt: AdtId) -> bool {
        self.adts.found.contains(&adt) || self.prune.is_unaware(adt.krate(db))
    }
}

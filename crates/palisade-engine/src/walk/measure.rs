//! How large a type is, without walking shared parts twice.
//!
//! Types are interned, so `(T, T)` nested forty times is forty nodes in memory
//! but 2^40 as a tree, and most algorithms over types see the tree. Everything
//! that may be that large is measured here first.

use ra_ap_hir_ty::next_solver::{DbInterner, GenericArgs, Ty};
use ra_ap_rustc_type_ir::{TypeSuperVisitable, TypeVisitable, TypeVisitor};
use rustc_hash::FxHashMap;

/// Size and depth of a type as a tree; both stop growing at their maximum.
#[derive(Clone, Copy, Default)]
pub(super) struct Extent {
    pub(super) size: usize,
    pub(super) depth: usize,
}

/// Measures types; remembers every one that it met.
#[derive(Default)]
pub(super) struct Measure<'db> {
    known: FxHashMap<Ty<'db>, Extent>,
}

impl<'db> Measure<'db> {
    pub(super) fn args(&mut self, args: GenericArgs<'db>) -> Extent {
        let mut parts = Parts {
            measure: self,
            sum: Extent::default(),
        };
        args.visit_with(&mut parts);
        parts.sum
    }

    pub(super) fn ty(&mut self, ty: Ty<'db>) -> Extent {
        if let Some(&known) = self.known.get(&ty) {
            return known;
        }
        let mut parts = Parts {
            measure: self,
            sum: Extent::default(),
        };
        ty.super_visit_with(&mut parts);
        let Extent { size, depth } = parts.sum;
        let extent = Extent {
            size: size.saturating_add(1),
            depth: depth + 1,
        };
        self.known.insert(ty, extent);
        extent
    }
}

struct Parts<'a, 'db> {
    measure: &'a mut Measure<'db>,
    sum: Extent,
}

impl<'db> TypeVisitor<DbInterner<'db>> for Parts<'_, 'db> {
    type Result = ();

    fn visit_ty(&mut self, ty: Ty<'db>) {
        let part = self.measure.ty(ty);
        self.sum.size = self.sum.size.saturating_add(part.size);
        self.sum.depth = self.sum.depth.max(part.depth);
    }
}

//! What a walk that looks for something may leave out.
//!
//! A function of a crate that does not depend on the crate of a goal cannot
//! name anything there. It gets there only through what it is given: a generic
//! argument, or a value behind `dyn` or a function pointer. The latter counts
//! where it was made, so a function of such a crate whose generic arguments
//! belong to such crates too leads nowhere.

use ra_ap_base_db::Crate;
use ra_ap_hir_def::HasModule;
use ra_ap_hir_ty::{
    db::HirDatabase,
    next_solver::{DbInterner, GenericArgs, Ty},
};
use ra_ap_rustc_type_ir::TypeVisitable;
use rustc_hash::FxHashSet;

use super::{node::Node, viewpoint::Mentions};

/// What to leave out; by default nothing.
#[derive(Default)]
pub(crate) struct Prune {
    /// The crates that cannot name a goal.
    unaware: FxHashSet<Crate>,
}

impl Prune {
    /// For a walk that looks for functions of the crates `goals`; `all` are the
    /// crates of the program, and `exports` those that define symbols: what
    /// calls a symbol does not need to depend on its crate.
    pub(crate) fn new(
        db: &dyn HirDatabase,
        all: impl Iterator<Item = Crate>,
        goals: &FxHashSet<Crate>,
        exports: impl IntoIterator<Item = Crate>,
    ) -> Self {
        let is_unaware = |krate: &Crate| {
            let sees = krate.transitive_deps(db);
            !goals.contains(krate) && !sees.iter().any(|dep| goals.contains(dep))
        };
        let mut unaware: FxHashSet<Crate> = all.filter(is_unaware).collect();
        if exports.into_iter().any(|krate| !unaware.contains(&krate)) {
            // The standard library calls no symbol of a program's own.
            unaware.retain(|krate| krate.data(db).origin.is_lang());
        }
        Self { unaware }
    }

    /// Whether nothing that `krate` defines can name a goal.
    pub(crate) fn is_unaware(&self, krate: Crate) -> bool {
        self.unaware.contains(&krate)
    }

    /// The crates that a node belongs to, if nothing that it leads to matters.
    pub(crate) fn leaves_out<'db>(
        &self,
        db: &'db dyn HirDatabase,
        node: &'db Node,
    ) -> Option<Vec<Crate>> {
        if self.unaware.is_empty() {
            return None;
        }
        let of = |krate: Crate, args: GenericArgs<'_>| {
            let own = self.is_unaware(krate).then_some(krate)?;
            let mut crates = self.closed(db, args)?;
            crates.push(own);
            Some(crates)
        };
        match node {
            Node::Body(def, args) => of(def.krate(db), args.as_ref()),
            Node::Shared(def) => self.is_unaware(def.krate(db)).then(|| vec![def.krate(db)]),
            Node::Derived(derive, _, args) => of(derive.krate(db), args.as_ref()),
            Node::Method(f, args) => of(f.krate(db), args.as_ref()),
            Node::AssocConst(c, args) => of(c.krate(db), args.as_ref()),
            Node::Drop(ty) | Node::Await(ty) => self.closed::<Ty<'_>>(db, ty.as_ref()),
            Node::Expansion(id, _) => self.is_unaware(id.krate(db)).then(|| vec![id.krate(db)]),
            Node::Unsize(from, to) => {
                let mut crates = self.closed::<Ty<'_>>(db, from.as_ref())?;
                crates.extend(self.closed::<Ty<'_>>(db, to.as_ref())?);
                Some(crates)
            }
        }
    }

    /// The crates of the types that `value` is made of, if all are known and
    /// none of them can name a goal.
    fn closed<'db, T: TypeVisitable<DbInterner<'db>>>(
        &self,
        db: &'db dyn HirDatabase,
        value: T,
    ) -> Option<Vec<Crate>> {
        let crates = Mentions::of(db, &value)?;
        crates
            .iter()
            .all(|krate| self.is_unaware(*krate))
            .then_some(crates)
    }
}

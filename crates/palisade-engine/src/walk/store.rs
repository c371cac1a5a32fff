//! What all workers share.

use std::sync::Arc;

use parking_lot::Mutex;
use ra_ap_hir_def::{AdtId, DefWithBodyId, FunctionId};
use ra_ap_hir_ty::{db::HirDatabase, next_solver::DbInterner};
use rustc_hash::FxHashMap;

use super::expansions::Watched;
use crate::facts::{self, BodyFacts, UnresolvedCall};

/// What all workers share: the facts of every body met so far, and what stands
/// behind the symbols that `extern` blocks declare.
pub(crate) struct FactStore {
    bodies: Mutex<FxHashMap<DefWithBodyId, Arc<BodyFacts>>>,
    symbols: FxHashMap<String, FunctionId>,
    /// Most expressions of an initialiser that is inferred.
    inferred: usize,
    /// The macros whose expansions matter.
    pub(crate) watched: Arc<Watched>,
}

impl FactStore {
    pub(crate) fn new(
        symbols: FxHashMap<String, FunctionId>,
        inferred: usize,
        watched: Watched,
    ) -> Self {
        Self {
            bodies: Mutex::default(),
            symbols,
            inferred,
            watched: Arc::new(watched),
        }
    }

    pub(crate) fn get<'db>(
        &self,
        db: &'db dyn HirDatabase,
        it: DbInterner<'db>,
        def: DefWithBodyId,
    ) -> Arc<BodyFacts> {
        if let Some(facts) = self.bodies.lock().get(&def) {
            return facts.clone();
        }
        // Two workers may do the same body at once; the facts are equal.
        let facts = Arc::new(facts::collect(db, it, def, self.inferred));
        self.bodies.lock().entry(def).or_insert(facts).clone()
    }

    /// The function that exports a symbol, when the program has one.
    pub(crate) fn exporter(&self, symbol: &str) -> Option<FunctionId> {
        self.symbols.get(symbol).copied()
    }

    /// The structs, enums and unions that occur in a body met so far.
    pub(crate) fn adts(&self, def: DefWithBodyId) -> Vec<AdtId> {
        let store = self.bodies.lock();
        store
            .get(&def)
            .map_or_else(Vec::new, |facts| facts.adts.clone())
    }

    /// Every call that inference could not name, in every body met so far.
    pub(crate) fn unresolved(&self) -> Vec<(DefWithBodyId, UnresolvedCall)> {
        let store = self.bodies.lock();
        let calls = store
            .iter()
            .flat_map(|(def, facts)| facts.unresolved.iter().map(|call| (*def, call.clone())));
        calls.collect()
    }
}

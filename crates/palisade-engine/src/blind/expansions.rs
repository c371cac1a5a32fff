//! Macros that the walk looks for and unseen code may expand.

use palisade_model::BlindSpotCause;
use ra_ap_base_db::Crate;
use ra_ap_hir_def::HasModule;
use rustc_hash::FxHashSet;

use super::{Entry, Finder, Live, candidates::Found};
use crate::{
    load::expander::MacroUse,
    names::{Definition, Identity},
    walk::Node,
};

impl Finder<'_> {
    /// Every function, type and macro that `krate` can name.
    pub(super) fn everything(&mut self, krate: Crate) -> Found {
        let mut found = self.candidates.all(krate);
        self.expansions(krate, None, &mut found);
        found
    }

    /// Adds the macros that `krate` can name, by one of `words` if those are
    /// given.
    pub(super) fn expansions(
        &self,
        krate: Crate,
        words: Option<&FxHashSet<String>>,
        found: &mut Found,
    ) {
        let named = self.watched.named(words);
        if named.is_empty() {
            return;
        }
        let sees = krate.transitive_deps(self.db);
        for id in named {
            let of = id.krate(self.db);
            if of == krate || sees.contains(&of) {
                found.nodes.push(Node::Expansion(id, None));
                found.crates.push(self.names.krate(of).0);
            }
        }
        found.crates.sort();
        found.crates.dedup();
    }

    /// The unexpanded macro itself, which writes code of its crate.
    pub(super) fn itself(&self, used: &MacroUse) -> Option<Node> {
        let of = self.loaded.crates[used.unit.0]?;
        let name = FxHashSet::from_iter([used.name.clone()]);
        let mut named = self.watched.named(Some(&name)).into_iter();
        let id = named.find(|id| id.krate(self.db) == of)?;
        Some(Node::Expansion(id, None))
    }

    /// Types that a macro wrote: whether its crate's code matters to those who
    /// use them, no call shows.
    pub(super) fn items_of_macros(&mut self, live: &Live) -> Vec<Entry> {
        let mut entries = Vec::new();
        for krate in self.own_crates(live) {
            for (id, call) in self.watched.without_bodies(self.db, krate) {
                let Some(location) = self.names.call_location(call) else {
                    continue;
                };
                let written = self.names.describe(&Identity {
                    def: Definition::Macro(id),
                    self_type: None,
                });
                let found = Found {
                    nodes: vec![Node::Expansion(id, Some(call))],
                    crates: vec![written.crate_name],
                    ..Found::default()
                };
                let cause = BlindSpotCause::GeneratedSource;
                let detail = format!("types that `{}` writes", written.path);
                entries.push(self.entry_of(location, cause, detail, found));
            }
        }
        entries
    }
}
